"""The clock that a camera writes into its own picture, read where it can be read surely.

No font is known beforehand. What changes once a second, and looks the same again ten seconds later,
is the last digit; the moment at which its left neighbour changes too is its 0. So the clip itself
teaches the ten digits, and with them the others are read. Whatever does not fit, second by second,
for the whole span, is "not readable": a wrong clock in evidence is worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from farolito.codec import mp4_read
from farolito.codec.fmp4 import TIMESCALE

SPAN_S = (12.5, 22.0)  # of a clip: what is needed at least, and what is looked at
FPS_MAX = 15.0  # more pictures tell no more
STRIP = 0.14  # of the height, at the top and at the bottom: where clocks stand
CHANGED = 40  # grey levels; coding noise is less
IN_STEP = 0.97  # how well changes keep to one moment of the second, 0 to 1
SAME, APART = 0.85, 0.1  # likeness of a digit to its own pattern, and how far behind the next is
DAY_S = 86_400

Grey = NDArray[np.uint8]
Line = NDArray[np.float32]
_DIGITS = 10
_HEIGHT_PX = (6, 90)  # height of a digit


class Reading(msgspec.Struct, frozen=True):
    """`shown_s`: seconds since midnight that the picture's clock begins to show at `at_s`, seconds
    of the clip. `received_us`: our clock then. `exact_s`: how exactly the moment is known."""

    shown_s: int
    at_s: float
    received_us: int
    exact_s: float


class _Cell(NamedTuple):
    left: int
    right: int
    top: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left


class _Guess(NamedTuple):
    """The digit most like what stands at `at`, how like, and how far ahead of the next one."""

    likeness: float
    digit: int
    margin: float
    at: int


def read_clock(clip: Path) -> Reading | None:
    """Blocking: decodes some 20 s. None where there is no clock, or it is not readable surely."""
    raw = clip.read_bytes()
    told = sorted(unit.at / TIMESCALE for unit in mp4_read.units(raw))
    clocks = [
        (one.at / TIMESCALE, one.received_us) for one in mp4_read.fragments(raw) if one.received_us
    ]
    if not clocks or told[-1] - told[0] < SPAN_S[0]:
        return None
    times, pictures = _sampled(clip, told)
    for strip in (np.s_[: int(STRIP * len(pictures[0]))], np.s_[-int(STRIP * len(pictures[0])) :]):
        found = read_strip([picture[strip] for picture in pictures], times)
        if found is not None:
            shown_s, at_s = found
            # The picture that came with the least delay tells best when it was.
            offset_us = min(us - round(at * 1e6) for at, us in clocks)
            exact_s = float(np.median(np.diff(times)))
            return Reading(shown_s, at_s, offset_us + round(at_s * 1e6), exact_s)
    return None


def read_strip(pictures: Sequence[Grey], times: NDArray[np.float64]) -> tuple[int, float] | None:
    """What the clock begins to show, seconds since midnight, and at which of `times`."""
    stack = np.stack(pictures)
    found = _last_digit(stack, times)
    if found is None:
        return None
    cell, phase = found
    lines, begins = _lines(stack, times, cell, phase)
    if len(lines) < SPAN_S[0] - 1:
        return None
    learnt = _learn(lines, cell)
    if learnt is None:
        return None
    patterns, pitch = learnt
    shown = [_read(line, cell, pitch, patterns) for line in lines]
    first = shown[0]
    if first is None or any(one != (first + n) % DAY_S for n, one in enumerate(shown)):
        return None
    return first, begins[0]


def _sampled(clip: Path, told: Sequence[float]) -> tuple[NDArray[np.float64], list[Grey]]:
    import cv2

    video = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    times: list[float] = []
    pictures: list[Grey] = []
    for at in told:
        if not video.grab() or at - told[0] > SPAN_S[1]:
            break
        if times and at - times[-1] < 1 / FPS_MAX - 1e-6:
            continue
        ok, picture = video.retrieve()
        if not ok:
            break
        times.append(at)
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False))
    video.release()
    return np.array(times), pictures


def _last_digit(stack: Grey, times: NDArray[np.float64]) -> tuple[_Cell, float] | None:
    """Where samples change once a second in step, and at which part of the second."""
    span = times[-1] - times[0]
    count = np.zeros(stack.shape[1:], np.float32)
    turn = np.zeros(stack.shape[1:], np.complex64)
    for before, after, at in zip(stack, stack[1:], times[1:], strict=False):
        changed = np.abs(after.astype(np.int16) - before) > CHANGED
        count += changed
        turn[changed] += np.exp(2j * np.pi * at)
    steady = (count >= 3) & (count <= span + 1) & (np.abs(turn) >= IN_STEP * np.maximum(count, 1))
    if steady.sum() < 8:
        return None
    together = turn[steady].sum()
    phase = np.angle(together) / (2 * np.pi)
    lag = np.abs(np.angle(turn * np.conj(together))) / (2 * np.pi)
    cell = _densest(steady & (lag < 0.06))
    if cell is None or not _HEIGHT_PX[0] <= cell.bottom - cell.top <= _HEIGHT_PX[1]:
        return None
    return (cell, float(phase % 1)) if 0.3 <= cell.width / (cell.bottom - cell.top) <= 1.3 else None


def _densest(mask: NDArray[np.bool_]) -> _Cell | None:
    """The box around the largest patch of the mask."""
    import cv2

    joined = cv2.dilate(mask.astype(np.uint8), np.ones((3, 5), np.uint8))
    count, labels, _boxes, _ = cv2.connectedComponentsWithStats(joined)
    if count < 2:
        return None
    best = max(range(1, count), key=lambda n: int(mask[labels == n].sum()))
    rows, columns = np.nonzero(mask & (labels == best))
    return _Cell(int(columns.min()), int(columns.max()) + 1, int(rows.min()), int(rows.max()) + 1)


def _lines(
    stack: Grey, times: NDArray[np.float64], cell: _Cell, phase: float
) -> tuple[list[Line], list[float]]:
    """The row of text as it was in each whole second, and when that second began."""
    first = np.floor(times[0] - phase) + 1 + phase
    lines, begins = [], []
    for begin in np.arange(first, times[-1] - 0.8, 1.0):
        inside = (times > begin + 0.15) & (times < begin + 0.85)
        if not inside.any():
            return [], []
        lines.append(np.median(stack[inside, cell.top : cell.bottom], axis=0).astype(np.float32))
        begins.append(float(begin))
    return lines, begins


def _learn(lines: Sequence[Line], cell: _Cell) -> tuple[list[Line], int] | None:
    """The ten digits' patterns, and how far one digit stands from the next."""
    zero = _zero(lines, cell)
    if zero is None:
        return None
    seen: list[list[Line]] = [[] for _ in range(_DIGITS)]
    for n, line in enumerate(lines):
        seen[(n - zero) % _DIGITS].append(line[:, cell.left : cell.right])
    if not all(seen):
        return None
    patterns = [np.mean(one, axis=0).astype(np.float32) for one in seen]
    if any(_like(one, patterns[n]) < SAME for n, group in enumerate(seen) for one in group):
        return None
    pitches = range(int(0.8 * cell.width), int(2.2 * cell.width) + 1)
    found = [
        (float(np.mean([_best(line, cell.left - by, patterns).likeness for line in lines])), by)
        for by in pitches
    ]
    likeness, pitch = max(found)
    return (patterns, pitch) if likeness >= SAME else None


