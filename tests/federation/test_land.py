"""What any sensor records on a nation's land is the nation's, unless it signed otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from farolito.app.handing_over import HandingOver
from farolito.bus import Delivery, ReadBatch
from farolito.federation.land import Belongs, LandBook
from farolito.federation.sharing_words import HandedRead, HandedShot
from farolito.model import (
    AgencyId,
    CallKind,
    Picture,
    Point,
    Refused,
    ShareClass,
    Sharing,
    Shot,
    SoundClip,
    UnitStatus,
)
from farolito.model.call import CalledUnit
from tests.federation.sharers import DOWNTOWN, Sharer, Sharers
from tests.plates.plate_builders import read
from tests.shot_builders import shot, wav

ON_LAND = Point(35.25, -106.55)
PUEBLO = AgencyId("pueblo-pd")


def land_of(sharer: Sharer) -> LandBook:
    side = sharer.side
    book = LandBook(
        lambda: side.card, lambda: side.partners, sharer.agreed.values, side.clock,
        lambda: sharer.units,
    )  # fmt: skip
    book.changed()
    return book


class Watching:
    """The city's sensors, some of them on the pueblo's land."""

    def __init__(self, sharers: Sharers) -> None:
        self.sharers, self.city, self.pueblo = sharers, sharers.city, sharers.pueblo
        self.land = land_of(self.city)
        side = self.city.side
        self.over = HandingOver(self.land, side.gate, side.system, side.clock)
        self.city.shots.elsewhere = self.over.shot
        self.reads: list[HandedRead] = []
        self.shots: list[HandedShot] = []
        self.pueblo.receiving.take_reads = self._take_reads
        self.pueblo.receiving.take_shots = self._take_shots

    async def _take_reads(self, sender: AgencyId, reads: Sequence[HandedRead]) -> None:
        self.reads += reads

    async def _take_shots(self, sender: AgencyId, shots: Sequence[HandedShot]) -> None:
        self.shots += shots

    def read(self, place: Point | None = ON_LAND, **more: Any) -> Any:
        return msgspec.structs.replace(
            read("ABC123", captured_at=self.city.side.clock()), agency=self.city.agency_id,
            read_id=uuid4(), place=place, **more,
        )  # fmt: skip

    async def passed(self, *reads: Any, pictures: dict[str, bytes] | None = None) -> Any:
        """What the pipeline does with one delivery."""
        handed, withheld = self.over.sort([Delivery(1, ReadBatch(tuple(reads), pictures or {}))])
        async with self.city.side.database.system() as connection:
            await self.over.record(connection, handed, reads)
        await self.city.send(self.pueblo)
        return withheld


async def test_a_read_on_a_nations_land_goes_to_the_nation_and_is_not_ours(
    sharers: Sharers,
) -> None:
    watching = Watching(sharers)
    there, here = watching.read(), watching.read(DOWNTOWN)
    withheld = await watching.passed(there, here)
    assert withheld == {there.read_id}
    assert [one.read.read_id for one in watching.reads] == [there.read_id]


async def test_its_pictures_go_with_it(sharers: Sharers) -> None:
    watching = Watching(sharers)
    there = watching.read(pictures=(Picture("a" * 64, "plate"),))
    await watching.passed(there, pictures={"a" * 64: b"\xff\xd8crop"})
    assert watching.reads[0].pictures == {"a" * 64: b"\xff\xd8crop"}


async def test_the_largest_pictures_go_with_it_and_a_slow_line_has_time_for_them(
    sharers: Sharers, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watching(sharers)
    line, waits = watching.city.side.post._line, list[tuple[int, float]]()
    request = line.request

    async def timed(partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        waits.append((len(raw), timeout_s))
        return await request(partner, raw, timeout_s)

    monkeypatch.setattr(line, "request", timed)
    shows = {"a" * 64: b"p" * 4_000_000, "b" * 64: b"s" * 999_000, "c" * 64: b"x" * 2_000}
    pictures = (Picture("b" * 64, "scene"), Picture("a" * 64, "plate"), Picture("c" * 64, "scene"))
    await watching.passed(watching.read(pictures=pictures), pictures=shows)
    assert {name: len(p) for name, p in watching.reads[0].pictures.items()} == {
        "a" * 64: 4_000_000, "b" * 64: 999_000,
    }  # fmt: skip
    [(size, wait_s)] = [one for one in waits if one[0] > 1_000_000]
    assert size / wait_s < 140_000, "a line of 1.1 Mbit/s carries it in time"


async def test_the_nations_signed_consent_lets_us_have_its_records_as_well(
    sharers: Sharers,
) -> None:
    watching = Watching(sharers)
    consent = sharers.agree(
        sharers.pueblo, sharers.city, classes={ShareClass.PLATE_READ: "full"},
        sharing=(Sharing.ASK,),
    )  # fmt: skip
    assert await watching.passed(watching.read()) == frozenset()
    assert len(watching.reads) == 1, "it is the nation's all the same"
    assert watching.land.belongs(ON_LAND, ShareClass.SHOT) == Belongs(PUEBLO, False)
    sharers.revoke(consent)
    assert len(await watching.passed(watching.read())) == 1


async def test_a_nation_that_names_a_class_keeps_that_class_alone(sharers: Sharers) -> None:
    partners = sharers.city.side.partners
    card = msgspec.structs.replace(partners[PUEBLO].card, consent_classes=(ShareClass.PLATE_READ,))
    partners[PUEBLO] = msgspec.structs.replace(partners[PUEBLO], card=card)
    book = land_of(sharers.city)
    assert book.belongs(ON_LAND, ShareClass.PLATE_READ) == Belongs(PUEBLO, False)
    assert book.belongs(ON_LAND, ShareClass.SHOT) == Belongs(PUEBLO, True)


async def test_what_a_partner_claims_that_nobody_confirmed_moves_no_record(
    sharers: Sharers,
) -> None:
    partners = sharers.city.side.partners
    partners[PUEBLO] = msgspec.structs.replace(partners[PUEBLO], state="joined")
    assert land_of(sharers.city).belongs(ON_LAND, ShareClass.PLATE_READ) is None


async def test_a_nations_own_records_are_its_own(sharers: Sharers) -> None:
    assert land_of(sharers.pueblo).belongs(ON_LAND, ShareClass.PLATE_READ) is None
    assert land_of(sharers.pueblo).is_own(ON_LAND)
    assert not land_of(sharers.city).is_own(ON_LAND)


async def test_a_shot_on_a_nations_land_is_heard_by_the_nation_alone(sharers: Sharers) -> None:
    watching = Watching(sharers)
    solved = msgspec.structs.replace(
        shot(5, watching.city.side.clock(), place=ON_LAND), agency=watching.city.agency_id
    )
    assert await watching.city.shots.hear(solved, "boot:1") is None
    await watching.city.send(watching.pueblo)
    assert [one.track for one in watching.shots] == ["boot:1"]
    async with watching.city.side.records() as records:
        assert await records.shots.queue() == []
        assert await records.shots.quiet() == []


async def test_the_sound_of_a_shot_on_a_nations_land_follows_it(sharers: Sharers) -> None:
    """Its people decide by ear, as ours do; and what our sensors recorded there is theirs."""
    watching = Watching(sharers)
    wanted: list[tuple[Shot, str]] = []
    watching.over.want_sound = lambda *told: wanted.append(told)
    solved = shot(5, watching.city.side.clock(), place=ON_LAND)
    await watching.city.shots.hear(solved, "boot:1")
    assert wanted == [(solved, "boot:1")]
    sound = wav([0.1, -0.1] * 800)
    clip, late = recording(solved, sound), recording(solved, sound, after_s=60)
    await watching.city.send(watching.pueblo)
    for one in (clip, clip, late):
        await watching.over.sound(one, sound)
    await watching.city.send(watching.pueblo)
    assert [(s.track, s.clips) for s in watching.shots] == [("boot:1", ()), ("boot:1", (clip,))]
    assert watching.shots[-1].sounds == {clip.sha256: sound}
    watching.city.side.later(20 * 60)
    later = shot(1, watching.city.side.clock(), place=ON_LAND)
    await watching.city.shots.hear(later, "boot:2")
    async with watching.city.side.records() as records:
        kept = await records.connection.fetch("select body->>'track' as track from handed_shots")
    assert [row["track"] for row in kept] == ["boot:2"], "no longer than its sound may come"


def recording(of: Shot, sound: bytes, after_s: float = -0.3) -> SoundClip:
    return SoundClip(
        sensor=of.heard[0].sensor, sha256=sha256(sound).hexdigest(),
        starts_at=of.heard[0].onset_at + timedelta(seconds=after_s), seconds=0.4, rate_hz=4_000,
    )  # fmt: skip


async def test_a_shot_that_is_located_onto_the_land_later_is_taken_back_here(
    sharers: Sharers,
) -> None:
    watching = Watching(sharers)
    first = shot(5, watching.city.side.clock(), place=DOWNTOWN)
    alert = await watching.city.shots.hear(first, "boot:1")
    assert alert is not None
    moved = msgspec.structs.replace(first, revision=2, place=ON_LAND)
    await watching.city.shots.hear(moved, "boot:1")
    async with watching.city.side.records() as records:
        kept = await records.shots.get(alert.alert_id)
    assert kept is not None
    assert kept.shot.is_withdrawn


async def test_a_hand_over_stands_in_both_ledgers(sharers: Sharers) -> None:
    watching = Watching(sharers)
    await watching.passed(watching.read())
    ours, theirs = await watching.city.entries(), await watching.pueblo.entries()
    assert ours[-1]["counterpart"].startswith("pueblo-pd#")
    assert theirs[-1]["counterpart"].startswith("city-pd#")


async def test_records_of_no_land_of_ours_are_not_taken_over(sharers: Sharers) -> None:
    """Nobody fills the sheriff's store with reads by calling them its own."""
    watching = Watching(sharers)
    body = {
        "what": "handover", "share_class": "plate_read", "receipt": "city-pd#1:ab",
        "reads": [{"read": watching.read()}],
    }  # fmt: skip
    with pytest.raises(Refused) as no:
        await watching.city.side.post.ask(sharers.sheriff.agency_id, "share", body)
    assert no.value.reason == "not_our_land"


