"""The hot lists in memory, as the pipeline asks them, renewed when a list or a row changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from farolito.model import AgencyId, EntryId, HotList, HotListEntry, ListId
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
        # While a new index is made of older rows: what left it, and what came.
        self._forgotten: set[EntryId] = set()
        self._learnt: dict[EntryId, HotListEntry] = {}

    async def reload(self) -> None:
        """Read every row in force and build anew; 300,000 rows take seconds, in a thread."""
        async with self._lock:
            self._forgotten.clear()
            self._learnt.clear()
            async with self._database.transaction(self._agency) as connection:
                lists = {x.list_id: x for x in await hot_lists.lists(connection)}
                entries = [e async for e in hot_lists.all_in_force(connection, self._agency)]
            start = time.monotonic()
            index = await asyncio.to_thread(Index.build, entries, lists)
            for entry_id in self._forgotten:
                index.remove(entry_id)
            for entry in self._learnt.values():
                index.add(entry)
            self.index, self.lists = index, {**self.lists, **lists} if self._learnt else lists
            self.built_in_s = time.monotonic() - start

    def forget(self, entry_id: EntryId) -> None:
        """A recalled row stops matching at once, also in the index that is being built."""
        self._forgotten.add(entry_id)
        self._learnt.pop(entry_id, None)
        self.index.remove(entry_id)

    def learn(self, hot_list: HotList, entries: Sequence[HotListEntry]) -> None:
        """Rows that came one by one match at once, also in the index that is being built."""
        self.lists = {**self.lists, hot_list.list_id: hot_list}
        for entry in entries:
            self._forgotten.discard(entry.entry_id)
            self._learnt[entry.entry_id] = entry
            self.index.add(entry)
