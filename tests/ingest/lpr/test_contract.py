"""What every adapter promises, asked of each with each of its samples.

A sample stands beside its adapter in `samples/<format>/`, named `good_…` or `bad_…`; beside it a
`.expected` file says what must come out. A new sample without one gets it written when the tests
run with FAROLITO_WRITE_EXPECTED=1: the test still fails, until somebody has read the file.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import farolito.ingest.lpr as room
from farolito.ingest.lpr import FORMATS, Decoded
from farolito.ingest.lpr.moment import AGE_MAX, AHEAD_MAX
from farolito.ingest.lpr.pictures import PICTURE_BYTES_MAX, PICTURES_MAX
from farolito.ingest.lpr.report import EVENT_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from farolito.model import AgencyId, Device, DeviceId, Point, Rejected
from farolito.model.plate_read import CANDIDATES_MAX
from farolito.model.plates import is_normal

SAMPLES = Path(room.__file__).parent / "samples"
RECEIVED_AT = datetime(2026, 3, 14, 17, 21, 0, tzinfo=UTC)
CONTENT_TYPES = {".json": "application/json", ".xml": "application/xml"}
NOISE_TYPES = ("", "application/json", "application/xml", "multipart/form-data; boundary=b")

ALL = sorted(path for path in SAMPLES.glob("*/*") if path.suffix != ".expected")


def name_of(sample: Path) -> str:
    return f"{sample.parent.name}/{sample.name}"


def device_for(word: str) -> Device:
    return Device(
        device_id=DeviceId("mesa-at-third-eb"),
        agency=AgencyId("practice-pd"),
        kind="plate_reader",
        name="Mesa @ Third, eastbound",
        format=word,
        place=Point(35.1, -106.6),
        zone="America/Denver",
    )


def expected_beside(sample: Path) -> Path:
    return sample.with_name(sample.name + ".expected")


def content_type_of(sample: Path) -> str:
    """As its .expected says, else by the file's ending."""
    beside = expected_beside(sample)
    if beside.exists():
        return str(json.loads(beside.read_text())["content_type"])
    return CONTENT_TYPES.get(sample.suffix, "")


def decode(word: str, body: bytes, content_type: str) -> Decoded:
    return FORMATS[word].decode(body, content_type, device_for(word), RECEIVED_AT)


def outcome(sample: Path) -> dict[str, Any]:
    """What comes out, as JSON has it; pictures by their names."""
    content_type = content_type_of(sample)
    try:
        got = decode(sample.parent.name, sample.read_bytes(), content_type)
    except Rejected as error:
        told = {"reason": error.reason, "status": error.status, "says": error.says}
        return {"content_type": content_type, "rejected": told}
    whole = msgspec.to_builtins(got) | {"pictures": sorted(got.pictures)}
    return {"content_type": content_type, "decoded": json.loads(msgspec.json.encode(whole))}


def assert_promises_kept(got: Decoded) -> None:
    for read in got.reads:
        assert is_normal(read.plate)
        assert 0 < len(read.text) <= TEXT_CHARACTERS_MAX
        assert read.text.isprintable()
        assert 0 < len(read.event) <= EVENT_CHARACTERS_MAX
        assert read.event.isprintable()
        assert read.captured_at.utcoffset() == timedelta(0)
        assert RECEIVED_AT - AGE_MAX <= read.captured_at <= RECEIVED_AT + AHEAD_MAX
        assert read.place is not None
        assert (read.place.lat, read.place.lon) != (0, 0)
        assert read.confidence is None or 0 <= read.confidence <= 1
        assert read.state is None or len(read.state) == 2
        assert len(read.candidates) <= CANDIDATES_MAX
        assert len(read.pictures) <= PICTURES_MAX
        assert {picture.sha256 for picture in read.pictures} <= got.pictures.keys()
    assert all(len(content) <= PICTURE_BYTES_MAX for content in got.pictures.values())


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_every_adapter_brings_good_and_bad_samples(word: str) -> None:
    names = [path.name for path in (SAMPLES / word).iterdir()]
    assert any(name.startswith("good_") for name in names)
    assert any(name.startswith("bad_") for name in names)
    assert word == FORMATS[word].NAME


