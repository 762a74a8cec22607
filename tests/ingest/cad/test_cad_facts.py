"""What holds for every CAD: clocks, numbers, texts, kinds, statuses, signs of life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from farolito.ingest.cad import farolito
from farolito.ingest.cad.heartbeat import Heartbeats
from farolito.ingest.cad.kinds import kind_of
from farolito.ingest.cad.report import NOTE_CHARACTERS_MAX, NOTES_MAX
from farolito.ingest.cad.statuses import call_state_of, unit_status_of
from farolito.model import CallKind, CallState, CallUpdate, Doubt, Level, UnitStatus
from tests.ingest.cad.cad_builders import CAD, NOW, call


def told(**more: Any) -> CallUpdate:
    body = msgspec.json.encode(call(**more))
    return farolito.decode(body, "application/json", CAD, NOW).updates[0]


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_clock_an_hour_ahead_is_put_right_and_doubted() -> None:
    units = [{"unit": "2A14", "status": "assigned", "at": at(59)}]
    update = told(sent_at=at(60), taken_at=at(58), units=units)
    assert update.sent_at == NOW
    assert update.taken_at == at(-2), "moved back by as much as the clock is ahead"
    assert update.units is not None
    assert update.units[0].at == at(-1)
    assert update.doubts == (Doubt.CLOCK_SKEW,)


def test_a_clock_an_hour_behind_is_doubted_and_keeps_its_order() -> None:
    update = told(sent_at=at(-60))
    assert (update.sent_at, update.doubts) == (at(-60), (Doubt.CLOCK_SKEW,))


@pytest.mark.parametrize("minutes", [-20, -1, 0, 1.5])
def test_a_clock_that_drifts_a_little_is_believed(minutes: float) -> None:
    update = told(sent_at=at(minutes))
    assert (update.sent_at, update.doubts) == (at(minutes), ())


@pytest.mark.parametrize("sent_at", ["1970-01-01T00:00:07Z", "9999-12-31T23:59:59Z"])
def test_a_clock_that_was_never_set_is_replaced_by_ours(sent_at: str) -> None:
    update = told(sent_at=sent_at, taken_at=at(-3))
    assert (update.sent_at, update.taken_at) == (NOW, at(-3))
    assert update.doubts == (Doubt.CLOCK_SKEW,)


def test_one_time_from_the_future_is_brought_back() -> None:
    update = told(taken_at=at(500))
    assert (update.taken_at, update.doubts) == (NOW, (Doubt.CLOCK_SKEW,))


def test_an_endless_number_stays_one_call() -> None:
    first, again = told(number="26-" + "9" * 100), told(number="26-" + "9" * 100)
    other = told(number="26-" + "9" * 101)
    assert first.call_id == again.call_id
    assert first.call_id != other.call_id


def test_a_note_told_again_is_the_same_note() -> None:
    one = {"says": "five shots", "at": at(-1)}
    assert told(notes=[one]).notes == told(notes=[one, one]).notes


def test_the_newest_notes_stay_and_long_ones_are_cut_in_sight() -> None:
    notes = [{"says": f"note {n}", "at": at(-n / 60)} for n in range(NOTES_MAX + 50)]
    kept = told(notes=notes).notes
    assert (len(kept), kept[-1].says) == (NOTES_MAX, "note 0")
    [long] = told(notes=[{"says": "x" * 9_000}]).notes
    assert len(long.says) == NOTE_CHARACTERS_MAX
    assert long.says.endswith("…")


def test_what_cannot_be_shown_or_kept_is_taken_out_of_texts() -> None:
    update = told(address="1 MAIN\x00 ST\n\u202eAPT 2", people="two\tmen")
    assert (update.address, update.people) == ("1 MAIN ST APT 2", "two men")


def test_lower_priorities_are_p3() -> None:
    assert [told(priority=n).priority for n in (1, 2, 3, 7)] == [
        Level.P1, Level.P2, Level.P3, Level.P3,
    ]  # fmt: skip


def test_a_unit_told_twice_counts_by_its_last_word() -> None:
    units = [
        {"unit": "2A14", "status": "assigned", "at": at(-2)},
        {"unit": "2A14", "status": "on_scene", "at": at(-1)},
    ]
    update = told(units=units)
    assert update.units is not None
    assert [(one.unit, one.status) for one in update.units] == [("2A14", UnitStatus.ON_SCENE)]


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("SHOTS FIRED", CallKind.SHOTS_FIRED),
        ("Shots heard", CallKind.SHOTS_FIRED),
        ("SHOTSPOTTER ALERT", CallKind.SHOTS_FIRED),
        ("SHOOTING - VICTIM DOWN", CallKind.SHOOTING),
        ("ACTIVE SHOOTER", CallKind.SHOOTING),
        ("OFFICER DOWN SHOTS FIRED", CallKind.OFFICER_DOWN),
        ("HOLD-UP ALARM", CallKind.ALARM),
        ("ROBBERY IN PROGRESS", CallKind.ROBBERY),
        ("211PC", CallKind.ROBBERY),
        ("RES BURGLARY", CallKind.BURGLARY),
        ("DOMESTIC ASSAULT", CallKind.DOMESTIC),
        ("ASSAULT W/ DEADLY WEAPON", CallKind.WEAPON),
        ("MAN WITH A GUN", CallKind.WEAPON),
        ("VEH PURSUIT", CallKind.PURSUIT),
        ("HIT AND RUN W/INJURY", CallKind.HIT_AND_RUN),
        ("STOLEN VEHICLE", CallKind.STOLEN_VEHICLE),
        ("AUTO THEFT", CallKind.STOLEN_VEHICLE),
        ("TRAFFIC ACCIDENT NO INJ", CallKind.CRASH),
        ("MVA", CallKind.CRASH),
        ("10-50 I", CallKind.CRASH),
        ("10-80", CallKind.PURSUIT),
        ("SUSPICIOUS PERSON", CallKind.SUSPICIOUS),
        ("WELFARE CK", CallKind.WELFARE_CHECK),
        ("STRUCTURE FIRE", CallKind.FIRE),
        ("FIREWORKS", CallKind.OTHER),
        ("SPECIAL DETAIL", CallKind.OTHER),
        ("10-71", CallKind.OTHER),
        ("", CallKind.OTHER),
        ("shots_fired", CallKind.SHOTS_FIRED),
    ],
)
def test_words_mean_what_they_surely_mean(says: str, kind: CallKind) -> None:
    assert kind_of(says) is kind


def test_every_kind_understands_its_own_name() -> None:
    assert all(kind_of(kind.value) is kind for kind in CallKind)


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ("En Route", UnitStatus.EN_ROUTE),
        ("ON SCENE", UnitStatus.ON_SCENE),
        ("on_scene", UnitStatus.ON_SCENE),
        ("Dispatched", UnitStatus.ASSIGNED),
        ("10-8", UnitStatus.CLEARED),
        ("Available", UnitStatus.CLEARED),
        ("AR", None),
        ("", None),
    ],
)
def test_a_units_status_is_known_or_nothing(says: str, status: UnitStatus | None) -> None:
    assert unit_status_of(says) is status


@pytest.mark.parametrize(
    ("says", "state"),
    [
        ("Reopened", CallState.OPEN),
        ("CLOSED", CallState.CLOSED),
        ("Transferred", CallState.TRANSFERRED),
        ("X", None),
    ],
)
def test_a_calls_state_is_known_or_nothing(says: str, state: CallState | None) -> None:
    assert call_state_of(says) is state


def test_a_source_is_late_after_its_own_time_and_not_after_a_sign_of_life() -> None:
    beats = Heartbeats()
    beats.expect("county", 15, since=NOW)
    beats.expect("pueblo", 60, since=NOW)
    assert beats.late(NOW + timedelta(seconds=15)) == []
    assert beats.late(NOW + timedelta(seconds=20)) == [("county", 20.0)]
    beats.beat("county", NOW + timedelta(seconds=20))
    assert beats.late(NOW + timedelta(seconds=30)) == []
    assert beats.late(NOW + timedelta(seconds=90)) == [("pueblo", 90.0), ("county", 70.0)]


def test_a_sign_of_life_told_late_undoes_no_newer_one() -> None:
    beats = Heartbeats()
    beats.expect("county", 15, since=NOW)
    beats.beat("county", NOW + timedelta(seconds=60))
    beats.beat("county", NOW + timedelta(seconds=5))
    assert beats.last("county") == NOW + timedelta(seconds=60)
    assert beats.late(NOW + timedelta(seconds=70)) == []


def test_nobody_is_late_whom_nobody_expects() -> None:
    beats = Heartbeats()
    beats.beat("a-stranger", NOW)
    assert beats.late(NOW + timedelta(days=1)) == []
