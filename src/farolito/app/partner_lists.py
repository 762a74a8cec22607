"""Rows that partners share, beside our own: our reads are held against them too.

Each partner's rows are a list of their own (`from-county-so`), brought to what its shared things
say whenever one of them comes, is recalled, or is deleted. A recall takes back what our reads
raised by the row. Nothing of it is shared again: hop limit 0.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.app.index import ListIndex
from farolito.desk import Desk
from farolito.federation.items import PARTNERS_LIST, list_of_partner
from farolito.gate import Gate, Records, system_ask
from farolito.ingest import hotlist
from farolito.model import (
    AgencyId,
    EntryId,
    HotList,
    HotListEntry,
    Invalid,
    ListedVehicle,
    Person,
    ShareClass,
    Thing,
)
from farolito.model.shared import SharedItem
from farolito.policy import StatePack
from farolito.store import hot_lists

log = logging.getLogger(__name__)

# Rows come by themselves, so their list is no older for a quiet week; a month without a word is no
# source any more.
STALE_AFTER = timedelta(days=7)
DEAD_AFTER = timedelta(days=30)
SHARED_BY = "shared by "
NO_LONGER = "no longer shared by its owner"


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """What a shared row says in its detail (`federation.items.told_of_row`)."""

    plate: str
    reason: str
    category: str
    source_agency: str
    confirm_with: str
    entered_at: datetime
    plate_state: str | None = None
    expires_at: datetime | None = None
    make: str | None = None
    model: str | None = None
    colour: str | None = None
    vehicle: str | None = None
    year: int | None = None


class _Added(msgspec.Struct, frozen=True):
    added: Sequence[HotListEntry]
    changed: Sequence[HotListEntry] = ()
    removed: Sequence[HotListEntry] = ()


class PartnerLists:
    def __init__(  # noqa: PLR0913 - whose rows, held against what, by whose law
        self,
        gate: Gate,
        system: Person,
        desk: Desk,
        index: ListIndex,
        pack: StatePack,
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._system = system
        self._desk = desk
        self._index = index
        self._law = hotlist.ForbiddenCategories(pack.forbidden_list_categories, pack.name)
        self._clock = clock
        self.forbidden = 0  # rows whose category our own law forbids: not held against anybody
        self.bad = 0  # rows that say no such thing as a plate

    async def settle(self, items: Sequence[SharedItem]) -> None:
        """After shared things came, were recalled or deleted, and that is durable."""
        rows = [item for item in items if item.kind is ShareClass.HOT_LIST]
        for grantor in {item.grantor for item in rows}:
            await self._settle(grantor, [item for item in rows if item.grantor == grantor])

    async def start(self) -> None:
        """What was cut off by a stop is done now: every list as its shared things say."""

        async def standing(records: Records) -> list[SharedItem]:
            items = await records.sharing.all_of(ShareClass.HOT_LIST)
            known = {item.item_id for item in items}
            return [*items, *(one for one in await _kept(records) if one.item_id not in known)]

        await self.settle(await self._gate.following(standing))

    async def _settle(self, grantor: AgencyId, items: Sequence[SharedItem]) -> None:
        fresh = [i for i in items if i.recalled_at is None and not i.purged]
        over = [i for i in items if i.recalled_at is not None or i.purged]
        entries = [entry for item in fresh if (entry := self._entry(item)) is not None]
        hot_list = self._list(grantor, items[0].grantor_name)
        ask = system_ask(self._system, Thing.HOT_LIST, f"{len(items)} rows that {grantor} shares")

        async def work(records: Records, permit: int) -> None:
            connection = records.connection
            await hot_lists.save_list(connection, hot_list)
            if entries:
                await hot_lists.apply_diff(connection, hot_list, _Added(entries), self._clock())
            for item in over:
                says = item.recall_says or NO_LONGER
                entry_id = EntryId(item.item_id)
                await hot_lists.recall(connection, entry_id, says, self._clock())
                await self._desk.recall_in(records, [entry_id], says, ask, permit)
            purged = [EntryId(item.item_id) for item in over if item.purged]
            await hot_lists.delete(connection, self._gate.owner, purged)

        await self._gate.safety(ask, work)
        for item in over:
            self._index.forget(EntryId(item.item_id))
        self._index.learn(hot_list, entries)

    def _entry(self, item: SharedItem) -> HotListEntry | None:
        """A row as ours, for as long as we may keep it; None where it is none, or our law forbids
        its category."""
        try:
            told = msgspec.convert(dict(item.detail), _Row)
            if self._law.forbids(told.category, told.reason):
                self.forbidden += 1
                return None
            ends = (told.expires_at, item.purge_at)
            return HotListEntry(
                entry_id=EntryId(item.item_id),
                list_id=list_of_partner(item.grantor),
                agency=self._gate.owner,
                plate=told.plate,
                state=told.plate_state,
                reason=told.reason,
                category=told.category,
                source_agency=told.source_agency,
                entered_at=told.entered_at,
                expires_at=min(end for end in ends if end is not None),
                confirm_with=told.confirm_with,
                vehicle=_vehicle(told),
            )
        except (msgspec.ValidationError, Invalid) as why:
            self.bad += 1
            log.warning("a row that %s shares is none: %s", item.grantor, why)
            return None

    def _list(self, grantor: AgencyId, name: str) -> HotList:
        return HotList(
            list_id=list_of_partner(grantor),
            agency=self._gate.owner,
            name=f"{SHARED_BY}{name}",
            stale_after=STALE_AFTER,
            dead_after=DEAD_AFTER,
            imported_at=self._clock(),
        )


async def _kept(records: Records) -> list[SharedItem]:
    """Rows on partners' lists, as things that are shared no longer."""
    found = []
    for hot_list in await hot_lists.lists(records.connection):
        if not hot_list.list_id.startswith(PARTNERS_LIST):
            continue
        grantor = AgencyId(hot_list.list_id.removeprefix(PARTNERS_LIST))
        for entry in await hot_lists.entries(records.connection, records.agency, hot_list.list_id):
            at = entry.entered_at
            found.append(
                SharedItem(
                    kind=ShareClass.HOT_LIST, item_id=entry.entry_id, grantor=grantor,
                    grantor_name=hot_list.name.removeprefix(SHARED_BY), agreement_id=None,
                    version=0, at=at, received_at=at, purge_at=at, purged=True,
                )
            )  # fmt: skip
    return found


def _vehicle(told: _Row) -> ListedVehicle | None:
    vehicle = ListedVehicle(
        make=told.make, model=told.model, colour=told.colour, kind=told.vehicle, year=told.year
    )
    return None if vehicle == ListedVehicle() else vehicle
