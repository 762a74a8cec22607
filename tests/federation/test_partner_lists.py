"""A partner's listed rows are held against our reads, and taken back with what they raised."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec

from farolito.app.index import ListIndex
from farolito.app.partner_lists import PartnerLists
from farolito.federation.items import list_of_partner
from farolito.gate import Records, system_ask
from farolito.model import (
    Alert,
    AlertState,
    EntryId,
    HotListEntry,
    Match,
    Purpose,
    ReadId,
    ShareClass,
    Standing,
    Thing,
)
from farolito.policy import StatePack
from farolito.store import hot_lists
from tests.federation.sharers import Sharer, Sharers
from tests.plates.plate_builders import read, row

HOT = {ShareClass.HOT_LIST: "full"}


class Lists:
    """The city shares its rows; the sheriff's reads are held against them."""

    def __init__(self, sharers: Sharers, **terms: Any) -> None:
        self.city, self.sheriff = sharers.city, sharers.sheriff
        self.agreement = sharers.agree(self.city, self.sheriff, classes=HOT, **terms)
        self.index, self.lists = self._lists(self.sheriff)

    def _lists(self, of: Sharer) -> tuple[ListIndex, PartnerLists]:
        side = of.side
        index = ListIndex(side.database, of.agency_id)
        pack: StatePack = side.gate.policies.pack
        lists = PartnerLists(side.gate, side.system, of.desk, index, pack, side.clock)
        of.receiving.settle = lists.settle
        return index, lists

    async def again(self) -> None:
        """The sheriff's node was started anew."""
        self.index, self.lists = self._lists(self.sheriff)
        await self.index.reload()
        await self.lists.start()

    async def listed(self, *rows: HotListEntry) -> None:
        """The city imports rows, or recalls them."""
        ask = system_ask(self.city.side.system, Thing.HOT_LIST, "test")

        async def work(records: Records, permit: int) -> None:
            await self.city.outbox.follow_rows(records, rows)

        await self.city.side.gate.act(ask, work)
        await self.city.send(self.sheriff)

    def row(self, plate: str = "ABC123", **more: Any) -> HotListEntry:
        return msgspec.structs.replace(
            row(plate), **{"agency": self.city.agency_id, "entry_id": EntryId(uuid4()), **more}
        )

    def known(self, entry: HotListEntry) -> HotListEntry | None:
        return self.index.index.entry(entry.entry_id)

    async def hit(self, entry: HotListEntry) -> Alert:
        """A reader of the sheriff's sees the plate."""
        sheriff = self.sheriff
        known = self.known(entry)
        assert known is not None
        passing = msgspec.structs.replace(
            read(entry.plate, captured_at=sheriff.side.clock()), agency=sheriff.agency_id,
            read_id=ReadId(uuid4()), event=str(uuid4()),
        )  # fmt: skip
        alert = await sheriff.desk.raise_match(
            Match(read=passing, entry=known, standing=Standing.LEAD, posterior=0.99, checks=())
        )
        assert alert is not None
        return alert

    async def now(self, alert: Alert) -> Alert:
        async with self.sheriff.side.records() as records:
            found = await records.alerts.get(alert.alert_id)
            assert found is not None
            return found


async def test_a_partners_row_matches_our_reads_until_its_keeping_ends(sharers: Sharers) -> None:
    lists = Lists(sharers, keep_days=7)
    entry = lists.row()
    await lists.listed(entry)
    known = lists.known(entry)
    assert known is not None
    assert (known.plate, known.agency, known.list_id) == (
        "ABC123", "county-so", list_of_partner(lists.city.agency_id),
    )  # fmt: skip
    assert known.expires_at == lists.sheriff.side.clock() + timedelta(days=7)
    assert known.confirm_with == entry.confirm_with, "who confirms it is its owner"


async def test_a_recall_takes_back_what_our_reads_raised(sharers: Sharers) -> None:
    lists = Lists(sharers)
    entry = lists.row()
    await lists.listed(entry)
    alert = await lists.hit(entry)
    lists.city.side.later(60)
    now = lists.city.side.clock()
    await lists.listed(msgspec.structs.replace(entry, recalled_at=now, recall_reason="recovered"))
    assert lists.known(entry) is None
    after = await lists.now(alert)
    assert (after.state, after.decision_reason) == (AlertState.RECALLED, "recovered")


async def test_a_revoked_agreement_leaves_no_row_behind(sharers: Sharers) -> None:
    lists = Lists(sharers)
    entry = lists.row()
    await lists.listed(entry)
    alert = await lists.hit(entry)
    sharers.revoke(lists.agreement)
    partner = lists.sheriff.agency_id
    await lists.city.sender.ask_purge(partner, lists.agreement.agreement_id, "revoked")
    await lists.city.send(lists.sheriff)
    assert lists.known(entry) is None
    async with lists.sheriff.side.database.system() as connection:
        assert await connection.fetchval("select count(*) from hot_list_entries") == 0
    assert (await lists.now(alert)).state is AlertState.RECALLED


async def test_what_the_law_here_forbids_is_held_against_nobody(sharers: Sharers) -> None:
    lists = Lists(sharers)
    entry = lists.row(category="immigration_violator", reason="immigration")
    await lists.listed(entry)
    assert lists.known(entry) is None
    assert lists.lists.forbidden == 1


async def test_after_a_restart_the_lists_are_as_the_shared_things_say(sharers: Sharers) -> None:
    """The node stopped between the two, in either direction."""
    lists = Lists(sharers)
    kept, gone = lists.row("ABC123"), lists.row("ABC124")
    await lists.listed(kept, gone)
    async with lists.sheriff.side.records() as records:
        await records.sharing._deleted("item_id = $1", gone.entry_id)
        await hot_lists.delete(records.connection, records.agency, [kept.entry_id])
    await lists.again()
    assert lists.known(kept) is not None
    assert lists.known(gone) is None


async def test_what_a_partner_gave_goes_to_nobody_else(sharers: Sharers) -> None:
    """Neither the row nor what it raised here."""
    lists = Lists(sharers)
    sharers.agree(sharers.sheriff, sharers.pueblo, classes={**HOT, ShareClass.ALERT: "full"})
    entry = lists.row()
    await lists.listed(entry)
    alert = await lists.hit(entry)
    ask = lists.sheriff.ask(Thing.ALERT, Purpose.HOT_LIST_ALERT)
    await lists.sheriff.desk.confirm(ask, alert.alert_id, alert.version, state_confirmed=True)
    agreement = next(
        s.agreement for s in sharers.agreed.values() if s.agreement.grantee == "pueblo-pd"
    )

    def rows(records: Records) -> Any:
        return hot_lists.all_in_force(records.connection, records.agency)

    await sharers.sheriff.outbox.begin(agreement, rows)
    assert await sharers.sheriff.waits_for(sharers.pueblo) == 0
