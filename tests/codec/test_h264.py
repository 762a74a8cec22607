"""H.264 is cut and read right, and a camera that lies in it ends in one named error."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from farolito.codec import Broken
from farolito.codec.encoder import Encoder
from farolito.codec.h264 import (
    annex_b,
    codec_string,
    is_b_slice,
    is_key,
    nals,
    parameter_sets,
    size_of,
)
from farolito.codec.sps import PIXELS_MAX, SPS_BYTES_MAX, read_sps
from farolito.model import PictureState
from tests.codec.sps_builder import Writer, sps

SPS = sps()
PPS = b"\x68\xce\x3c\x80"
KEY = b"\x65\x88\x84\x00\x33"
DELTA = b"\x41\x9a\x21\x6c"


def slice_of(kind: int, first: int = 0) -> bytes:
    return Writer().ue(first, kind).u(0, 20).nal(b"\x41")


def test_a_unit_is_cut_at_start_codes_of_three_and_of_four_bytes() -> None:
    unit = b"\x00\x00\x00\x01" + SPS + b"\x00\x00\x01" + PPS + b"\x00\x00\x00\x00\x01" + KEY
    assert nals(unit) == [SPS, PPS, KEY]
    assert nals(b"junk" + unit + b"\x00\x00\x01") == [SPS, PPS, KEY]
    assert nals(b"no start code") == []


@given(st.lists(st.sampled_from([SPS, PPS, KEY, DELTA]), min_size=1, max_size=9))
def test_what_was_put_together_comes_apart_the_same(parts: list[bytes]) -> None:
    assert nals(annex_b(parts)) == parts


def test_parameter_sets_and_key_pictures_are_found_behind_a_delimiter() -> None:
    unit = annex_b([b"\x09\x10", SPS, PPS, KEY])
    assert parameter_sets(unit) == (SPS, PPS)
    assert is_key(unit)
    assert parameter_sets(annex_b([SPS, KEY])) is None
    assert not is_key(annex_b([DELTA]))


@pytest.mark.parametrize("kind", range(10))
def test_a_b_slice_is_told_from_the_others(kind: int) -> None:
    assert is_b_slice(slice_of(kind)) is (kind in (1, 6))
    assert is_b_slice(slice_of(kind, first=65_000)) is (kind in (1, 6))


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 360), (352, 288), (2560, 1440)])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("profile", [66, 77, 100])
def test_the_size_is_the_one_that_is_shown(
    size: tuple[int, int], interlaced: bool, profile: int
) -> None:
    assert size_of(sps(*size, profile, interlaced=interlaced, scaling=True, reorder=2)) == size


@pytest.mark.parametrize("chroma", [0, 1, 2, 3])
def test_the_unit_of_cropping_depends_on_the_colour(chroma: int) -> None:
    assert size_of(sps(1916, 1076, 244, chroma=chroma)) == (1916, 1076)


def test_ffmpeg_sees_the_size_that_we_see(tmp_path: Path) -> None:
    coded = Encoder(150, 86, 25.0).encode(np.full((129, 150), 128, np.uint8))
    (tmp_path / "one.h264").write_bytes(coded.annex_b)
    decoded, picture = cv2.VideoCapture(str(tmp_path / "one.h264")).read()
    assert decoded
    assert size_of(coded.nals[0]) == (picture.shape[1], picture.shape[0]) == (150, 86)


@pytest.mark.parametrize(
    ("made", "reorder"),
    [
        (sps(reorder=2), 2),
        (sps(reorder=0), 0),
        (sps(reorder=40), None),
        (sps(), None),
        (sps(profile=66), 0),
        (sps(order=2), 0),
        (sps(order=1), None),
        (sps(profile=100, constraints=0x10), 0),
        (sps(reorder=2)[:-6], None),
    ],
    ids=["said", "none", "absurd", "unsaid", "baseline", "order 2", "order 1", "intra", "cut"],
)
def test_reordering_is_known_where_the_camera_or_its_profile_says_it(
    made: bytes, reorder: int | None
) -> None:
    assert read_sps(made).reorder == reorder


def test_a_browser_hears_the_codec_in_its_own_words() -> None:
    assert codec_string(sps(profile=66, constraints=0xC0)) == "avc1.42C01F"


@pytest.mark.parametrize(
    "lie",
    [
        sps(macroblocks=(1025, 10), crop=(0, 0, 0, 1)),
        sps(macroblocks=(1000, 1000), crop=(0, 0, 0, 1)),
        sps(crop=(400, 400, 0, 0)),
        sps()[:5],
        b"\x67" + b"\x00" * 900,
        b"\x67\x64\x00\x1f" + b"\xff" * SPS_BYTES_MAX,
        Writer().ue(0, 4, 1).u(0, 1).se(0).se(0).ue(4_000_000).nal(b"\x67\x4d\x00\x1f"),
        PPS,
        b"",
    ],
    ids=["wide", "large", "cropped away", "cut", "zeros", "long", "endless", "no set", "empty"],
)
def test_a_parameter_set_that_lies_is_malformed(lie: bytes) -> None:
    with pytest.raises(Broken) as broken:
        read_sps(lie)
    assert broken.value.state is PictureState.MALFORMED


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([66, 77, 100, 244]))
@example(b"\x00" * 100, 100)
def test_no_parameter_set_does_worse_than_to_be_malformed(tail: bytes, profile: int) -> None:
    try:
        read = read_sps(bytes((0x67, profile, 0, 31)) + tail)
    except Broken:
        return
    assert 0 < read.width * read.height <= PIXELS_MAX


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd_to_be_cut(raw: bytes) -> None:
    for nal in nals(raw):
        is_b_slice(nal)
    parameter_sets(raw)
    is_key(raw)
