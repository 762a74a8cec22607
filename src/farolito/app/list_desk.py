"""Hot lists at work: imported as a diff, found, recalled; the index follows at once."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from farolito.app import health
from farolito.app.index import ListIndex
from farolito.console.sockets import OldList
from farolito.desk import Desk, NotFound
from farolito.gate import Answer, Ask, Gate, Records
from farolito.ingest import hotlist
from farolito.model import (
    AgencyId,
    EntryId,
    HotList,
    HotListEntry,
    Invalid,
    ListId,
)
from farolito.policy import StatePack
from farolito.store import hot_lists

STALE_AFTER_S = 18 * 3600  # the national extract is compiled twice a day; one cycle and a half
DEAD_AFTER_S = 48 * 3600
WITHDRAWN = "withdrawn by its source"

RowsFollowed = Callable[[Records, Sequence[HotListEntry]], Awaitable[None]]
"""What left its list comes as recalled."""


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line sends: the file, and how to read it.

    `mapping` is YAML text, or `ready` the name of one that comes with the product. `shrunk` is a
    person's word that the list did lose most of its rows.
    """

    file: str  # base64
    mapping: str | None = None
    ready: str | None = None
    name: str | None = None
    stale_after_s: int = STALE_AFTER_S
    dead_after_s: int = DEAD_AFTER_S
    threshold: float = 0.9
    folded: bool | None = None
    shrunk: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    added: int
    changed: int
    removed: int
    unchanged: int
    forbidden: int
    bad: Sequence[hotlist.BadRow]
    bad_count: int
    warnings: Sequence[hotlist.BadRow]
    duplicates: int
    left_out: int
    reinstated: int