@pytest.mark.parametrize("sample", ALL, ids=name_of)
def test_a_sample_gives_what_stands_beside_it(sample: Path) -> None:
    beside, got = expected_beside(sample), outcome(sample)
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
        assert got["rejected"]["status"] in {400, 413, 415, 422}


@pytest.mark.parametrize("sample", ALL, ids=name_of)
def test_the_same_bytes_give_the_same_reads(sample: Path) -> None:
    assert outcome(sample) == outcome(sample)


GOOD = [path for path in ALL if path.name.startswith("good_")]


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_reads_have_a_place_on_earth_and_a_time_that_may_be(sample: Path) -> None:
    assert_promises_kept(decode(sample.parent.name, sample.read_bytes(), content_type_of(sample)))


def survive(word: str, body: bytes, content_type: str) -> None:
    try:
        got = decode(word, body, content_type)
    except Rejected:
        return
    assert_promises_kept(got)


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_a_message_cut_short_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    body, content_type = sample.read_bytes(), content_type_of(sample)
    for end in range(0, len(body), max(1, len(body) // 97)):
        survive(sample.parent.name, body[:end], content_type)


@pytest.mark.parametrize("word", sorted(FORMATS))
@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300), content_type=st.sampled_from(NOISE_TYPES))
def test_noise_raises_nothing_but_a_rejection(word: str, body: bytes, content_type: str) -> None:
    survive(word, body, content_type)


@pytest.mark.parametrize("word", sorted(FORMATS))
@settings(max_examples=80, deadline=None)
@given(chance=st.data())
def test_a_mutated_sample_raises_nothing_but_a_rejection(word: str, chance: st.DataObject) -> None:
    sample = chance.draw(st.sampled_from([path for path in GOOD if path.parent.name == word]))
    body = bytearray(sample.read_bytes())
    for _ in range(chance.draw(st.integers(1, 4))):
        at = chance.draw(st.integers(0, len(body)))
        gone = chance.draw(st.integers(0, 9))
        body[at : at + gone] = chance.draw(st.binary(max_size=9))
    survive(word, bytes(body), content_type_of(sample))


# Values that break field handling where random bytes never reach.
ODD_VALUES: list[Any] = [
    None, True, -1, 0, 1e308, -1e308, 1e18, 2**63, "", "null", "nan", "inf", "-0", "\x00", "\x1f",
    "A\nB", "９９", "ß", "*", "x" * 5000, [], [[]], {}, {"value": 1}, "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-03-14T17:20:31.1234567891Z",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(*path, key) for key, _ in inner]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in inner:
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


@pytest.mark.parametrize("sample", [path for path in GOOD if path.suffix == ".json"], ids=name_of)
def test_an_odd_value_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    whole = json.loads(sample.read_bytes())
    for path in places(whole)[:80]:
        for odd in ODD_VALUES:
            copy = json.loads(sample.read_bytes())
            here = copy
            for key in path[:-1]:
                here = here[key]
            here[path[-1]] = odd
            survive(sample.parent.name, json.dumps(copy).encode(), "application/json")


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_deep_nesting_is_rejected(word: str) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b"<a>" * 100_000):
        with pytest.raises(Rejected):
            decode(word, body, "")


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_a_content_type_of_another_kind_is_415(word: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(word, b"", "text/html")
    assert (caught.value.reason, caught.value.status) == ("wrong_content_type", 415)


@pytest.mark.parametrize("word", sorted(FORMATS))
def test_a_body_of_50_mb_is_413(word: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(word, b" " * 50_000_000, "")
    assert (caught.value.reason, caught.value.status) == ("too_large", 413)
