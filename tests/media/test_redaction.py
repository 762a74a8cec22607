"""What a box covers is gone from the second clip, and the rest is there at its own time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from farolito.codec import mp4_read
from farolito.codec.encoder import Encoder
from farolito.media.redaction import picture_at, redact
from farolito.model import Invalid
from farolito.model.box import Box, BoxKey
from tests.media import street

Grey = NDArray[np.float64]


def encoder(width: int, height: int, fps: float) -> Encoder:
    return Encoder(width, height, fps, qp=20)


def shown(path: Path) -> list[Grey]:
    video = cv2.VideoCapture(str(path))
    found: list[Grey] = []
    while True:
        ok, picture = video.read()
        if not ok:
            return found
        found.append(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64))


def fine(part: Grey) -> Grey:
    """What is left of a part without its slow changes."""
    return part - cv2.GaussianBlur(part, (0, 0), 3)


def walking() -> Box:
    """Over the grain: it walks 2 samples a picture, every 100 ms."""
    w, h = 64 / street.WIDTH, 64 / street.HEIGHT
    first = BoxKey(0, 40 / street.WIDTH, 64 / street.HEIGHT, w, h)
    last = BoxKey(1900, 78 / street.WIDTH, 64 / street.HEIGHT, w, h)
    return Box((first, last))


def test_nothing_of_what_a_box_covered_survives_and_the_rest_does(tmp_path: Path) -> None:
    source = street.write(tmp_path / "a.mp4")
    before = source.read_bytes()
    told: list[tuple[int, int]] = []
    made = redact(
        source, tmp_path / "b.mp4", [walking()], encoder, lambda n, of: told.append((n, of))
    )

    assert source.read_bytes() == before
    assert told[-1] == (20, 20)
    assert made.frames == 20
    originals, hidden = shown(source), shown(tmp_path / "b.mp4")
    assert len(hidden) == len(originals)
    for n, (was, now) in enumerate(zip(originals, hidden, strict=True)):
        inside = np.s_[64:128, 40 + 2 * n : 104 + 2 * n]
        assert fine(was[inside]).std() > 40
        assert fine(now[inside]).std() < 1
        assert now[inside].std() < 2, "one colour"
        outside = np.ones(was.shape, bool)
        outside[48:144, 16:208] = False
        assert np.abs(was - now)[outside].mean() < 3


def test_every_picture_keeps_its_own_time_and_our_clock(tmp_path: Path) -> None:
    source = street.write(tmp_path / "a.mp4")
    redact(source, tmp_path / "b.mp4", [walking()], encoder, lambda n, of: None)
    was, now = source.read_bytes(), (tmp_path / "b.mp4").read_bytes()
    assert [u.at for u in mp4_read.units(now)] == [u.at for u in mp4_read.units(was)]
    clocks = [one.received_us or 0 for one in mp4_read.fragments(now)]
    assert clocks[0] == street.START_US


def test_a_box_is_there_from_its_first_key_to_its_last_and_no_longer(tmp_path: Path) -> None:
    source = street.write(tmp_path / "a.mp4")
    box = Box((BoxKey(450, 0.0, 0.0, 1.0, 1.0), BoxKey(1000, 0.0, 0.0, 1.0, 1.0)))
    redact(source, tmp_path / "b.mp4", [box], encoder, lambda n, of: None)
    covered = [n for n, one in enumerate(shown(tmp_path / "b.mp4")) if one.std() < 2]
    assert covered == [4, 5, 6, 7, 8, 9, 10], "the picture of 400 ms is still shown at 450"


def test_the_picture_of_a_moment_is_the_one_on_screen_then(tmp_path: Path) -> None:
    source = street.write(tmp_path / "a.mp4", 30)
    all_shown = shown(source)
    for asked, number, begins in ((0, 0, 0), (229, 1, 100), (230, 2, 230), (99_999, 29, 2930)):
        at, jpeg = picture_at(source, asked)
        assert at == pytest.approx(begins, abs=0.1)
        found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert found is not None
        assert np.abs(found - all_shown[number]).mean() < 4


def test_a_clip_that_cannot_be_decoded_to_its_end_is_not_passed_off_as_redacted(
    tmp_path: Path,
) -> None:
    source = street.write(tmp_path / "a.mp4")
    raw = bytearray(source.read_bytes())
    last = list(mp4_read.fragments(bytes(raw)))[-1]
    (tmp_path / "cut.mp4").write_bytes(raw[: last.end - 40])
    with pytest.raises(Invalid):
        redact(tmp_path / "cut.mp4", tmp_path / "b.mp4", [walking()], encoder, lambda n, of: None)


@pytest.mark.parametrize(
    "keys",
    [
        (),
        (BoxKey(5, 0, 0, 0.5, 0.5), BoxKey(5, 0, 0, 0.5, 0.5)),
        (BoxKey(5, 0, 0, 0.5, 0.5), BoxKey(4, 0, 0, 0.5, 0.5)),
    ],
)
def test_a_box_needs_keys_in_the_order_of_time(keys: tuple[BoxKey, ...]) -> None:
    with pytest.raises(Invalid):
        Box(keys)


fractions = st.floats(0, 0.9)


@given(
    st.lists(st.tuples(fractions, fractions), min_size=2, max_size=5),
    st.floats(0, 500),
    st.floats(1, 500),
)
def test_a_box_covers_every_place_it_passes_while_a_picture_is_shown(
    corners: list[tuple[float, float]], start: float, lasting: float
) -> None:
    box = Box(tuple(BoxKey(100.0 * n, x, y, 0.1, 0.1) for n, (x, y) in enumerate(corners)))
    covers = box.at(start, start + lasting)
    for step in range(11):
        moment = box.at(start + lasting * step / 11, start + lasting * step / 11 + 1e-6)
        if moment is not None:
            assert covers is not None
            assert covers[0] <= moment[0] + 1e-6
            assert covers[2] >= moment[2] - 1e-6
            assert covers[1] <= moment[1] + 1e-6
            assert covers[3] >= moment[3] - 1e-6
