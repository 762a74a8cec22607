"""A clock in the picture is read to the second and the moment, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from farolito.codec import AccessUnit
from farolito.codec.encoder import Encoder
from farolito.codec.fmp4 import Writer
from farolito.media.clock_reading import read_clock, read_strip
from farolito.media.redaction import Picture
from farolito.simulator import burnt_in

HEIGHT, WIDTH, FPS = 192, 320, 10
START_US = 1_780_000_000_000_000
Draw = Callable[[Picture, datetime], None]


@cache
def _street() -> tuple[Picture, NDArray[np.int16]]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    luma = 100 + 30 * np.sin(x / 50) + 20 * np.cos(y / 40)
    noise = np.random.default_rng(1).normal(0, 3, (HEIGHT + 16, WIDTH + 16))
    return luma.astype(np.uint8), noise.astype(np.int16)


def ground(n: int) -> Picture:
    """A street by day with a car that passes below the clock, and the noise of a sensor."""
    luma, noise = _street()
    dy, dx = n * 7 % 16, n * 11 % 16
    picture = (luma + noise[dy : dy + HEIGHT, dx : dx + WIDTH]).astype(np.uint8)
    picture[80:110, 3 * n % WIDTH : 3 * n % WIDTH + 40] = 30
    return picture


def bitmap(picture: Picture, at: datetime) -> None:
    burnt_in.stamp(picture, "4th & Central", at)


def printed(picture: Picture, at: datetime) -> None:
    """White letters with a shadow, in a font of another's."""
    text, (x, y) = f"{at:%m/%d/%Y  %H:%M:%S}", (60, HEIGHT - 8)
    for colour, by in ((0, 1), (255, 0)):
        cv2.putText(
            picture, text, (x + by, y + by), cv2.FONT_HERSHEY_DUPLEX, 0.6, colour, 1, cv2.LINE_AA
        )


def seconds_alone(picture: Picture, at: datetime) -> None:
    burnt_in.write(picture, f"UP {at:%S}", (10, 8), 1)


def nothing(picture: Picture, at: datetime) -> None:
    pass


def pictures(draw: Draw, start: datetime, seconds: float, rate: float = 1.0) -> list[Picture]:
    made = []
    for n in range(round(seconds * FPS)):
        picture = ground(n)
        draw(picture, start + timedelta(seconds=n / FPS * rate))
        made.append(picture)
    return made


def clip(path: Path, draw: Draw, shown: datetime, seconds: float = 14.0) -> AccessUnit:
    """Writes it; answers with its last unit."""
    coder = Encoder(WIDTH, HEIGHT, FPS, qp=26)
    writer, body = None, []
    for n, luma in enumerate(pictures(draw, shown, seconds)):
        grey = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        coded = coder.encode(np.vstack([luma, grey]))
        unit = AccessUnit(coded.annex_b, n * 100_000, START_US + n * 100_000, coded.is_key)
        writer = writer or Writer(unit)
        body.append(writer.add(unit))
    assert writer is not None
    body.append(writer.finish())
    path.write_bytes(writer.head() + b"".join(body))
    return unit


@pytest.mark.parametrize("draw", [bitmap, printed])
def test_a_clock_in_the_picture_of_a_clip_is_read_to_the_moment(draw: Draw, tmp_path: Path) -> None:
    shown = datetime(2026, 7, 1, 23, 59, 51, 300_000, UTC)
    clip(tmp_path / "a.mp4", draw, shown)
    reading = read_clock(tmp_path / "a.mp4")
    assert reading is not None
    midnight = shown.replace(hour=0, minute=0, second=0, microsecond=0)
    was = (shown - midnight).total_seconds() + (reading.received_us - START_US) / 1e6
    assert reading.shown_s == pytest.approx(was % 86_400, abs=0.15)
    assert reading.exact_s <= 0.1


@pytest.mark.parametrize(
    ("draw", "rate", "seconds"),
    [(nothing, 1, 14), (seconds_alone, 1, 14), (bitmap, 2, 14), (bitmap, 0, 14), (bitmap, 1, 9)],
)
def test_what_is_no_clock_or_does_not_keep_step_is_not_read(
    draw: Draw, rate: float, seconds: float
) -> None:
    made = pictures(draw, datetime(2026, 7, 1, 12, 0, 3, tzinfo=UTC), seconds, rate)
    times = np.arange(len(made)) / FPS
    for strip in (np.s_[:26], np.s_[-26:]):
        assert read_strip([one[strip] for one in made], times) is None


def test_digits_that_something_covers_for_a_while_are_not_guessed() -> None:
    made = pictures(bitmap, datetime(2026, 7, 1, 12, 34, 3, tzinfo=UTC), 14.0)
    for picture in made[60:90]:
        picture[4:16, 80:92] = 230
    assert read_strip([one[:26] for one in made], np.arange(len(made)) / FPS) is None
