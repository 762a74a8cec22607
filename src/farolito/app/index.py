"""The hot lists in memory, as the pipeline asks them, renewed when a list or a row changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from farolito.model import AgencyId, EntryId, HotList, ListId
from farolito.plates import Index
from farolito.store import Database, hot_lists


class ListIndex:
    """Swapped in one assignment: a probe sees the old lists or the new ones, never half."""

    def __init__(self, database: Database, agency: AgencyId) -> None:
        self._database = database
        self._agency = agency
        self._lock = asyncio.Lock()
        self.index = Index.build([], {})
        self.lists: Mapping[ListId, HotList] = {}
        self.built_in_s = 0.0
        self._forgotten: set[EntryId] = set()  # while a new index is made of older rows

    async def reload(self) -> None:
        """Read every row in force and build anew; 300,000 rows take seconds, in a thread."""
        async with self._lock:
            self._forgotten.clear()
            async with self._database.transaction(self._agency) as connection:
                lists = {x.list_id: x for x in await hot_lists.lists(connection)}
                entries = [e async for e in hot_lists.all_in_force(connection, self._agency)]
            start = time.monotonic()
            index = await asyncio.to_thread(Index.build, entries, lists)
            for entry_id in self._forgotten:
                index.remove(entry_id)
            self.index, self.lists = index, lists
            self.built_in_s = time.monotonic() - start

    def forget(self, entry_id: EntryId) -> None:
        """A recalled row stops matching at once, also in the index that is being built."""
        self._forgotten.add(entry_id)
        self.index.remove(entry_id)
