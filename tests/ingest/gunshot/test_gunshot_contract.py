"""What both formats of this room promise, asked of each with each of its samples.

A sample stands in `samples/<format>/`, named `good_…` or `bad_…`; of a sensor it is what its seal
holds. Beside it a `.expected` file says what must come out. A new sample without one gets it
written when the tests run with FAROLITO_WRITE_EXPECTED=1: the test still fails, until somebody
has read the file.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import farolito.ingest.gunshot as room
from farolito.ingest.gunshot import farolito, vendor, wire
from farolito.ingest.gunshot.decoded import Heard, Told
from farolito.model import BANDS_HZ, Rejected
from tests.ingest.gunshot.sensor_builders import NOW, RIDGE, VENDOR

SAMPLES = Path(room.__file__).parent / "samples"
FORMATS = ("farolito", "vendor")
ALL = sorted(path for path in SAMPLES.glob("*/*") if path.suffix != ".expected")
GOOD = [path for path in ALL if path.name.startswith("good_")]


def name_of(sample: Path) -> str:
    return f"{sample.parent.name}/{sample.name}"


def decode(word: str, body: bytes) -> Heard | Told:
    if word == "farolito":
        return farolito.decode(body, RIDGE, NOW)
    return vendor.decode(body, "application/json", VENDOR, NOW)


def outcome(sample: Path) -> dict[str, Any]:
    """What comes out, as JSON has it; sounds by their names, bytes left out."""
    try:
        got = decode(sample.parent.name, sample.read_bytes())
    except Rejected as error:
        told = {"reason": error.reason, "status": error.status, "says": error.says}
        return {"rejected": told}
    whole = msgspec.to_builtins(got)
    if isinstance(got, Heard):
        whole["sounds"] = sorted(got.sounds)
    else:
        whole["alerts"] = [
            {name: value for name, value in alert.items() if name != "body"}
            for alert in whole["alerts"]
        ]
    return {"decoded": json.loads(msgspec.json.encode(whole))}


def assert_promises_kept(got: Heard | Told) -> None:
    if isinstance(got, Heard):
        assert_heard(got)
    else:
        assert_told(got)


def assert_heard(got: Heard) -> None:
    assert len({one.impulse_id for one in got.impulses}) == len(got.impulses) <= wire.PULSES_MAX
    for impulse in got.impulses:
        age_s = (NOW - impulse.onset_at).total_seconds()
        assert -farolito.AHEAD_S_MAX <= age_s <= farolito.LATE_S_MAX
        assert impulse.onset_at.utcoffset() == timedelta(0)
        assert len(impulse.bands_db) in {0, len(BANDS_HZ)}
        assert (impulse.sensor, impulse.agency) == (RIDGE.device_id, RIDGE.agency)
    for report in got.reports:
        assert report.place is None or (report.place.lat, report.place.lon) != (0, 0)
        assert report.at.utcoffset() == timedelta(0)
    assert {clip.sha256 for clip in got.clips} == got.sounds.keys() == set(got.answers.values())
    for clip in got.clips:
        assert 0 < clip.seconds <= wire.CLIP_S_MAX
        assert len(got.sounds[clip.sha256]) <= wire.CLIP_BYTES_MAX


def assert_told(got: Told) -> None:
    assert len(got.alerts) <= vendor.ALERTS_MAX
    for alert in got.alerts:
        assert alert.track.startswith(f"vendor:{VENDOR.device_id}:")
        assert alert.told_at.utcoffset() == timedelta(0)
        assert alert.address.isprintable()
        assert len(alert.note) <= vendor.TEXT_CHARACTERS_MAX
        if alert.shot is None:
            assert alert.cancelled
            continue
        shot = alert.shot
        assert sum(shot.kinds.values()) == pytest.approx(1)
        assert all(share > 0 for share in shot.kinds.values())
        assert (shot.place.lat, shot.place.lon) != (0, 0)
        assert shot.discharged_at.utcoffset() == timedelta(0)
        assert NOW - vendor.AGE_MAX <= shot.discharged_at <= NOW + vendor.AHEAD_MAX
        assert 1 <= len(shot.rounds) <= vendor.ROUNDS_MAX
        assert shot.because[0].startswith("the vendor says")


@pytest.mark.parametrize("word", FORMATS)
def test_each_format_brings_good_and_bad_samples(word: str) -> None:
    names = [path.name for path in (SAMPLES / word).iterdir()]
    assert any(name.startswith("good_") for name in names)
    assert any(name.startswith("bad_") for name in names)


@pytest.mark.parametrize("sample", ALL, ids=name_of)
def test_a_sample_gives_what_stands_beside_it(sample: Path) -> None:
    beside, got = sample.with_name(sample.name + ".expected"), outcome(sample)
    if not beside.exists() and os.environ.get("FAROLITO_WRITE_EXPECTED") == "1":
        beside.write_text(json.dumps(got, indent=1, ensure_ascii=False) + "\n")
        pytest.fail(f"written: {beside.name}; read it, then run the test again")
    assert beside.exists(), "run once with FAROLITO_WRITE_EXPECTED=1 and read what it wrote"
    assert got == json.loads(beside.read_text())


@pytest.mark.parametrize("sample", ALL, ids=name_of)
def test_a_good_sample_is_taken_and_a_bad_one_is_rejected_by_name(sample: Path) -> None:
    got = outcome(sample)
    if sample.name.startswith("good_"):
        assert "decoded" in got
    else:
        assert got["rejected"]["reason"].isidentifier()
        assert got["rejected"]["status"] in {413, 415, 422}


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_the_same_bytes_give_the_same_values_within_the_limits(sample: Path) -> None:
    first, second = (decode(sample.parent.name, sample.read_bytes()) for _ in range(2))
    assert first == second
    assert_promises_kept(first)


def survive(word: str, body: bytes) -> None:
    try:
        got = decode(word, body)
    except Rejected:
        return
    assert_promises_kept(got)


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_a_message_cut_short_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    body = sample.read_bytes()
    for end in range(0, len(body), max(1, len(body) // 97)):
        survive(sample.parent.name, body[:end])


@pytest.mark.parametrize("word", FORMATS)
@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300))
def test_noise_raises_nothing_but_a_rejection(word: str, body: bytes) -> None:
    survive(word, body)


@pytest.mark.parametrize("word", FORMATS)
@settings(max_examples=120, deadline=None)
@given(chance=st.data())
def test_a_mutated_sample_raises_nothing_but_a_rejection(word: str, chance: st.DataObject) -> None:
    sample = chance.draw(st.sampled_from([path for path in GOOD if path.parent.name == word]))
    body = bytearray(sample.read_bytes())
    for _ in range(chance.draw(st.integers(1, 4))):
        at = chance.draw(st.integers(0, len(body)))
        gone = chance.draw(st.integers(0, 9))
        body[at : at + gone] = chance.draw(st.binary(max_size=9))
    survive(word, bytes(body))


# Values that break field handling where random bytes never reach.
ODD_VALUES: list[Any] = [
    None, True, -1, 0, 1e308, -1e308, 1e18, 2**63, "", "null", "nan", "inf", "-0", "\x00", "\x1f",
    "A\nB", "９９", "ß", "*", "x" * 5000, [], [[]], {}, {"value": 1}, "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.9999-14:00", "2026-11-23T09:59:59.1234567891Z", 10**17 - 1,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    inner = list(value.items() if isinstance(value, dict) else enumerate(value))
    found = [(*path, key) for key, _ in inner]
    for key, child in inner:
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


def put(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(whole))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_an_odd_value_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    whole = json.loads(sample.read_bytes())
    for path in places(whole)[:60]:
        for odd in ODD_VALUES:
            survive(sample.parent.name, json.dumps(put(whole, path, odd)).encode())