async def test_a_call_on_a_nations_land_says_whose_law_holds_and_who_may_enforce_it(
    sharers: Sharers,
) -> None:
    city = sharers.city
    city.dispatch.use_jurisdiction(land_of(city).jurisdiction)
    held = city.unit("2A14")
    city.units[:] = [msgspec.structs.replace(held, commissions=(PUEBLO,))]
    city.unit("2A15")
    now = city.side.clock()
    units = tuple(
        CalledUnit(unit=u, status=UnitStatus.EN_ROUTE, at=now)  # type: ignore[arg-type]
        for u in ("2A14", "2A15")
    )
    incident = await city.call("1", ON_LAND, kind=CallKind.CRASH, units=units)
    law = incident.jurisdiction
    assert law is not None
    assert (law.nation, law.commissioned, law.without) == (PUEBLO, ("2A14",), ("2A15",))
    assert law.says == (
        "On the land of Pueblo Police: its jurisdiction. 2A14 holds its commission. 2A15 has none."
    )
    assert (await city.call("2", DOWNTOWN, kind=CallKind.CRASH)).jurisdiction is None


async def test_a_units_commissions_are_kept(sharers: Sharers) -> None:
    city = sharers.city
    async with city.side.records() as records:
        await records.units.hear([city.unit("2A14")])
        assert await records.units.commission(city.units[0].unit_id, [PUEBLO])
        await records.units.hear([city.unit("2A14")])
        [unit] = await records.units.all()
    assert unit.commissions == (PUEBLO,)
