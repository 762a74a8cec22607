"""What callers and the dispatch centre say is plausible, and the same each time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from farolito.geo import Geocoder, distance_m
from farolito.ingest.cad import FORMATS
from farolito.ingest.signature import Signer, verified
from farolito.model import CallKind, CallState, Device, DeviceId, Level, UnitStatus
from farolito.simulator.cad_message import CadMessage, posted_heartbeat, posted_update
from farolito.simulator.calls import BY_KIND, KINDS, SECOND_CALLER_M
from farolito.simulator.score import CallScore, pairs_of, score_calls
from tests.simulator.conftest import START
from tests.simulator.shift import Shift, played

SECRET = "whsec_" + "cHJhY3RpY2UgcHJhY3RpY2UgcHJhY3RpY2UhIQ=="


@pytest.fixture(scope="module")
def shift() -> Shift:
    return played(START, minutes=90)


def test_the_same_seed_and_start_make_the_same_shift(shift: Shift) -> None:
    again = played(START, minutes=10)
    assert again.messages == shift.messages[: len(again.messages)]
    assert again.fixes == shift.fixes[: len(again.fixes)]
    assert played(START, minutes=5, seed=8).messages != again.messages[:5]


def test_calls_come_in_a_citys_proportions(shift: Shift) -> None:
    assert 60 < len(shift.events) < 130
    kinds = {t.kind for t in shift.truths}
    assert len(kinds) >= 10
    assert CallKind.OFFICER_DOWN not in kinds
    urgent = sum(k.share for k in KINDS if k.level is Level.P1) / sum(k.share for k in KINDS)
    assert 0.15 < urgent < 0.35


def test_the_first_call_is_the_persons_and_grows_while_the_car_drives(shift: Shift) -> None:
    first, second = shift.told("story-1")
    opened = first[0]
    after_s = (opened.sent_at - shift.start) / timedelta(seconds=1)
    assert after_s <= 20
    assert opened.taken_at is not None
    assert opened.taken_at < opened.sent_at
    assert opened.priority is Level.P1
    status = {
        unit.status: (message.sent_at - opened.sent_at) / timedelta(seconds=1)
        for message in reversed(first)
        for unit in message.units or ()
        if unit.unit == "2A14"
    }
    assert status[UnitStatus.ASSIGNED] < 5
    assert 90 < status[UnitStatus.ON_SCENE] < 200
    assert UnitStatus.CLEARED in status
    on_the_way = [
        m
        for m in (*first, *second)
        if m.sent_at < opened.sent_at + timedelta(seconds=status[UnitStatus.ON_SCENE])
    ]
    facts = [
        any(m.hazards for m in on_the_way),
        any(v.plate for m in on_the_way for v in m.vehicles or ()),
        any(m.going for m in on_the_way),
        any(len(m.units or ()) > 1 for m in on_the_way),
        second[0].sent_at > opened.sent_at,
    ]
    assert all(facts), facts
    seen, otherwise = (m.vehicles[0].colour for m in (opened, second[0]) if m.vehicles)
    assert seen != otherwise


def test_the_person_gets_a_call_every_few_minutes(shift: Shift) -> None:
    first_told = [v[0].at for k, v in shift.events.items() if k.startswith("story-")]
    gaps_s = [(b - a) / timedelta(seconds=1) for a, b in pairwise(sorted(first_told))]
    assert len(first_told) > 12
    assert all(120 < gap < 600 for gap in gaps_s)


def test_the_car_of_the_first_call_passes_a_reader_while_the_unit_drives(shift: Shift) -> None:
    truth = shift.events["story-1"][0]
    passed = next(h.truth for h in shift.world.happenings() if h.truth.cue == "called")
    assert (passed.plate, passed.state) == (truth.plate, truth.state)
    assert passed.listed
    assert timedelta(seconds=30) < passed.at - truth.at < timedelta(seconds=90)


def test_a_second_caller_stands_close_by_and_calls_later(shift: Shift) -> None:
    twice = [calls for calls in shift.events.values() if len(calls) > 1]
    assert len(twice) >= 5
    for one, other in (calls[:2] for calls in twice):
        assert one.number != other.number
        assert timedelta(0) < other.at - one.at < timedelta(minutes=2)
        assert other.told is not None
        metres = distance_m((one.place.lat, one.place.lon), (other.told.lat, other.told.lon))
        assert SECOND_CALLER_M[0] - 1 <= metres <= SECOND_CALLER_M[1] + 1
    marked = {m.number: m.duplicate_of for m in shift.messages if m.duplicate_of}
    event_of = {t.number: t.event for t in shift.truths}
    assert all(event_of[a] == event_of[b] for a, b in marked.items())
    assert 0 < len(marked) < len(twice)


def test_times_of_a_call_are_in_order(shift: Shift) -> None:
    steps = list(UnitStatus)
    for messages in shift.calls.values():
        assert [m.sent_at for m in messages] == sorted(m.sent_at for m in messages)
        assert messages[0].state is CallState.OPEN
        assert messages[0].taken_at is not None
        assert messages[0].taken_at < messages[0].sent_at
        reached: dict[str, int] = {}
        for message in messages:
            if message.state is CallState.OPEN:
                reached = {}
            for unit in message.units or ():
                assert unit.at <= message.sent_at
                assert steps.index(unit.status) >= reached.get(unit.unit, 0)
                reached[unit.unit] = steps.index(unit.status)
            ids = [n.note_id for m in messages for n in m.notes]
        assert len(ids) == len(set(ids))


def test_urgent_calls_wait_less_for_a_car(shift: Shift) -> None:
    waits: dict[Level, list[float]] = {level: [] for level in Level}
    for messages in shift.calls.values():
        sent = next((m for m in messages if m.units), None)
        level = messages[0].priority
        if sent is not None and level is not None:
            waits[level].append((sent.sent_at - messages[0].sent_at) / timedelta(seconds=1))
    middle = {level: sorted(w)[len(w) // 2] for level, w in waits.items() if w}
    assert middle[Level.P1] < 15
    assert middle[Level.P1] < middle[Level.P2] < middle[Level.P3]


def test_no_unit_is_on_two_calls_at_once(shift: Shift) -> None:
    on: dict[str, str] = {}
    for message in shift.messages:
        for unit in message.units or ():
            if unit.status is UnitStatus.CLEARED:
                if on.get(unit.unit) == message.number:
                    del on[unit.unit]
            else:
                assert on.setdefault(unit.unit, message.number) == message.number


def test_a_unit_stands_at_the_call_when_it_says_so(shift: Shift) -> None:
    place = {t.number: t.place for t in shift.truths}
    told = 0
    for message in shift.messages:
        for unit in message.units or ():
            if unit.status is not UnitStatus.ON_SCENE or unit.at != message.sent_at:
                continue
            step = int((unit.at - shift.start) / timedelta(seconds=5)) + 1
            if step >= len(shift.fixes):
                continue
            fix = next(f for f in shift.fixes[step] if f.unit == unit.unit)
            at = place[message.number]
            assert distance_m((fix.lat, fix.lon), (at.lat, at.lon)) < 90
            assert fix.speed_mps == 0
            told += 1
    assert told > 60


def test_the_odd_ones_happen(shift: Shift) -> None:
    lost = [t for t in shift.truths if t.told is None]
    assert lost
    for truth in lost:
        found = [m for m in shift.calls[truth.number] if m.place is not None]
        sent = [m for m in shift.calls[truth.number] if m.units]
        assert found
        assert not sent or sent[0].sent_at > found[0].sent_at
    wrong = [
        t for t in shift.truths
        if t.told and distance_m((t.told.lat, t.told.lon), (t.place.lat, t.place.lon)) > 1_500
    ]  # fmt: skip
    assert wrong
    away = [m for m in shift.messages if m.transferred_to]
    assert away
    assert all(m.state is CallState.TRANSFERRED for m in away)
    assert all(not any(m.units for m in shift.calls[one.number]) for one in away)
    states = [[m.state for m in messages if m.state] for messages in shift.calls.values()]
    assert any(s == ["open", "closed", "open", "closed"] for s in states)


def test_premise_flags_say_since_when_and_until_when_and_some_have_run_out(shift: Shift) -> None:
    flags = [(m, h) for m in shift.messages for h in m.hazards]
    assert len(flags) >= 8
    assert all(h.as_of < m.sent_at and h.source and h.expires_at for m, h in flags)
    held = [h.expires_at is not None and h.expires_at > m.sent_at for m, h in flags]
    assert any(held)


def test_addresses_are_on_the_practice_map(shift: Shift) -> None:
    geocoder = Geocoder(shift.world.street_map)
    wrong = {t.number for t in shift.truths if t.told != t.place and t.told is not None}
    told = [m for m in shift.messages if m.address and m.place and m.number not in wrong]
    assert len(told) > 50
    for message in told:
        assert message.address is not None
        assert message.place is not None
        found = geocoder.find(message.address)
        near = [f for f in found if distance_m(f.at, (message.place.lat, message.place.lon)) < 120]
        assert near, message.address


def test_no_caller_names_a_person(shift: Shift) -> None:
    words = " ".join(n.says for m in shift.messages for n in m.notes)
    assert "{" not in words
    assert not re.search(r"\b(MR|MRS|MS|NAMED)\b", words)


def test_the_door_reads_every_message_as_it_was_meant(shift: Shift) -> None:
    device = Device(
        device_id=DeviceId("cad"), agency=shift.world.config.agency, kind="cad", name="CAD",
        format="cloudevents",
    )  # fmt: skip
    adapter = FORMATS["cloudevents"]
    for number, message in enumerate(shift.messages):
        at = message.sent_at
        posted = posted_update(message, number, SECRET, at)
        decoded = adapter.decode(posted.body, posted.headers["Content-Type"], device, at)
        assert not decoded.rejected
        assert not decoded.flaws
        (update,) = decoded.updates
        for field in (
            "number",
            "sent_at",
            "kind",
            "priority",
            "state",
            "place",
            "units",
            "vehicles",
            "duplicate_of",
            "transferred_to",
            "notes",
            "hazards",
            "going",
        ):
            assert getattr(update, field) == getattr(message, field), field
        assert not update.doubts
    beat = posted_heartbeat(SECRET, START)
    assert adapter.decode(beat.body, beat.headers["Content-Type"], device, START).heartbeat


def test_the_door_knows_whose_message_it_is_and_when_it_was_told_twice(shift: Shift) -> None:
    device = Device(
        device_id=DeviceId("cad"), agency=shift.world.config.agency, kind="cad", name="CAD",
        format="cloudevents",
    )  # fmt: skip
    signer, now = Signer(device, SECRET), datetime.now(UTC)
    marks = []
    for number, message in enumerate(shift.messages[:50]):
        posted = posted_update(message, number, SECRET, now)
        again = posted_update(message, number, SECRET, now + timedelta(seconds=3))
        marks.append(verified(signer, posted.body, posted.headers))
        assert verified(signer, again.body, again.headers) == marks[-1]
    assert len(set(marks)) == 50


def test_what_is_not_told_is_left_out_of_the_message() -> None:
    body = msgspec.json.encode(CadMessage(number="26-1", sent_at=START))
    assert set(msgspec.json.decode(body)) == {"number", "sent_at"}


def test_the_score_counts_pairs_of_calls(shift: Shift) -> None:
    right = pairs_of([[t.number for t in calls] for calls in shift.events.values()])
    assert score_calls(shift.truths, right) == CallScore(joined=len(right), missed=0, wrong=0)
    strangers = pairs_of([[calls[0].number for calls in shift.events.values()][:3]])
    found = score_calls(shift.truths, strangers | pairs_of([["elsewhere-1", "elsewhere-2"]]))
    assert found == CallScore(joined=0, missed=len(right), wrong=3)


def test_every_kind_has_words_for_its_callers() -> None:
    from farolito.simulator.caller_words import SAYS

    assert set(BY_KIND) == set(SAYS)
