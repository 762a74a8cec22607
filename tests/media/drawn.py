"""Pictures of one street of the practice metro, well and not, as a camera would send them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from farolito.codec import AccessUnit
from farolito.codec.encoder import Encoder
from farolito.simulator.burnt_in import stamp
from farolito.simulator.daylight import light_at
from farolito.simulator.metro import make_metro
from farolito.simulator.perspective import Pose
from farolito.simulator.street_view import Metro, StreetView, Surroundings

Picture = NDArray[np.uint8]
SIZE = (640, 360)
NOON = datetime(2026, 6, 21, 19, tzinfo=UTC)
DUSK = datetime(2026, 6, 22, 2, 10, tzinfo=UTC)
NIGHT = datetime(2026, 6, 22, 6, tzinfo=UTC)
POSE = Pose(9.0, 9.0, 7.2, 205.0, 11.0, 70.0)
_chance = np.random.default_rng(7)


@cache
def _around() -> Surroundings:
    return Surroundings(Metro(make_metro(7)), POSE, turns=True)


@cache
def street(at: datetime = NOON, turned_deg: float = 0.0) -> Picture:
    """Without noise or clock."""
    pose = POSE._replace(bearing_deg=(POSE.bearing_deg + turned_deg) % 360)
    return StreetView(_around, pose, SIZE).picture(light_at(at), [])


def blurred(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), dtype=np.uint8)


def covered(picture: Picture) -> Picture:
    """A bag before the lens: two thirds of it, near and so out of focus."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(mask, (350, 210), (310, 200), 10, 0, 360, (255,), -1)
    share = (cv2.GaussianBlur(mask, (0, 0), 8) / 255.0)[..., None]
    mixed = picture * (1 - share) + np.array((22, 25, 20)) * share
    return np.asarray(mixed, dtype=np.uint8)


def black() -> Picture:
    return np.full((SIZE[1], SIZE[0], 3), 5, np.uint8)


def sent(picture: Picture, at: datetime = NOON) -> AccessUnit:
    """With the noise of a sensor and the camera's clock, coded."""
    noisy = picture.astype(np.float32) + _chance.normal(0, 2.5, picture.shape)
    shown = np.clip(noisy, 0, 255).astype(np.uint8)
    stamp(shown, "CENTRAL AT 4TH", at)
    return coded(shown)


def coded(shown: Picture) -> AccessUnit:
    planes = cv2.cvtColor(shown, cv2.COLOR_BGR2YUV_I420).astype(np.uint8)
    data = Encoder(shown.shape[1], shown.shape[0], 12.5, qp=30).encode(planes, key=True).annex_b
    return AccessUnit(data, 0, 0, True)
