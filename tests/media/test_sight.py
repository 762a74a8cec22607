"""What a key frame tells of a camera's eye: on drawn streets, coded as a camera codes them."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.codec import AccessUnit, Broken
from farolito.media.sight import look
from farolito.media.usual import Usual, believed
from farolito.model import ImageFault, PictureState
from tests.media import drawn
from tests.media.drawn import DUSK, NIGHT, NOON, sent, street

ROUND = timedelta(minutes=5)
F = ImageFault


def judge(usual: Usual, unit: AccessUnit, at: datetime, **how: bool) -> frozenset[ImageFault]:
    return usual.judge(look(unit), at.hour, at.timestamp(), **how)


def taught(*times: datetime) -> Usual:
    """It has seen its street at these hours."""
    usual = Usual()
    for at in times:
        is_day = at is not NIGHT
        assert judge(usual, sent(street(at), at), at, is_day=is_day) == frozenset()
    return usual


@pytest.mark.parametrize("seed", [8, 17, 46])  # with these it once seemed to have moved at night
def test_a_well_camera_shows_no_fault_by_day_at_dusk_or_at_night(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "_chance", np.random.default_rng(seed))
    usual = Usual()
    for day in range(2):
        for hour in (NOON, NOON + ROUND, DUSK, DUSK + ROUND, NIGHT, NIGHT + ROUND):
            at = hour + timedelta(days=day)
            found = judge(usual, sent(street(at), at), at, is_day=at.hour > 12)
            assert found == frozenset(), at


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (drawn.black, F.BLACK),
        (lambda: drawn.covered(street()), F.OBSTRUCTED),
        (lambda: drawn.blurred(street()), F.BLUR),
        (lambda: street(NOON, 25.0), F.MOVED),
    ],
)
def test_what_is_wrong_with_a_picture_is_found(picture, fault: ImageFault) -> None:  # type: ignore[no-untyped-def]
    usual = taught(NOON - ROUND)
    shown = picture()
    for times in range(3):  # and it is not learnt to be usual
        at = NOON + times * ROUND
        assert judge(usual, sent(shown, at), at) == {fault}
    assert judge(usual, sent(street(), NOON), NOON + 3 * ROUND) == frozenset()


@pytest.mark.parametrize(
    ("picture", "fault"), [(drawn.black, F.BLACK), (lambda: drawn.blurred(street()), F.BLUR)]
)
def test_what_is_wrong_from_the_first_day_is_found_too(picture, fault: ImageFault) -> None:  # type: ignore[no-untyped-def]
    assert judge(Usual(), sent(picture()), NOON) == {fault}


def test_the_night_is_not_taken_for_a_fault() -> None:
    """Where the sun is down a dark picture is one only if the hour is usually lit."""
    dark = sent(drawn.black())
    assert judge(Usual(), dark, NIGHT, is_day=False) == frozenset()
    assert judge(taught(NIGHT), dark, NIGHT + ROUND, is_day=False) == {F.BLACK}


def test_a_frozen_picture_is_found_and_a_still_street_is_not() -> None:
    usual = Usual()
    frozen = sent(street())
    units = [sent(street(), NOON + i * ROUND) for i in range(3)] + [frozen, frozen]
    found = [judge(usual, unit, NOON + i * ROUND) for i, unit in enumerate(units)]
    assert found == [frozenset()] * 4 + [{F.FROZEN}]
    again = [judge(usual, frozen, NOON + 5 * ROUND + timedelta(seconds=s)) for s in (0, 10)]
    assert again == [{F.FROZEN}, frozenset()]  # two pictures of a moment may be alike


def test_what_turns_is_not_judged_by_where_it_looked() -> None:
    usual = taught(NOON)
    assert judge(usual, sent(street(NOON, 90.0)), NOON + ROUND, turns=True) == frozenset()


def test_a_fault_needs_two_of_three_pictures_to_begin_and_to_end() -> None:
    blur, well = frozenset({F.BLUR}), frozenset[ImageFault]()
    shown = [well, blur, well, blur, blur, well, blur, well, well]
    told = []
    before = well
    for end in range(1, len(shown) + 1):
        before = believed(before, tuple(shown[max(0, end - 3) : end]))
        told.append(bool(before))
    assert told == [False, False, False, True, True, True, True, False, False]
    assert sum(a != b for a, b in pairwise(told)) == 2


def test_what_is_usual_outlasts_the_process_and_nothing_else_is_taken_for_it() -> None:
    kept = taught(NOON - ROUND).to_bytes()
    assert len(kept) < 2_500
    again = Usual.of_bytes(kept)
    assert judge(again, sent(street(NOON, 25.0)), NOON) == {F.MOVED}
    assert Usual.of_bytes(kept[:-1]).to_bytes() == Usual().to_bytes()


def test_a_still_is_judged_as_a_key_frame_is() -> None:
    ok, jpeg = cv2.imencode(".jpg", street())
    assert ok
    sight = look(AccessUnit(jpeg.tobytes(), 0, 0, True, "jpeg"))
    assert (sight.width, sight.height) == drawn.SIZE
    assert sight.sharpness == pytest.approx(look(sent(street())).sharpness, rel=0.3)


def test_a_sight_holds_no_picture() -> None:
    """A few figures: 144 directions, 64 sums over random halves, and nothing that grows with it."""
    sight = look(sent(street()))
    assert len(sight.edges) == 144
    assert set(sight.edges) <= set(range(8)) | {15}
    assert len(sight.sums) == 64
    rest = (sight.mean, sight.contrast, sight.sharpness, sight.flat, sight.width, sight.height)
    assert len(rest) + 2 == len(sight)
    assert np.isfinite(rest).all()


def test_looking_writes_no_file() -> None:
    """In a process that may write no byte to any file, memory files and /dev/shm included."""
    code = (
        "import resource, sys; from farolito.codec import AccessUnit; "
        "from farolito.media.sight import look; "
        "data = sys.stdin.buffer.read(); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
        "print(look(AccessUnit(data, 0, 0, True)).width)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], input=sent(street()).data, capture_output=True, check=True
    )
    assert ran.stdout.split() == [b"640"]


@cache
def key() -> bytes:
    return sent(street()).data


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 10_000), st.booleans())
def test_noise_is_a_picture_or_broken(noise: bytes, at: int, is_jpeg: bool) -> None:
    whole = key()
    at %= len(whole)
    for data in (noise, whole[:at] + noise, whole[: at // 20] + noise + whole[at // 20 :]):
        assert how(data, is_jpeg) in {None, *_WRONG}


_WRONG = {PictureState.MALFORMED, PictureState.NOT_A_PICTURE, PictureState.TOO_MUCH}


def how(data: bytes, is_jpeg: bool) -> PictureState | None:
    try:
        look(AccessUnit(data, 0, 0, True, "jpeg" if is_jpeg else "h264"))
    except Broken as why:
        return why.state
    return None
