"""Our own TAK server: each user gets what the gate permits, as XML and as protobuf."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import msgspec
import pytest

from farolito.audit import Ledger
from farolito.delivery import TakLink
from farolito.delivery.chat import brief_chat
from farolito.delivery.subscriber import POST_AGAIN_S, Subscriber
from farolito.delivery.wording import ENGLISH
from farolito.gate import Gate, Records
from farolito.ingest.avl.cot import CotEvent, to_xml
from farolito.ingest.avl.tak import TakUser
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    IncidentState,
    PartKind,
    Person,
    PersonId,
    Point,
    Role,
    UnitId,
)
from farolito.store import Database
from tests.delivery import atak
from tests.delivery.delivery_builders import (
    AGENCY,
    PLACE,
    PLATE,
    brief,
    called,
    incident,
    lines,
    part,
    unit,
)
from tests.delivery.phones import now, phone
from tests.delivery.running_tak import DESK, Running, our_server, running
from tests.ingest.avl.certificates import Authority
from tests.ledger_away import ledger_away
from tests.running import RunningNode, until


@pytest.fixture
async def tak(gate: Gate, database: Database) -> AsyncIterator[Running]:
    async with running(gate, database) as made, our_server(made):
        yield made


@pytest.mark.parametrize("proto", [False, True], ids=["xml", "protobuf"])
async def test_an_incident_and_a_brief_with_its_versions_reach_the_phone_and_receipts_come_back(
    tak: Running, proto: bool
) -> None:
    await tak.officer("2A14")
    async with phone(tak.port, "ANDROID-1", "2A14", proto=proto) as hope:
        await until(lambda: tak.feed.users == 1)
        scene = incident(at=now(), units=(called("2A14"),))
        first = brief("2A14", at=now(), incident_id=scene.incident_id)
        await tak.told(scene, first)
        spot = await hope.sees(lambda e: e.uid.endswith(str(scene.incident_id)))
        assert (spot.type, spot.lat, spot.lon) == ("b-m-p-s-m", PLACE.lat, PLACE.lon)
        told = await hope.sees_type("b-t-f", "version 1")
        await hope.sees_type("b-m-p-w-GOTO")
        for type_ in ("b-t-f-d", "b-t-f-r"):
            await hope.say(atak.chat_receipt(to_xml(told), type_, "ANDROID-1", "2A14", now()))
        second = msgspec.structs.replace(first, version=2, change="Update: the truck left east.")
        await tak.told(second)
        newer = await hope.sees_type("b-t-f", "version 2")
        assert "Update: the truck left east." in newer.detail
        await hope.say(atak.chat_receipt(to_xml(newer), "b-t-f-d", "ANDROID-1", "2A14", now()))
        await until(lambda: tak.feed.figures["receipts"] == 3)
        assert await tak.receipts(first.brief_id) == [
            (1, "delivered"), (1, "opened"), (2, "delivered"),
        ]  # fmt: skip
        await tak.told(
            msgspec.structs.replace(second, version=3, ended_at=now()),
            msgspec.structs.replace(scene, version=2, state=IncidentState.CLOSED),
        )
        for uid in (f"incident.{scene.incident_id}", f"brief.{first.brief_id}"):
            await hope.sees_type("t-x-d-d", f'uid="farolito.city-pd.{uid}"')


async def test_the_officers_words_become_answers_once_and_are_acknowledged(tak: Running) -> None:
    await tak.officer("2A14")
    scene = await tak.city.incident(incident(at=now()))
    await tak.city.brief(brief("2A14", at=now(), incident_id=scene.incident_id))
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await hope.sees_type("b-t-f", "version 1")
        for message, says in (
            ("m1", "en route"), ("m2", "10-97"), ("m2", "10-97"), ("m3", "ask which door?"),
        ):  # fmt: skip
            await hope.say(
                atak.chat_to(DESK.uid, "RTCC", says, "ANDROID-1", "2A14", message, now())
            )
        await hope.sees_type("b-t-f", "Noted: on scene")
        await hope.sees_type("b-t-f", "The desk has your question")
    assert await tak.answers(scene.incident_id) == [
        ("en_route", ""), ("on_scene", ""), ("ask_rtcc", "which door?"),
    ]  # fmt: skip


async def test_who_writes_without_a_brief_is_told_so(tak: Running) -> None:
    await tak.officer("2A14")
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await until(lambda: tak.feed.users == 1)
        await hope.say(atak.chat_to(DESK.uid, "RTCC", "on scene", "ANDROID-1", "2A14", "m", now()))
        await hope.sees_type("b-t-f", "No brief is running for you.")


async def test_a_brief_reaches_its_own_unit_alone(tak: Running) -> None:
    await tak.officer("2A14")
    await tak.officer("2A15")
    async with (
        phone(tak.port, "ANDROID-1", "2A14") as hope,
        phone(tak.port, "ANDROID-2", "2A15") as other,
    ):
        await until(lambda: tak.feed.users == 2)
        scene = incident(at=now())
        await tak.told(brief("2A14", at=now()), scene)
        await hope.sees_type("b-t-f")
        await other.sees(lambda e: e.uid.endswith(str(scene.incident_id)))
        assert b"b-t-f" not in other.raw
        assert b"GOTO" not in other.raw


async def test_another_units_receipt_is_refused_and_kept_out(tak: Running) -> None:
    await tak.officer("2A14")
    await tak.officer("2A15")
    async with (
        phone(tak.port, "ANDROID-1", "2A14") as hope,
        phone(tak.port, "ANDROID-2", "2A15") as other,
    ):
        await until(lambda: tak.feed.users == 2)
        what = brief("2A14", at=now())
        await tak.told(what)
        told = to_xml(await hope.sees_type("b-t-f"))
        await other.say(atak.chat_receipt(told, "b-t-f-r", "ANDROID-2", "2A15", now()))
        await until(lambda: tak.feed.figures["receipts_not_taken"] == 1)
        assert await tak.receipts(what.brief_id) == []


async def test_an_unknown_user_gets_nothing_and_is_counted(tak: Running) -> None:
    scene = incident(at=now())
    async with phone(tak.port, "ANDROID-9", "NOBODY") as stranger:
        await until(lambda: tak.feed.figures["unknown_user"] >= 1)
        await tak.told(scene, brief("2A14", at=now()))
        tak.streets.put(unit("2A15", at=now()))
        async with phone(tak.port, "ANDROID-1", "2A14"):
            await stranger.hello()
            await until(lambda: tak.feed.figures["unknown_user"] >= 3)
        assert {event.type for event in stranger.seen} <= {"t-x-takp-v"}


async def test_an_officer_of_another_agency_is_refused_and_the_ledger_says_so(
    tak: Running,
) -> None:
    person = await tak.city.person(unit="S-7", agency=AgencyId("county-so"))
    tak.streets.people["S-7"] = person
    async with phone(tak.port, "ANDROID-5", "S-7") as guest:
        await until(lambda: tak.feed.users == 1)
        await tak.told(incident(at=now()), brief("S-7", at=now()))
        async with asyncio.timeout(5):
            while len(await tak.city.entries("TAK: ")) < 2:
                await asyncio.sleep(0.01)
        assert {entry["decision"] for entry in await tak.city.entries("TAK: ")} == {"refusal"}
        assert b"b-m-p" not in guest.raw


async def test_the_ledger_has_the_permit_of_each_subscription(tak: Running) -> None:
    await tak.officer("2A14")
    async with phone(tak.port, "ANDROID-1", "2A14"):
        await until(lambda: tak.feed.users == 1)
        entries = await tak.city.entries("TAK: ")
    assert [(e["act"], e["thing"], e["decision"]) for e in entries] == [
        ("live", "brief", "permit"), ("live", "incident", "permit"),
    ]  # fmt: skip


async def test_who_connects_later_gets_the_present_picture(tak: Running) -> None:
    await tak.officer("2A14")
    scene = await tak.city.incident(incident(at=now()))
    gone = await tak.city.incident(incident(at=now(), state=IncidentState.CLOSED))
    what = brief("2A14", at=now(), version=2)
    await tak.city.brief(msgspec.structs.replace(what, version=1))
    await tak.city.brief(what)
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await hope.sees(lambda e: e.uid.endswith(str(scene.incident_id)))
        await hope.sees_type("b-t-f", "version 2")
        assert str(gone.incident_id).encode() not in hope.raw
        assert b"version 1" not in hope.raw


async def test_a_phone_that_comes_again_gets_what_it_missed(tak: Running) -> None:
    await tak.officer("2A14")
    async with phone(tak.port, "ANDROID-1", "2A14"):
        await until(lambda: tak.feed.users == 1)
    await until(lambda: tak.feed.users == 0)
    what = brief("2A14", at=now())
    await tak.told(what)
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await hope.sees_type("b-t-f", "version 1")


async def test_a_muted_units_position_is_never_sent(tak: Running) -> None:
    """An operator sees every other unit, and officers those at work: of this one not a byte."""
    await tak.officer("2A14")
    tak.streets.people["DESK-2"] = await tak.city.person(Role.OPERATOR, unit=None)
    hidden = Point(35.12345, -106.54321)
    tak.streets.put(
        unit("9U01", hidden, at=now(), muted=True),
        unit("2A15", Point(35.11111, -106.6), at=now()),
    )
    scene = incident(at=now(), units=(called("9U01"), called("2A15"), called("2A14")))
    async with (
        phone(tak.port, "ANDROID-1", "2A14") as hope,
        phone(tak.port, "WINTAK-2", "DESK-2") as desk,
        phone(tak.port, "ANDROID-3", "2A14", proto=True) as binary,
    ):
        await until(lambda: tak.feed.users == 3)
        lines_ = lines(with_you="9U01 0.4 km away.")
        await tak.told(scene, brief("2A14", at=now(), lines=lines_))
        for one in (hope, desk, binary):
            seen = await one.sees(lambda e: e.uid == "farolito.city-pd.unit.2A15")
            assert (seen.lat, seen.type) == (35.11111, "a-f-G-U-U-L-C")
        await hope.sees_type("b-t-f", "version 1")
        for one in (hope, desk, binary):
            assert b"9U01" not in one.raw
            assert b"35.12345" not in one.raw
            assert all((e.lat, e.lon) != (hidden.lat, hidden.lon) for e in one.seen)


async def test_a_unit_that_becomes_muted_is_taken_off_the_maps(tak: Running) -> None:
    tak.streets.people["DESK-2"] = await tak.city.person(Role.OPERATOR, unit=None)
    tak.streets.put(unit("2A15", at=now()))
    async with phone(tak.port, "WINTAK-2", "DESK-2") as desk:
        await desk.sees(lambda e: e.uid == "farolito.city-pd.unit.2A15")
        tak.streets.put(unit("2A15", Point(35.5, -106.5), at=now(), muted=True))
        await desk.sees_type("t-x-d-d", 'uid="farolito.city-pd.unit.2A15"')
        assert b"35.5" not in desk.raw


async def test_an_officer_sees_the_units_at_work_and_no_other(tak: Running) -> None:
    await tak.officer("2A14")
    tak.streets.put(unit("2A14", at=now()), unit("2A15", at=now()), unit("2A99", at=now()))
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await tak.told(incident(at=now(), units=(called("2A14"), called("2A15"))))
        await hope.sees(lambda e: e.uid == "farolito.city-pd.unit.2A15")
        assert b"unit.2A99" not in hope.raw
        assert b"unit.2A14" not in hope.raw


async def test_cameras_are_on_an_operators_map_and_not_on_an_officers(tak: Running) -> None:
    await tak.officer("2A14")
    tak.streets.people["DESK-2"] = await tak.city.person(Role.OPERATOR, unit=None)
    tak.streets.cameras.append(
        Device(
            device_id=DeviceId("plaza"), agency=AGENCY, kind="camera", name="Plaza",
            format="farolito", place=PLACE,
        )
    )  # fmt: skip
    async with (
        phone(tak.port, "ANDROID-1", "2A14") as hope,
        phone(tak.port, "WINTAK-2", "DESK-2") as desk,
    ):
        await desk.sees(lambda e: e.uid == "farolito.city-pd.device.plaza")
        await tak.told(incident(at=now()))
        await hope.sees_type("b-m-p-s-m")
        assert b"plaza" not in hope.raw


async def test_an_alert_alone_that_no_person_confirmed_stays_at_the_desk(tak: Running) -> None:
    await tak.officer("2A14")
    alone = incident(at=now(), parts=[part(PartKind.ALERT, PLATE)])
    shown = incident(at=now(), parts=[part(), part(PartKind.ALERT, PLATE)])
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await until(lambda: tak.feed.users == 1)
        await tak.told(alone, shown)
        await hope.sees(lambda e: e.uid.endswith(str(shown.incident_id)))
        assert str(alone.incident_id).encode() not in hope.raw
        assert PLATE.encode() not in hope.raw


async def test_a_suspended_officers_map_is_cleared_within_seconds(tak: Running) -> None:
    await tak.officer("2A14")
    scene = incident(at=now())
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await until(lambda: tak.feed.users == 1)
        await tak.told(scene)
        await hope.sees_type("b-m-p-s-m")
        del tak.streets.people["2A14"]
        await hope.sees_type("t-x-d-d", str(scene.incident_id))
        assert tak.feed.figures["withdrawn"] == 1
        await tak.told(incident(at=now(), where="After the end"))
        await hope.hello()
        await until(lambda: tak.feed.figures["unknown_user"] >= 1)
        assert b"After the end" not in hope.raw


async def test_an_old_unit_position_is_not_drawn_as_new(tak: Running) -> None:
    tak.streets.people["DESK-2"] = await tak.city.person(Role.OPERATOR, unit=None)
    tak.streets.put(
        unit("2A15", at=now() - timedelta(minutes=5)), unit("2A16", at=now())
    )  # fmt: skip
    async with phone(tak.port, "WINTAK-2", "DESK-2") as desk:
        await desk.sees(lambda e: e.uid == "farolito.city-pd.unit.2A16")
        assert b"2A15" not in desk.raw


async def test_an_officer_who_changes_the_car_gets_that_cars_briefs(tak: Running) -> None:
    person = await tak.officer("2A14")
    old, new = brief("2A14", at=now()), brief("2A15", at=now(), call="26-200")
    await tak.city.brief(old)
    await tak.city.brief(new)
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await hope.sees_type("b-t-f", "26-118204")
        tak.streets.people["2A14"] = msgspec.structs.replace(person, unit=UnitId("2A15"))
        await hope.sees_type("b-t-f", "26-200")
        await hope.sees_type("t-x-d-d", f"brief.{old.brief_id}")


async def test_changes_that_were_missed_are_made_good_by_the_present_picture(
    tak: Running, database: Database
) -> None:
    """More happened than the feed remembers: what closed meanwhile is taken away all the same."""
    await tak.officer("2A14")
    scene, other = incident(at=now()), incident(at=now())
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await until(lambda: tak.feed.users == 1)
        await tak.told(scene)
        await hope.sees(lambda e: e.uid.endswith(str(scene.incident_id)))
        closed = msgspec.structs.replace(scene, version=2, state=IncidentState.CLOSED)
        async with database.transaction(AGENCY) as connection:
            records = Records(connection, AGENCY)
            for what in (closed, other):
                await records.incidents.save(what)
                await records.feed.tell("incident", what, now())
            await records.feed.tell("incident", other, now())
            await records.feed.trim(now() + timedelta(days=1))
        tak.follower.nudge()
        await hope.sees_type("t-x-d-d", str(scene.incident_id))
        await hope.sees(lambda e: e.uid.endswith(str(other.incident_id)))


async def test_without_the_ledger_a_brief_still_goes_out_and_nobody_new_gets_in(
    tak: Running, database: Database, ledger: Ledger
) -> None:
    await tak.officer("2A14")
    await tak.officer("2A15")
    node = cast(
        RunningNode,
        SimpleNamespace(node=SimpleNamespace(dsn=database.dsn, database=database, ledger=ledger)),
    )
    async with phone(tak.port, "ANDROID-1", "2A14") as hope:
        await until(lambda: tak.feed.users == 1)
        async with ledger_away(node):
            await tak.told(brief("2A14", at=now()))
            await hope.sees_type("b-t-f", "version 1")
            async with phone(tak.port, "ANDROID-2", "2A15") as late:
                await late.say(atak.chat_to(DESK.uid, "RTCC", "?", "ANDROID-2", "2A15", "m", now()))
                await tak.told(incident(at=now()))
                await hope.sees_type("b-m-p-s-m")
                assert b"b-m-p" not in late.raw
            assert tak.feed.users == 1


async def test_a_claimed_call_sign_opens_nobody_elses_brief(
    gate: Gate, database: Database, tmp_path: Path
) -> None:
    """With certificates a device may call itself what it likes: its certificate says who it is."""
    city = Authority(tmp_path, "city-ca")
    certificate, key = city.sign("server")
    async with running(gate, database) as tak, our_server(
        tak, certificate=str(certificate), key=str(key), ca=str(city.file),
        units={"officer-7": "2A14", "officer-8": "2A15"},
    ):  # fmt: skip
        tak.streets.people["officer-7"] = await tak.city.person(unit="2A14")
        tak.streets.people["officer-8"] = await tak.city.person(unit="2A15")
        async with (
            phone(tak.port, "ANDROID-1", "HOPE", tls=tls_of(city, "officer-7")) as hope,
            phone(tak.port, "ANDROID-1", "officer-7", tls=tls_of(city, "officer-8")) as liar,
        ):
            await until(lambda: tak.feed.users == 2)
            scene, what = incident(at=now()), brief("2A14", at=now())
            await tak.told(what, scene)
            await hope.sees_type("b-t-f", "version 1")
            await liar.sees_type("b-m-p-s-m")
            assert b"b-t-f" not in liar.raw
            told = await hope.sees_type("b-t-f")
            await liar.say(atak.chat_receipt(to_xml(told), "b-t-f-r", "ANDROID-1", "HOPE", now()))
            await until(lambda: tak.feed.figures["receipts_not_taken"] == 1)
            assert await tak.receipts(what.brief_id) == []


def tls_of(authority: Authority, name: str) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=str(authority.file))
    tls.load_cert_chain(*authority.sign(name))
    return tls


async def test_a_brief_that_no_receipt_proves_is_sent_again_to_a_device_heard_since() -> None:
    sent: list[CotEvent] = []

    def send(event: CotEvent, to: Sequence[str]) -> int:
        sent.append(event)
        return 1

    link = TakLink("ours", True, DESK, send)
    person = Person(
        person_id=PersonId(uuid4()), agency=AGENCY, name="x", role=Role.OFFICER, unit=UnitId("2A14")
    )
    one = Subscriber(link, TakUser(name="n", uid="u", callsign="c", unit=UnitId("2A14")), person)
    what = brief("2A14", at=now())
    one.post(brief_chat(what, one.between, now(), ENGLISH), what)
    at = one.posted[what.brief_id].at
    assert one.post_again(at + POST_AGAIN_S + 1) == 0, "not heard since: it cannot hear us either"
    one.heard_at = at + 1
    assert one.post_again(at + 1) == 0, "its receipt may be on the way"
    assert one.post_again(at + POST_AGAIN_S) == 1
    assert sent[0] == sent[1]
    one.heard_at = at + 100
    one.proven(what.brief_id, what.version)
    assert one.post_again(at + 200) == 0
