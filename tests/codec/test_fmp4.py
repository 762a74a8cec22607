"""What goes into an MP4 file comes out as it was, for us and for another's decoder."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.codec import AccessUnit, mp4_read
from farolito.codec.fmp4 import CLIP_HEAD_BYTES, Fragmenter, Writer, init_of, ticks_of
from farolito.codec.h264 import annex_b, nals
from farolito.model import Invalid
from tests.codec import pcm


def clip(units: list[AccessUnit]) -> bytes:
    writer = Writer(units[0])
    body = b"".join([writer.add(unit) for unit in units] + [writer.finish()])
    return writer.head() + body


def grey(level: int, width: int = 64, height: int = 48) -> pcm.Picture:
    return np.full((height, width), level, np.uint8)


def decoded(path: Path) -> list[tuple[float, int]]:
    """When each picture is shown, ms, and how bright it is in its corner."""
    video = cv2.VideoCapture(str(path))
    found: list[tuple[float, int]] = []
    while True:
        ok, picture = video.read()
        if not ok:
            return found
        found.append((video.get(cv2.CAP_PROP_POS_MSEC), int(picture[2, 2].mean())))


@pytest.mark.parametrize("profile", [66, 100])
def test_a_clip_holds_its_units_unchanged_at_their_true_times(profile: int, tmp_path: Path) -> None:
    units = pcm.stream([grey(40), grey(120), grey(200)], gop=4, profile=profile)
    late = [
        unit._replace(media_us=unit.media_us + (33_333 if n >= 6 else 0))
        for n, unit in enumerate(units)
    ]
    (tmp_path / "a.mp4").write_bytes(raw := clip(late))

    back = list(mp4_read.units(raw))
    assert [unit.data for unit in back] == [unit.data for unit in late]
    assert [unit.at for unit in back] == [ticks_of(unit.media_us) for unit in late]
    assert [unit.is_key for unit in back] == [unit.is_key for unit in late]
    shown = decoded(tmp_path / "a.mp4")
    assert [at for at, _ in shown] == pytest.approx([u.media_us / 1000 for u in late], abs=0.02)
    assert [bright for _, bright in shown][::4] == sorted({bright for _, bright in shown})


def test_each_fragment_tells_our_clock_and_the_file_tells_where_they_are() -> None:
    units = pcm.stream([grey(40), grey(120), grey(200)], gop=4)
    raw = clip(units)
    found = list(mp4_read.fragments(raw))
    assert [one.received_us for one in found] == [u.received_us for u in units if u.is_key]
    assert [one.units for one in found] == [4, 4, 4]
    assert found[0].start == CLIP_HEAD_BYTES
    assert all(one.end == after.start for one, after in pairwise(found))


def test_a_camera_that_changes_its_size_is_still_decoded(tmp_path: Path) -> None:
    first = pcm.stream([grey(40)], gop=3)
    then = pcm.stream([grey(200, 128, 96)], gop=3, start_us=120_000)
    (tmp_path / "a.mp4").write_bytes(raw := clip([*first, *then]))
    assert [unit.data for unit in mp4_read.units(raw)] == [u.data for u in (*first, *then)]
    assert [bright > 150 for _, bright in decoded(tmp_path / "a.mp4")] == [False] * 3 + [True] * 3


def test_pictures_sent_before_those_they_follow_keep_their_time() -> None:
    units = pcm.stream([grey(40)], gop=4)
    swapped = [0, 120_000, 40_000, 80_000]  # as B frames come
    sent = [unit._replace(media_us=at) for unit, at in zip(units, swapped, strict=True)]
    back = list(mp4_read.units(clip(sent)))
    assert [unit.at for unit in back] == [ticks_of(at) for at in swapped]


def test_fragments_for_live_viewers_join_into_a_file_that_plays(tmp_path: Path) -> None:
    units = pcm.stream([grey(40), grey(200)], gop=3)
    maker = Fragmenter()
    parts = [maker.fragment(u.data, ticks_of(u.media_us), u.is_key) for u in units]
    (tmp_path / "a.mp4").write_bytes(init_of(units[0].data) + b"".join(parts))
    assert [at for at, _ in decoded(tmp_path / "a.mp4")] == pytest.approx(
        [u.media_us / 1000 for u in units], abs=0.02
    )


def test_a_clip_begins_at_a_key_frame() -> None:
    with pytest.raises(Invalid, match="key frame"):
        Writer(pcm.stream([grey(40)])[1])


@given(
    st.lists(
        st.tuples(st.integers(0, 2**40), st.binary(min_size=1, max_size=40), st.booleans()),
        max_size=20,
    )
)
@settings(max_examples=60)
def test_whatever_the_times_and_bytes_a_file_comes_of_it(
    told: list[tuple[int, bytes, bool]],
) -> None:
    first = pcm.stream([grey(40)], gop=1)[0]
    rest = [
        AccessUnit(annex_b([b"\x41" + content]), at, max(at, 1), is_key)
        for at, content, is_key in told
    ]
    back = list(mp4_read.units(clip([first, *rest])))
    assert len(back) == 1 + len(rest)
    assert [nals(one.data)[-1] for one in back[1:]] == [nals(one.data)[-1] for one in rest]


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_file_is_refused_or_read_and_never_falls(data: st.DataObject) -> None:
    raw = bytearray(clip(pcm.stream([grey(40, 16, 16)], gop=3)))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        list(mp4_read.units(cut))
        list(mp4_read.fragments(cut))
        mp4_read.size_of(cut)
    except Invalid:
        pass
