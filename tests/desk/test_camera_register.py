"""A register that comes in, and the owner's word that it never outdoes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import time
from pathlib import Path

import msgspec
import pytest

from farolito.desk.camera_register import TakenIn
from farolito.model import (
    CameraId,
    Consent,
    Hours,
    Invalid,
    Login,
    OwnerId,
    Purpose,
    Refused,
    Terms,
    Thing,
)
from farolito.store import Database
from tests.camera_builders import camera
from tests.desk.cameras import ADMIN, GATE, RUTH, Watched, gate_camera
from tests.desk.city import a_city

NIGHT = Hours(days=(0, 1, 2, 3, 4, 5, 6), since=time(22), until=time(6))


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[Watched]:
    async with a_city(database, tmp_path) as made:
        yield await Watched.of(made, tmp_path, gate_camera(consent=Consent.ON_ALARM))


def consent_of(city: Watched, name: str = "gate") -> Consent:
    found = city.book.camera(CameraId(name))
    assert found is not None
    return found.consent


async def test_what_comes_again_is_told_apart_from_what_is_new(city: Watched) -> None:
    login = {CameraId("hall"): Login(user="u", word="w")}
    first = await city.bring(gate_camera(consent=Consent.ON_ALARM), camera("hall"), logins=login)
    assert first == TakenIn(
        owners=2, cameras=2, new=1, changed=0, removed=0, logins=1, kept_consent=0
    )
    moved = camera("hall", bearing_deg=10.0)
    again = await city.bring(moved, remove=(GATE, CameraId("none")))
    assert (again.new, again.changed, again.removed) == (0, 1, 1)
    assert [one.camera_id for one in city.book.all()] == ["hall"]
    assert city.book.login(CameraId("hall")) == Login(user="u", word="w")
    async with city.records() as records:
        [sealed] = (await records.cameras.logins()).values()
    assert sealed != b"w"
    assert len(sealed) > 20


async def test_no_register_gives_more_than_the_owner_gave(city: Watched) -> None:
    more = await city.bring(gate_camera(consent=Consent.ALWAYS))
    assert (more.kept_consent, more.kept, more.changed) == (1, ("gate",), 0)
    assert consent_of(city) is Consent.ON_ALARM
    await city.bring(remove=(GATE,))
    await city.bring(gate_camera(consent=Consent.ALWAYS, owner=OwnerId("schools")))
    assert consent_of(city) is Consent.ON_ALARM, "nor by taking it out, nor under another name"
    less = await city.bring(
        gate_camera(consent=Consent.REGISTRY_ONLY, terms=Terms(may_record=False))
    )
    assert (less.kept_consent, consent_of(city)) == (0, Consent.REGISTRY_ONLY)
    kept = await city.bring(gate_camera(consent=Consent.REGISTRY_ONLY))
    found = city.book.camera(GATE)
    assert found is not None
    assert (kept.kept_consent, found.terms.may_record) == (1, False)


async def test_the_owner_gives_more_and_takes_it_back(city: Watched) -> None:
    ask = msgspec.structs.replace(city.asks(RUTH, Purpose.ADMINISTRATION), thing=Thing.CONSENT)
    changes: list[str] = []
    city.cameras.changed.append(lambda: changes.append("told"))
    answer = await city.cameras.consent(ask, GATE, Consent.TIME_WINDOW, (NIGHT,))
    assert (answer.value.consent, answer.value.hours) == (Consent.TIME_WINDOW, (NIGHT,))
    assert answer.value.changed_at == city.clock()
    wider = Hours(days=NIGHT.days, since=time(12), until=time(6))
    kept = await city.bring(gate_camera(consent=Consent.TIME_WINDOW, hours=(wider,)))
    found = city.book.camera(GATE)
    assert found is not None
    assert (kept.kept_consent, found.hours) == (1, (NIGHT,))
    await city.cameras.consent(ask, GATE, Consent.REGISTRY_ONLY, ())
    assert consent_of(city) is Consent.REGISTRY_ONLY
    assert changes == ["told"] * 3
    with pytest.raises(Invalid, match="without hours"):
        await city.cameras.consent(ask, GATE, Consent.TIME_WINDOW, ())
    for person in (city.operator, ADMIN, msgspec.structs.replace(RUTH, owner=OwnerId("schools"))):
        with pytest.raises(Refused):
            await city.cameras.consent(
                msgspec.structs.replace(ask, person=person), GATE, Consent.ALWAYS, ()
            )
    assert consent_of(city) is Consent.REGISTRY_ONLY


@pytest.mark.parametrize("what", ["owner", "twice", "both"])
async def test_a_register_with_a_wrong_row_takes_nothing_in(city: Watched, what: str) -> None:
    wrong = {
        "owner": ((camera("a"), camera("b", owner=OwnerId("nobody"))), ()),
        "twice": ((camera("a"), camera("a")), ()),
        "both": ((camera("a"),), (CameraId("a"),)),
    }[what]
    with pytest.raises(Invalid):
        await city.bring(*wrong[0], remove=wrong[1])
    assert [one.camera_id for one in city.book.all()] == ["gate"]


async def test_an_owner_reads_who_watched_and_for_how_long(city: Watched) -> None:
    await city.bring(camera("hall"))
    permit = await city.looks(city.operator, CameraId("hall"))
    city.later(120)
    city.watching.closed(permit, city.clock(), "left")
    await city.watching.turn()
    ask = msgspec.structs.replace(city.asks(RUTH, Purpose.ADMINISTRATION), thing=Thing.VIEWING)
    found = (await city.cameras.of_owner(ask)).value
    assert {one.camera_id for one in found["cameras"]} == {"gate", "hall"}
    assert round(found["sums"][CameraId("hall")].minutes, 1) == 2.0
    assert [one.who for one in found["viewings"]] == ["Rivera"]
    answer = await city.cameras.viewings(ask, CameraId("hall"), None, 10)
    assert [one.why_ended for one in answer.value] == ["left"]
    foreign = msgspec.structs.replace(ask, person=msgspec.structs.replace(RUTH, owner=OwnerId("x")))
    with pytest.raises(Refused):
        await city.cameras.viewings(foreign, CameraId("hall"), None, 10)
