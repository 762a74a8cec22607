"""What hides a part of a clip: a box that follows it, set by hand at some pictures."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec

from farolito.model.errors import Invalid

KEYS_MAX = 1_000  # of one box


class BoxKey(msgspec.Struct, frozen=True):
    """Where a box is at a moment, ms from the clip's beginning; fractions of the picture."""

    at_ms: float
    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        inside = 0 <= self.x < 1 and 0 <= self.y < 1 and 0 < self.w <= 1 and 0 < self.h <= 1
        if not (inside and math.isfinite(self.at_ms) and self.at_ms >= 0):
            raise Invalid("a box outside the picture", "give fractions of the picture, 0 to 1")


class Box(msgspec.Struct, frozen=True):
    """Between two keys it moves and grows evenly; it is there from its first to its last."""

    keys: tuple[BoxKey, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.keys) <= KEYS_MAX:
            raise Invalid(f"a box with {len(self.keys)} keys", f"give 1 to {KEYS_MAX}")
        if any(b.at_ms <= a.at_ms for a, b in pairwise(self.keys)):
            raise Invalid("a box whose keys are not in the order of time", "sort them")

    def at(self, start_ms: float, end_ms: float) -> tuple[float, float, float, float] | None:
        """What it covers of a picture that is shown from `start_ms` to before `end_ms`: all that
        it touches in that time, as left, top, right, bottom; None where it is not there then."""
        first, last = self.keys[0].at_ms, self.keys[-1].at_ms
        if end_ms <= first or start_ms > last:
            return None
        inside = [key.at_ms for key in self.keys if start_ms < key.at_ms < end_ms]
        moments = [max(start_ms, first), *inside, min(end_ms, last)]
        corners = [self._corners(moment) for moment in moments]
        left, top = min(c[0] for c in corners), min(c[1] for c in corners)
        return left, top, max(c[2] for c in corners), max(c[3] for c in corners)

    def _corners(self, ms: float) -> tuple[float, float, float, float]:
        keys = self.keys
        after = next((n for n, key in enumerate(keys) if key.at_ms >= ms), len(keys) - 1)
        a, b = keys[max(after - 1, 0)], keys[after]
        part = 1.0 if b.at_ms <= a.at_ms else (ms - a.at_ms) / (b.at_ms - a.at_ms)
        x, y, w, h = (
            p + (q - p) * part for p, q in ((a.x, b.x), (a.y, b.y), (a.w, b.w), (a.h, b.h))
        )
        return x, y, x + w, y + h
