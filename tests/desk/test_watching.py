"""Who watches: permitted, asked again every two seconds, cut when a right ends, written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from farolito.audit import LedgerDown
from farolito.desk import NotFound
from farolito.desk.watching import AGAIN_S, UNSURE_MAX
from farolito.model import (
    CameraId,
    Consent,
    Hours,
    IncidentId,
    Person,
    Purpose,
    Refused,
    Role,
    SessionId,
    StreamSource,
    Terms,
    Thing,
    UnitId,
)
from farolito.model import UnitStatus as Status
from farolito.model.call import CalledUnit
from farolito.store import Database
from tests.desk.cameras import GATE, RUTH, SAM, Watched, gate_camera
from tests.desk.city import a_city, spot


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[Watched]:
    async with a_city(database, tmp_path) as made:
        yield await Watched.of(made, tmp_path, gate_camera())


async def test_from_the_permit_to_the_end(city: Watched) -> None:
    permit = await city.looks(city.operator)
    await city.watching.turn()
    for _ in range(3):
        city.later(25)
        await city.watching.turn()
    [now] = await city.viewings()
    assert (now.who, now.purpose, now.permit, now.until) == (
        "Rivera", Purpose.IN_PROGRESS_CALL, permit, None,
    )  # fmt: skip
    assert now.seen_at == city.clock()
    city.watching.closed(permit, city.later(1), "left")
    await city.watching.turn()
    [over] = await city.viewings()
    assert (over.until, over.why_ended) == (city.clock(), "left")
    assert await city.entries(permit) == [("watch", "heartbeat"), ("watch", "stop: left")]
    assert (city.watching.count, city.cuts) == (0, [])


async def test_consent_that_is_taken_back_cuts_at_the_next_turn(city: Watched) -> None:
    assert AGAIN_S <= 2
    permit = await city.looks(city.operator)
    ask = msgspec.structs.replace(city.asks(RUTH, Purpose.ADMINISTRATION), thing=Thing.CONSENT)
    await city.cameras.consent(ask, GATE, Consent.REGISTRY_ONLY, ())
    await city.watching.turn()
    [(permits, says)] = city.cuts
    assert permits == (permit,)
    assert "does not let us look" in says
    city.watching.closed(permit, city.later(0.1), "cut")
    await city.watching.turn()
    [over] = await city.viewings()
    assert over.why_ended == "no_consent"
    with pytest.raises(Refused, match="does not let us look"):
        await city.look(city.operator)


@pytest.mark.parametrize(
    ("what", "word"),
    [("signed out", "signed_out"), ("other duty", "duty_changed"), ("removed", "no_camera"),
     ("too old", "sign_in_too_old")],
)  # fmt: skip
async def test_who_may_no_longer_look_is_cut(city: Watched, what: str, word: str) -> None:
    permit = await city.looks(city.operator)
    [session] = city.signed_in
    if what == "signed out":
        del city.signed_in[session]
    elif what == "other duty":
        city.signed_in[session] = msgspec.structs.replace(city.operator, role=Role.AUDITOR)
    elif what == "removed":
        await city.bring(remove=(GATE,))
    else:
        city.later(13 * 3600)
    await city.watching.turn()
    assert [permits for permits, _ in city.cuts] == [(permit,)]
    await city.watching.turn()
    assert len(city.cuts) == 2, "told until the process says that it is closed"
    city.watching.closed(permit, city.later(0.1), "cut")
    await city.watching.turn()
    assert [v.why_ended for v in await city.viewings()] == [word]


async def test_on_alarm_a_camera_is_open_while_the_incident_is(city: Watched) -> None:
    await city.bring(gate_camera(consent=Consent.ON_ALARM))
    with pytest.raises(Refused) as told:
        await city.look(city.operator)
    assert told.value.reason == "no_consent"
    await city.shots("2026-1", 280, 0)
    incident = await city.shots("2026-2", 900, 900, state="open")
    permit = await city.looks(city.operator)
    with pytest.raises(NotFound):
        await city.look(city.operator, incident=IncidentId(incident.parts[0].part_id))
    await city.told("2026-1", state="closed")
    await city.watching.turn()
    assert [permits for permits, _ in city.cuts] == [(permit,)]


async def test_an_officer_looks_while_the_own_unit_is_sent_there(city: Watched) -> None:
    with pytest.raises(Refused) as told:
        await city.look(SAM)
    assert told.value.reason == "not_near"
    here = await city.shots("2026-1", 100, 0, units=(unit(city, Status.EN_ROUTE),))
    permit = await city.looks(SAM, incident=here.incident_id)
    await city.watching.turn()
    assert city.cuts == []
    city.later(5)
    await city.told("2026-1", units=(unit(city, Status.CLEARED),))
    await city.watching.turn()
    [(permits, says)] = city.cuts
    assert permits == (permit,)
    assert "not near an incident" in says


async def test_a_longer_look_is_the_same_viewing_and_cut_with_it(city: Watched) -> None:
    permit = await city.looks(city.operator)
    [session] = city.signed_in
    longer = (await city.look(city.operator, session=session)).permit
    beside = (await city.look(city.operator, session=session)).permit
    city.watching.opened(beside, GATE, city.later(1))
    assert (city.watching.count, city.watching.watchers(GATE)) == (2, 2)
    city.signed_in.clear()
    await city.watching.turn()
    assert [permits for permits, _ in city.cuts] == [(permit, longer), (beside,)]


async def test_who_begins_while_others_are_asked_about_is_not_cut(city: Watched) -> None:
    await city.looks(city.operator)
    grants = [(await city.look(person)).permit for person in (city.operator, city.operator)]
    ask = city.watching._who

    async def slow(sessions: Sequence[SessionId]) -> Mapping[SessionId, Person]:
        city.watching.opened(grants[0], GATE, city.clock())
        return await ask(sessions)

    city.watching._who = slow
    await city.watching.turn()
    city.watching._who = ask
    await city.watching.turn()
    assert (city.cuts, city.watching.count) == ([], 2)


async def test_a_picture_that_nobody_permitted_is_cut_at_once(city: Watched) -> None:
    city.watching.opened(4711, GATE, city.clock())
    permit = (await city.look(city.operator)).permit
    city.watching.opened(permit, CameraId("hall"), city.clock())
    late = (await city.look(city.operator)).permit
    city.later(70)
    await city.watching.turn()
    city.watching.opened(late, GATE, city.clock())
    assert [permits for permits, _ in city.cuts] == [(4711,), (permit,), (late,)]
    assert await city.viewings() == []


async def test_what_changed_before_the_token_was_shown_counts(city: Watched) -> None:
    permit = (await city.look(city.operator)).permit
    await city.bring(gate_camera(consent=Consent.REGISTRY_ONLY))
    city.watching.opened(permit, GATE, city.later(5))
    assert [permits for permits, _ in city.cuts] == [(permit,)]


async def test_without_the_ledger_nobody_looks_for_long(
    city: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = await city.looks(city.operator)
    await city.watching.turn()

    async def away(_: object) -> None:
        raise LedgerDown("away")

    with monkeypatch.context() as without:
        without.setattr(city.ledger, "append", away)
        city.later(61)
        with pytest.raises(LedgerDown):
            await city.watching.turn()
        city.watching.doubt()
        assert [permits for permits, _ in city.cuts] == [(permit,)]
        city.watching.closed(permit, city.later(0.1), "cut")
        await city.watching.turn()
        assert city.spool.waiting == 1, "the end is written down all the same"
    [over] = await city.viewings()
    assert over.why_ended == "unsure"
    assert timedelta(seconds=61) > UNSURE_MAX


async def test_a_short_failure_cuts_nobody(city: Watched) -> None:
    await city.looks(city.operator)
    await city.watching.turn()
    city.later(14)
    city.watching.doubt()
    assert city.cuts == []


async def test_a_node_that_fell_ended_viewings_when_they_were_last_seen(city: Watched) -> None:
    permit = await city.looks(city.operator)
    await city.watching.turn()
    city.later(12)
    await city.watching.turn()
    seen = city.clock()
    city.later(600)
    city.start_watching()
    before = city.ledger.status().size
    assert await city.watching.start() == 1
    [over] = await city.viewings()
    assert (over.permit, over.until, over.why_ended) == (permit, seen, "the node fell")
    assert await city.entries(before - 1) == [("act", "permit")]
    assert await city.watching.start() == 0
    assert city.ledger.status().size == before + 1, "nothing to do is no entry"


async def test_hours_close_a_camera_by_the_clock_alone(city: Watched) -> None:
    local = city.clock().astimezone(city.book._zone)
    until = (local + timedelta(minutes=1)).time().replace(second=0, microsecond=0)
    hours = (Hours(days=tuple(range(7)), since=local.time().replace(second=0), until=until),)
    await city.bring(gate_camera(consent=Consent.TIME_WINDOW, hours=hours))
    permit = await city.looks(city.operator)
    await city.watching.turn()
    assert city.cuts == []
    city.later(61)
    await city.watching.turn()
    assert [permits for permits, _ in city.cuts] == [(permit,)]


async def test_rings_are_kept_only_where_the_owner_lets_us_look_and_record(city: Watched) -> None:
    source = StreamSource(protocol="rtsp", url="rtsp://10.0.0.9/1")
    ringed = msgspec.structs.replace(gate_camera(), main=source, ring_s=30.0)
    silent = msgspec.structs.replace(ringed, terms=Terms(may_record=False))
    alarm = msgspec.structs.replace(ringed, consent=Consent.ON_ALARM)
    for one, ring_s in ((ringed, 30.0), (silent, 0.0), (alarm, 0.0)):
        city.book.put(cameras=[one])
        assert [pulled.ring_s for pulled in city.book.pulled()] == [ring_s]
    await city.shots("2026-9", 50, 50)
    await city.book.refresh()
    assert [p.ring_s for p in city.book.pulled()] == [30.0]
    assert city.book.alarmed == {"gate"}
    assert city.book.is_units_place(spot(0, 0), UnitId("2A14")) is False


def unit(city: Watched, status: Status) -> CalledUnit:
    return CalledUnit(unit=UnitId("2A14"), status=status, at=city.clock())
