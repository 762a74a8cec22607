"""All the rooms of sharing together, as a node makes them: agreements and partings move them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from farolito.app.agreeing import purging
from farolito.app.listening import Listening
from farolito.app.sharing import Rooms, SharingRooms
from farolito.bus import Bus, ReadBatch
from farolito.federation.sharing_words import HandedRead, HandedShot
from farolito.media import Pictures
from farolito.model import AgencyId, Because, Point, Refused, ShareClass, Shot, SignedAgreement
from tests.federation.neighbours import Neighbours
from tests.federation.sharers import Sharer, Sharers
from tests.federation.test_land import recording
from tests.plates.plate_builders import read
from tests.shot_builders import shot, wav


class Lane:
    """Stands where a node has its bus: what was published."""

    def __init__(self) -> None:
        self.batches: list[ReadBatch] = []
        self.reads = self

    async def publish(self, batch: ReadBatch) -> None:
        self.batches.append(batch)


class Shares:
    """The subjects that agreements opened on the bus, over the line in memory."""

    def __init__(self, of: Sharer, neighbours: Neighbours) -> None:
        self._line = neighbours.wire.between(of.agency_id)
        self.used: list[ShareClass] = []

    async def __call__(
        self, partner: AgencyId, share_class: ShareClass, raw: bytes, timeout_s: float
    ) -> bytes:
        self.used.append(share_class)
        return await self._line.request(partner, raw, timeout_s)


class Ears:
    """Stands where a node listens to its sensors."""

    def __init__(self) -> None:
        self.elsewhere: Any = None

    def want_sound(self, shot: Shot, track: str) -> None: ...


class House:
    def __init__(self, sharers: Sharers, sharer: Sharer, folder: Path | None = None) -> None:
        side = sharer.side
        self.sharers, self.sharer, self.bus, self.ears = sharers, sharer, Lane(), Ears()
        self.pictures = Pictures(folder) if folder else None
        self.shares = Shares(sharer, sharers.neighbours)
        side.post._handlers.pop("share")  # the rooms take them from here on
        side.post._handlers.pop("purge")
        sharer.desk.followers.remove(sharer.outbox.follow_alert)
        self.rooms = SharingRooms(
            Rooms(
                gate=side.gate, post=side.post, system=side.system, desk=sharer.desk,
                dispatch=sharer.dispatch, shots=sharer.shots, bus=cast(Bus, self.bus),
                listening=cast(Listening, self.ears), pictures=cast(Pictures, self.pictures),
                own_card=lambda: side.card, partners=lambda: side.partners,
                agreements=lambda: list(sharers.agreed.values()), agreement=sharers.agreed.get,
                units=lambda: sharer.units, share=self.shares,
            ),
            UTC,
            side.clock,
        )  # fmt: skip

    async def send(self, partner: Sharer) -> None:
        sender = self.rooms.sender
        for send in (sender.send_recalls, sender.send_items, sender.send_purges):
            while await send(partner.agency_id):
                pass

    async def ends(self, agreed: SignedAgreement) -> None:
        """Revoked, as the book of agreements does it."""
        self.sharers.revoke(agreed.agreement)
        revoked = msgspec.structs.replace(
            self.sharers.agreed[agreed.agreement.agreement_id],
            revoked_because=Because.MISUSE,
            agency_signature="of the city",
        )
        async with self.sharer.side.records() as records:
            await purging(self.sharer.agency_id)(records, revoked)
        await self.rooms.on_revoked(revoked)

    async def receipts(self) -> Sequence[Mapping[str, Any]]:
        async with self.sharer.side.records() as records:
            return await records.sharing.receipts()


ALERTS = {ShareClass.ALERT: "full"}


async def test_a_signed_agreement_opens_and_a_revoked_one_purges_by_itself(
    sharers: Sharers,
) -> None:
    city, sheriff = House(sharers, sharers.city), House(sharers, sharers.sheriff)
    await sharers.city.confirmed("ABC123")
    agreement = sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
    await city.rooms.on_changed(sharers.agreed[agreement.agreement_id])
    await city.send(sharers.sheriff)
    assert len(await sharers.sheriff.shown()) == 1
    assert city.shares.used == [ShareClass.ALERT], "by the subject that the agreement opened"
    await city.ends(sharers.agreed[agreement.agreement_id])
    await city.send(sharers.sheriff)
    assert await sharers.sheriff.shown() == []
    [receipt] = await city.receipts()
    assert (receipt["because"], receipt["purged"]) == ("misuse", 1)
    ended = sharers.agreed[agreement.agreement_id]
    await sheriff.rooms.on_revoked(ended)  # told of it by the city as well


async def test_what_two_agreements_let_flow_is_there_until_both_have_ended(
    sharers: Sharers,
) -> None:
    city = House(sharers, sharers.city)
    House(sharers, sharers.sheriff)
    await sharers.city.confirmed("ABC123")
    for _ in range(2):
        agreement = sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
        await city.rooms.on_changed(sharers.agreed[agreement.agreement_id])
        await city.send(sharers.sheriff)
    for left in (1, 0):
        [shown] = await sharers.sheriff.shown()
        assert shown.agreement_id is not None
        await city.ends(sharers.agreed[shown.agreement_id])
        await city.send(sharers.sheriff)
        assert len(await sharers.sheriff.shown()) == left
    assert sorted(receipt["purged"] for receipt in await city.receipts()) == [0, 1]


async def test_what_comes_by_a_new_agreement_outlives_the_purge_of_the_old_one(
    sharers: Sharers,
) -> None:
    """The purge comes last, as it may where a line was cut."""
    city = House(sharers, sharers.city)
    House(sharers, sharers.sheriff)
    await sharers.city.confirmed("ABC123")
    old = sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
    await city.rooms.on_changed(sharers.agreed[old.agreement_id])
    await city.send(sharers.sheriff)
    await city.ends(sharers.agreed[old.agreement_id])
    new = sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
    await city.rooms.on_changed(sharers.agreed[new.agreement_id])
    while await city.rooms.sender.send_items(sharers.sheriff.agency_id):
        pass
    assert [one.agreement_id for one in await sharers.sheriff.shown()] == [new.agreement_id]
    await city.send(sharers.sheriff)
    assert [one.agreement_id for one in await sharers.sheriff.shown()] == [new.agreement_id]
    assert [receipt["purged"] for receipt in await city.receipts()] == [0]


async def test_a_begin_that_a_stop_cut_is_made_up_for(sharers: Sharers) -> None:
    """The agreement came into force, and then the node fell."""
    city = House(sharers, sharers.city)
    House(sharers, sharers.sheriff)
    await sharers.city.confirmed("ABC123")
    sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
    for _ in range(2):
        await city.rooms.begin()
        await city.send(sharers.sheriff)
    [shown] = await sharers.sheriff.fed()
    assert "ABC123" in shown["title"]


async def test_a_grantee_that_revokes_deletes_at_once(sharers: Sharers) -> None:
    """Also while the owner is away."""
    city, sheriff = House(sharers, sharers.city), House(sharers, sharers.sheriff)
    agreement = sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
    await sharers.city.confirmed("ABC123")
    await city.send(sharers.sheriff)
    sharers.neighbours.cut(sharers.city.side, sharers.sheriff.side)
    sharers.revoke(agreement)
    await sheriff.rooms.on_revoked(sharers.agreed[agreement.agreement_id])
    assert await sharers.sheriff.shown() == []


async def test_a_parting_leaves_nothing_and_asks_nothing_of_who_has_gone(
    sharers: Sharers,
) -> None:
    city, sheriff = House(sharers, sharers.city), House(sharers, sharers.sheriff)
    agreement = sharers.agree(sharers.city, sharers.sheriff, classes=ALERTS)
    await sharers.city.confirmed("ABC123")
    await city.send(sharers.sheriff)
    await sharers.city.confirmed("ABC124")
    sharers.revoke(agreement)
    ended = msgspec.structs.replace(
        sharers.agreed[agreement.agreement_id], revoked_because=Because.LEAVING
    )
    await city.rooms.on_revoked(ended)
    there = await sheriff.rooms.on_leave(sharers.city.agency_id)
    here = await city.rooms.on_leave(sharers.sheriff.agency_id)
    assert (there["purged"], here["purged"], here["dropped"]) == (1, 0, 1)
    assert there["receipt"].startswith("county-so#")
    assert msgspec.json.encode(there)
    assert await city.receipts() == []


async def test_what_was_made_on_our_land_becomes_ours(sharers: Sharers) -> None:
    pueblo = House(sharers, sharers.pueblo)
    place = Point(35.25, -106.55)
    one = msgspec.structs.replace(read("ABC123"), place=place, agency=AgencyId("city-pd"))
    await pueblo.rooms._take_reads(AgencyId("city-pd"), [HandedRead(one, {"a": b"crop"})])
    [batch] = pueblo.bus.batches
    [taken] = batch.reads
    assert (taken.read_id, taken.agency, taken.reader) == (
        one.read_id, "pueblo-pd", f"city-pd-{one.reader}",
    )  # fmt: skip
    assert batch.pictures == {"a": b"crop"}
    elsewhere = msgspec.structs.replace(one, place=Point(35.0, -106.65))
    with pytest.raises(Refused):
        await pueblo.rooms._take_reads(AgencyId("city-pd"), [HandedRead(elsewhere)])


CITY = AgencyId("city-pd")
ON_LAND = Point(35.25, -106.55)


async def test_the_sound_of_a_shot_on_our_land_is_heard_where_it_is_decided(
    sharers: Sharers, tmp_path: Path
) -> None:
    pueblo = House(sharers, sharers.pueblo, tmp_path / "pictures")
    solved = shot(5, sharers.pueblo.side.clock(), place=ON_LAND)
    sound = wav([0.1, -0.1] * 800)
    clip = recording(solved, sound)
    whole = HandedShot(solved, "boot:1", (clip,), {clip.sha256: sound})
    for one in (HandedShot(solved, "boot:1"), whole, whole):
        await pueblo.rooms._take_shots(CITY, [one])
    async with sharers.pueblo.side.records() as records:
        known = await records.shots.track("city-pd:boot:1")
        assert known is not None
        alert = await records.shots.get(known.alert_id)
    assert alert is not None
    assert alert.clips == (clip,)
    assert pueblo.pictures is not None
    assert pueblo.pictures.get(clip.starts_at.date(), clip.sha256) == sound


@pytest.mark.parametrize("wrong", ["bytes", "another", "other_time"])
async def test_what_is_no_recording_of_it_is_refused(
    sharers: Sharers, tmp_path: Path, wrong: str
) -> None:
    pueblo = House(sharers, sharers.pueblo, tmp_path / "pictures")
    solved = shot(5, sharers.pueblo.side.clock(), place=ON_LAND)
    sound = wav([0.1, -0.1] * 800)
    clip = recording(solved, sound, after_s=60 if wrong == "other_time" else -0.3)
    sent = {"bytes": b"RIFF of nothing", "another": wav([0.2] * 1_600)}.get(wrong, sound)
    told = HandedShot(solved, "boot:1", (clip,), {clip.sha256: sent})
    with pytest.raises(Refused) as no:
        await pueblo.rooms._take_shots(CITY, [told])
    assert no.value.reason == "malformed"
    assert [one for one in (tmp_path / "pictures").rglob("*") if one.is_file()] == []