class ListDesk:
    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        gate: Gate,
        desk: Desk,
        index: ListIndex,
        pack: StatePack,
        agency: AgencyId,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._desk = desk
        self._index = index
        self._law = hotlist.ForbiddenCategories(pack.forbidden_list_categories, pack.name)
        self._agency = agency
        self._clock = clock
        self._ids = ids
        # In the transaction of each change, with the rows as they are now.
        self.followers: list[RowsFollowed] = []

    async def ages(self, ask: Ask) -> Answer[list[Mapping[str, Any]]]:
        """Every list with its age; no row of it."""

        async def work(records: Records, permit: int) -> list[Mapping[str, Any]]:
            now = self._clock()
            found = await hot_lists.summaries(records.connection, now)
            return [
                {**health.list_view(s.hot_list, s.rows, now), "expired": s.expired,
                 "recalled": s.recalled}
                for s in found
            ]  # fmt: skip

        return await self._gate.read(ask, work)

    def old(self) -> list[OldList]:
        """The lists past their limit, as the pipeline holds them: names and ages, no row."""
        now = self._clock()
        views = [health.list_view(one, 0, now) for one in self._index.lists.values()]
        return [
            OldList(v["name"], None if v["age_s"] is None else v["age_s"] // 3600, v["dead"])
            for v in views
            if v["stale"]
        ]

    async def find(self, ask: Ask, text: str) -> Answer[list[HotListEntry]]:
        async def work(records: Records, permit: int) -> list[HotListEntry]:
            return await hot_lists.find(records.connection, self._agency, text)

        return await self._gate.read(ask, work)

    async def import_list(
        self, ask: Ask, list_id: ListId, told: Mapping[str, Any]
    ) -> Answer[Imported]:
        """Good rows go in, bad ones are named by line; rows that left the list are withdrawn.

        Raises Rejected or Invalid where the file as a whole is wrong, and then nothing changed.
        """
        request = msgspec.convert(told, ImportRequest)
        mapping = _mapping(request)
        data = _file(request)
        now = self._clock()

        async def work(records: Records, permit: int) -> Imported:
            connection = records.connection
            await hot_lists.save_list(connection, self._list(list_id, request, mapping))
            held = await hot_lists.hold(connection, self._agency, list_id)
            parsed = await asyncio.to_thread(
                hotlist.parse, data, mapping, held.hot_list, self._law, now
            )
            change = await asyncio.to_thread(
                hotlist.diff, held.entries, parsed, held.struck_while_recalled
            )
            if not request.shrunk:
                hotlist.refuse_collapse(change)
            await hot_lists.apply_diff(connection, held.hot_list, change, now)
            gone = [entry.entry_id for entry in change.removed]
            await self._desk.recall_in(records, gone, WITHDRAWN, ask, permit)
            struck = [_struck(entry, now) for entry in change.removed]
            await self._follow(records, [*change.added, *change.changed, *struck])
            done = _imported(parsed, change)
            await hot_lists.record_import(connection, self._record(list_id, ask, parsed, done, now))
            return done

        answer = await self._gate.act(ask, work)
        await self._index.reload()
        return answer

    async def recall(
        self, ask: Ask, list_id: ListId, entry_id: EntryId, reason: str
    ) -> Answer[int]:
        """A row is withdrawn: it stops matching at once, and all who were told are told."""

        async def work(records: Records, permit: int) -> int:
            entry = await hot_lists.recall(records.connection, entry_id, reason, self._clock())
            if entry is None or entry.list_id != list_id:
                raise NotFound("there is no such row on this list", "find it with /")
            told = await self._desk.recall_in(records, [entry_id], reason, ask, permit)
            await self._follow(records, [entry])
            return len(told)

        answer = await self._gate.safety(ask, work)
        self._index.forget(entry_id)  # a match made until now is turned away by the desk
        return answer

    async def _follow(self, records: Records, entries: Sequence[HotListEntry]) -> None:
        for follow in self.followers:
            await follow(records, entries)

    def _list(self, list_id: ListId, request: ImportRequest, mapping: hotlist.Mapping) -> HotList:
        return HotList(
            list_id=list_id,
            agency=self._agency,
            name=request.name or mapping.name or list_id,
            stale_after=timedelta(seconds=request.stale_after_s),
            dead_after=timedelta(seconds=request.dead_after_s),
            threshold=request.threshold,
            folded=mapping.folded if request.folded is None else request.folded,
        )

    def _record(
        self, list_id: ListId, ask: Ask, parsed: hotlist.Parsed, done: Imported, now: datetime
    ) -> hot_lists.Import:
        return hot_lists.Import(
            import_id=self._ids(),
            agency=self._agency,
            list_id=list_id,
            at=now,
            by=ask.person.person_id,
            file_sha256=parsed.file_sha256,
            rows=done.rows,
            added=done.added,
            changed=done.changed,
            removed=done.removed,
            unchanged=done.unchanged,
            forbidden=done.forbidden,
            bad=hot_lists.BadLines(
                count=parsed.bad_count,
                rows=tuple(_line(b) for b in parsed.bad),
                warning_count=parsed.warning_count,
                warnings=tuple(_line(b) for b in parsed.warnings),
                left_out=parsed.left_out,
                duplicates=parsed.duplicates,
            ),
        )


def _imported(parsed: hotlist.Parsed, change: hotlist.Diff) -> Imported:
    return Imported(
        rows=parsed.rows,
        added=len(change.added),
        changed=len(change.changed),
        removed=len(change.removed),
        unchanged=change.unchanged,
        forbidden=parsed.forbidden,
        bad=parsed.bad,
        bad_count=parsed.bad_count,
        warnings=parsed.warnings,
        duplicates=parsed.duplicates,
        left_out=parsed.left_out,
        reinstated=change.reinstated,
    )


def _struck(entry: HotListEntry, at: datetime) -> HotListEntry:
    if entry.recalled_at is not None:
        return entry
    return msgspec.structs.replace(entry, recalled_at=at, recall_reason=WITHDRAWN)


def _line(bad: hotlist.BadRow) -> hot_lists.BadLine:
    return hot_lists.BadLine(bad.line, bad.reason, bad.says, bad.field)


def _mapping(request: ImportRequest) -> hotlist.Mapping:
    if request.mapping is not None:
        return hotlist.load_mapping(request.mapping)
    if request.ready is not None:
        return hotlist.ready_mapping(request.ready)
    raise Invalid("no mapping", "name a mapping file, or a ready one")


def _file(request: ImportRequest) -> bytes:
    try:
        return base64.b64decode(request.file, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("the file did not arrive whole", "send it again") from error
