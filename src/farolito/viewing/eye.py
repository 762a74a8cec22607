"""What is said of a camera: how it is now, how well it sees a place, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec

from farolito.model import Camera, CameraId, Ellipse, ImageFault, PictureState, Point

How = Literal["now", "after_turn", "part"]

Closed = Callable[[Camera], str]
"""Why its owner lets nobody look now, as a phrase; empty where the camera is open."""


def always_open(_: Camera) -> str:
    return ""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """`says` in English; a screen in another language has its own text for `word`, which it fills
    with `values` (metres, seconds, degrees, pixels a metre, times as they are said)."""

    word: str
    says: str
    values: dict[str, int | float | str] = {}


class Eye(msgspec.Struct, frozen=True, kw_only=True):
    """A camera as it is now. `since`: of the state, in the zone in which it is to be said;
    `pan_deg`: where a camera that turns looks, None where only its rest is known."""

    camera: Camera
    state: PictureState = PictureState.UNKNOWN
    faults: tuple[ImageFault, ...] = ()
    since: datetime | None = None
    pan_deg: float | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Who sees this place at this time? `around`: the metres, or the ellipse, that hold it: a
    place is hardly ever known better than 8 m. `count`: cameras to name, at most."""

    place: Point
    at: datetime
    around: float | Ellipse = 8.0
    count: int = 4


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One camera for one place. `bearing_deg` and `metres` from the camera to the place; `how` and
    `turn_s`: whether it must turn first; `share_visible` of the place and its uncertainty, 0…1;
    `pixels_per_m` there, of a picture 1280 across. `score` 0…1 (see `rank`), 0: it cannot.
    `closed`: why its owner lets nobody look now; empty where it is open."""

    camera_id: CameraId
    name: str
    state: PictureState
    place: Point
    metres: float
    bearing_deg: float
    how: How
    score: float
    turn_s: float
    share_visible: float
    pixels_per_m: float
    reasons: tuple[Reason, ...]
    closed: str = ""

    @property
    def says(self) -> list[str]:
        return [reason.says for reason in self.reasons]
