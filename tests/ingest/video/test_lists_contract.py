"""What every format of a camera register promises, asked of each with each of its samples.

A sample stands in `samples/<format>/`, named `good_…` or `bad_…` (bad as a whole; rows may be wrong
in a good one), with `.expected` beside it; a format that goes by a mapping has its `mapping.yaml`
there. FAROLITO_WRITE_EXPECTED=1 writes what is missing; the test still fails until it is read.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import farolito.ingest.video as room
from farolito.ingest.video import lists, mapping
from farolito.ingest.video.entry import TEXT_CHARACTERS_MAX, URL_CHARACTERS_MAX, About
from farolito.ingest.video.lists.json_text import FILE_BYTES_MAX
from farolito.ingest.video.register import BAD_KEPT_MAX, Register, read_list, read_register
from farolito.model import AgencyId, OwnerId, Rejected

SAMPLES = Path(room.__file__).parent / "samples"
ABOUT = About(agency=AgencyId("practice-pd"))
FORMATS = sorted((*lists.FORMATS, *mapping.FORMATS))
ALL = sorted(
    path
    for path in SAMPLES.glob("*/*")
    if path.suffix != ".expected" and path.name != "mapping.yaml"
)
GOOD = [path for path in ALL if path.name.startswith("good_")]


def name_of(sample: Path) -> str:
    return f"{sample.parent.name}/{sample.name}"


@cache
def mapping_of(word: str) -> mapping.Mapping:
    return mapping.load_mapping(SAMPLES / word / "mapping.yaml")


def read(word: str, body: bytes) -> Register:
    if word in lists.FORMATS:
        about = msgspec.structs.replace(ABOUT, owner=OwnerId("nysdot")) if word == "511" else ABOUT
        return read_list(word, body, about)
    return read_register(body, mapping_of(word), ABOUT)


def outcome(sample: Path) -> dict[str, Any]:
    """What comes out, as JSON has it, without what is as it is by default."""
    try:
        got = read(sample.parent.name, sample.read_bytes())
    except Rejected as error:
        return {"reason": error.reason, "status": error.status, "says": error.says}
    return {
        "rows": got.rows,
        "bad": [list(msgspec.structs.astuple(row)) for row in got.bad],
        "out_of_service": list(got.out_of_service),
        "owners": json.loads(msgspec.json.encode(got.owners)),
        "logins": json.loads(msgspec.json.encode(got.logins)),
        "cameras": [
            {k: v for k, v in json.loads(msgspec.json.encode(camera)).items() if v}
            for camera in got.cameras
        ],
    }


def assert_promises_kept(got: Register) -> None:
    assert got.rows == len(got.cameras) + got.bad_count
    assert len(got.bad) == min(got.bad_count, BAD_KEPT_MAX)
    assert len({camera.camera_id for camera in got.cameras}) == len(got.cameras)
    for camera in got.cameras:
        assert len(camera.name) <= TEXT_CHARACTERS_MAX
        assert camera.name == "" or camera.name.isprintable()
        assert camera.place is None or (camera.place.lat, camera.place.lon) != (0, 0)
        for url in (camera.snapshot_url, camera.onvif_url):
            assert not url or url.startswith(("http://", "https://"))
        for source in filter(None, (camera.main, camera.sub)):
            assert len(source.url) <= 2 * URL_CHARACTERS_MAX
            assert "@" not in source.url.partition("://")[2].partition("/")[0]
    assert all(row.reason.isidentifier() for row in got.bad)


def survive(word: str, body: bytes) -> None:
    try:
        got = read(word, body)
    except Rejected:
        return
    assert_promises_kept(got)


@pytest.mark.parametrize("word", FORMATS)
def test_every_format_brings_good_and_bad_samples(word: str) -> None:
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
    assert ("cameras" in got) == sample.name.startswith("good_")


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_the_same_bytes_give_the_same_cameras_and_keep_the_limits(sample: Path) -> None:
    got = read(sample.parent.name, sample.read_bytes())
    assert_promises_kept(got)
    assert got == read(sample.parent.name, sample.read_bytes())


@pytest.mark.parametrize("sample", GOOD, ids=name_of)
def test_a_list_cut_short_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    body = sample.read_bytes()
    for end in range(0, len(body), max(1, len(body) // 25)):
        survive(sample.parent.name, body[:end])


@settings(max_examples=80, deadline=None)
@given(word=st.sampled_from(FORMATS), body=st.binary(max_size=300))
def test_noise_raises_nothing_but_a_rejection(word: str, body: bytes) -> None:
    survive(word, body)


@settings(max_examples=80, deadline=None)
@given(chance=st.data())
def test_a_mutated_sample_raises_nothing_but_a_rejection(chance: st.DataObject) -> None:
    sample = chance.draw(st.sampled_from(GOOD))
    body = bytearray(sample.read_bytes())
    for _ in range(chance.draw(st.integers(1, 4))):
        at = chance.draw(st.integers(0, len(body)))
        body[at : at + chance.draw(st.integers(0, 9))] = chance.draw(st.binary(max_size=9))
    survive(sample.parent.name, bytes(body))


# Values that break field handling where random bytes never reach.
ODD_VALUES: list[Any] = [
    None, True, -1, 1e308, 10**40, "", "nan", "-inf", "\x00", "A\nB", "９９", "x" * 5000, [], {},
    "rtsp://[::1", "http://a:b@c@d/", "http://h:99999/", "JAVASCRIPT:1", "1e999",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    found = []
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


@pytest.mark.parametrize(
    "sample", [p for p in GOOD if p.suffix in {".json", ".geojson"}], ids=name_of
)
def test_an_odd_value_anywhere_raises_nothing_but_a_rejection(sample: Path) -> None:
    text = sample.read_bytes()
    for n, path in enumerate(places(json.loads(text))[:40]):
        for odd in ODD_VALUES[n % 4 :: 4]:
            whole = json.loads(text)
            here = whole
            for key in path[:-1]:
                here = here[key]
            here[path[-1]] = odd
            survive(sample.parent.name, json.dumps(whole).encode())


@pytest.mark.parametrize("word", ["csv", "511"])
def test_a_list_that_is_too_large_is_413(word: str) -> None:
    with pytest.raises(Rejected) as caught:
        read(word, b" " * (FILE_BYTES_MAX + 1))
    assert caught.value.status == 413
