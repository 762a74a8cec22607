"""What every format of calls promises, asked of each with each of its samples.

A sample stands in `samples/<format>/` beside the formats, named `good_…` or `bad_…`; beside it a
`.expected` file says what must come out. A new sample without one gets it written when the tests
run with FAROLITO_WRITE_EXPECTED=1: the test still fails, until somebody has read the file.
"""

from __future__ import annotations

import contextlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import farolito.ingest.cad as room
from farolito.ingest.cad import FORMATS, Decoded
from farolito.ingest.cad.report import (
    AHEAD_MAX,
    HAZARDS_MAX,
    NOTE_CHARACTERS_MAX,
    NOTES_MAX,
    TEXT_CHARACTERS_MAX,
    UNITS_MAX,
    VEHICLES_MAX,
)
from farolito.model import CallUpdate, Rejected
from tests.ingest.cad.cad_builders import CAD, NOW

SAMPLES = Path(room.__file__).parent / "samples"
ALL = sorted(path for path in SAMPLES.glob("*/*") if path.suffix != ".expected")
GOOD = [path for path in ALL if path.name.startswith("good_")]


def name_of(sample: Path) -> str:
    return f"{sample.parent.name}/{sample.name}"


def decode(word: str, body: bytes, content_type: str = "application/json") -> Decoded:
    return FORMATS[word].decode(body, content_type, CAD, NOW)


def outcome(sample: Path) -> dict[str, Any]:
    """What comes out, as JSON has it, without what was not told."""
    try:
        got = decode(sample.parent.name, sample.read_bytes())
    except Rejected as error:
        return {"rejected": {"reason": error.reason, "status": error.status, "says": error.says}}
    whole = json.loads(msgspec.json.encode(got))
    whole["updates"] = [
        {name: value for name, value in update.items() if value not in (None, [])}
        for update in whole["updates"]
    ]
    return {"decoded": whole}


def assert_promises_kept(got: Decoded) -> None:
    for update in got.updates:
        assert update.agency == CAD.agency
        assert (update.told_at, update.source) == (NOW, CAD.device_id)
        assert update.sent_at <= NOW + AHEAD_MAX
        assert len(update.units or ()) <= UNITS_MAX
        assert len(update.notes) <= NOTES_MAX
        assert len(update.vehicles or ()) <= VEHICLES_MAX
        assert len(update.hazards) <= HAZARDS_MAX
        assert_times_may_be(update)
        for note in update.notes:
            assert 0 < len(note.says) <= NOTE_CHARACTERS_MAX
        texts = (update.address, update.people, update.kind_says, update.ori)
        assert all(0 < len(text) <= TEXT_CHARACTERS_MAX for text in texts if text is not None)
        kept = msgspec.json.encode(update)
        assert b"\\u0000" not in kept
        assert msgspec.json.decode(kept, type=CallUpdate) == update


def assert_times_may_be(update: CallUpdate) -> None:
    times = [update.sent_at, update.taken_at, *(unit.at for unit in update.units or ())]
    times += [note.at for note in update.notes] + [hazard.as_of for hazard in update.hazards]
    for at in times:
        assert at is None or (at.utcoffset() == timedelta(0) and at <= NOW + AHEAD_MAX)


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_every_format_brings_good_and_bad_samples(word: str) -> None:
    names = [path.name for path in (SAMPLES / word).iterdir()]
    assert any(name.startswith("good_") for name in names)
    assert any(name.startswith("bad_") for name in names)
    assert word == FORMATS[word].NAME


@pytest.mark.parametrize("sample", ALL, ids=name_of)
def test_a_sample_gives_what_stands_beside_it(sample: Path) -> None:
    beside, got = sample.with_name(sample.name + ".expected"), outcome(sample)
    if not beside.exists() and os.environ.get("FAROLITO_WRITE_EXPECTED") == "1":
        beside.write_text(json.dumps(got, indent=1, ensure_ascii=False) + "\n")
        pytest.fail(f"written: {beside.name}; read it, then run the test again")
    assert beside.exists(), "run once with FAROLITO_WRITE_EXPECTED=1 and read what it wrote"
    assert got == json.loads(beside.read_text())
    assert got == outcome(sample), "the same bytes, the same calls"


@pytest.mark.parametrize("sample", ALL, ids=name_of)
def test_a_good_sample_is_taken_and_a_bad_one_is_rejected_by_name(sample: Path) -> None:
    if sample.name.startswith("good_"):
        assert_promises_kept(decode(sample.parent.name, sample.read_bytes()))
    else:
        got = outcome(sample)
        assert got["rejected"]["reason"].isidentifier()
        assert got["rejected"]["status"] in {413, 415, 422}


def survive(word: str, body: bytes, content_type: str = "application/json") -> None:
    with contextlib.suppress(Rejected):
        assert_promises_kept(decode(word, body, content_type))


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_a_message_cut_short_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    body = sample.read_bytes()
    for end in range(0, len(body), max(1, len(body) // 97)):
        survive(sample.parent.name, body[:end])


@pytest.mark.parametrize("word", sorted(FORMATS))
@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=300),
    content_type=st.sampled_from(["", "application/json", "text/plain", "application/x+json"]),
)
def test_noise_raises_nothing_but_a_rejection(word: str, body: bytes, content_type: str) -> None:
    survive(word, body, content_type)


@pytest.mark.parametrize("word", sorted(FORMATS))
@settings(max_examples=50, deadline=None)
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
    None, True, -1, 0, 1e308, -1e308, 2**63, "", "null", "nan", "\x00", "\ud800", "A\nB", "９９",
    "<![CDATA[", "<![x[", "&#xD800;", "x" * 5000, [], [[]], {}, {"$ref": {}}, {"value": [1]},
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-14T17:20:31.1234567891Z",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    inner = list(value.items() if isinstance(value, dict) else enumerate(value))
    found = [(*path, key) for key, _ in inner]
    for key, child in inner:
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_an_odd_value_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    whole = json.loads(sample.read_bytes())
    for path in places(whole)[:60]:
        for odd in ODD_VALUES:
            copy = json.loads(sample.read_bytes())
            here = copy
            for key in path[:-1]:
                here = here[key]
            here[path[-1]] = odd
            survive(sample.parent.name, json.dumps(copy).encode())


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_deep_nesting_is_rejected(word: str) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b'{"data":' + b"[" * 100_000):
        with pytest.raises(Rejected):
            decode(word, body)


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_a_content_type_of_another_kind_is_415(word: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(word, b"", "text/html")
    assert (caught.value.reason, caught.value.status) == ("wrong_content_type", 415)


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_a_body_of_50_mb_is_413(word: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(word, b" " * 50_000_000)
    assert (caught.value.reason, caught.value.status) == ("too_large", 413)


def test_a_batch_of_more_calls_than_the_limit_is_refused_whole() -> None:
    body = b"[" + b",".join([b'{"number":"1","sent_at":"2026-11-23T10:00:00Z"}'] * 1001) + b"]"
    with pytest.raises(Rejected) as caught:
        decode("farolito", body)
    assert (caught.value.reason, caught.value.status) == ("too_many", 413)