def _zero(lines: Sequence[Line], cell: _Cell) -> int | None:
    """The number, modulo ten, of the seconds that end in 0: then the digit before changes too."""
    window = np.s_[:, max(cell.left - 2 * cell.width, 0) : max(cell.left - 1, 0)]
    moved = [
        n
        for n in range(1, len(lines))
        if (np.abs(lines[n][window] - lines[n - 1][window]) > CHANGED).sum() >= 4
    ]
    rests = {n % _DIGITS for n in moved}
    expected = len({n for n in range(1, len(lines)) if rests and n % _DIGITS in rests})
    return rests.pop() if len(rests) == 1 and expected == len(moved) else None


def _read(line: Line, cell: _Cell, pitch: int, patterns: Sequence[Line]) -> int | None:
    """Hours, minutes and seconds of a line, as seconds since midnight; None where one digit is not
    surely what it seems."""
    guess = _best(line, cell.left, patterns)
    guesses = [guess]
    for colon in (False, True, False, True, False):  # a colon is as wide as it likes
        low, high = (1.2 * pitch, 2.6 * pitch) if colon else (pitch - 1.0, pitch + 1.0)
        places = range(round(guess.at - high), round(guess.at - low) + 1)
        guess = max(_best(line, at, patterns) for at in places)
        guesses.append(guess)
    if any(one.likeness < SAME or one.margin < APART for one in guesses):
        return None
    s1, s0, m1, m0, h1, h0 = (one.digit for one in guesses)
    hours, minutes, seconds = 10 * h0 + h1, 10 * m0 + m1, 10 * s0 + s1
    fits = hours < 24 and minutes < 60 and seconds < 60
    return hours * 3600 + minutes * 60 + seconds if fits else None


def _best(line: Line, at: int, patterns: Sequence[Line]) -> _Guess:
    part = line[:, max(at, 0) : max(at, 0) + patterns[0].shape[1]]
    likeness = sorted(((_like(part, one), n) for n, one in enumerate(patterns)), reverse=True)
    (first, digit), (second, _) = likeness[:2]
    return _Guess(first if at >= 0 else -1.0, digit, first - second, at)


def _like(a: Line, b: Line) -> float:
    """Normalised correlation, −1 to 1; 0 where one is flat."""
    if a.shape != b.shape:
        return -1.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-3 else 0.0
