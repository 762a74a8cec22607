"""Cameras and blocks in metres around downtown Albuquerque."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from farolito.geo.ground import Ground
from farolito.geo.street_map import Building
from farolito.model import AgencyId, Camera, CameraId, OwnerId, Point
from farolito.viewing import Eye, Eyes, Question, Scene
from tests.geo.towns import PLANE, at

NOON = datetime(2026, 6, 21, 19, tzinfo=UTC)


def point(x: float, y: float) -> Point:
    return Point(*at(x, y))


def camera(x: float = 0, y: float = 0, name: str = "one", **more: Any) -> Camera:
    """At a pole of 6 m that looks north, unless said otherwise."""
    told: dict[str, Any] = {"bearing_deg": 0.0, "height_m": 6.0, **more}
    return Camera(
        camera_id=CameraId(name),
        agency=AgencyId("luminaria-pd"),
        owner=OwnerId("city"),
        name=name,
        place=point(x, y),
        **told,
    )


def block(x: float, y: float, wide: float, tall: float, height_m: float = 10.0) -> Building:
    """A building with its south-west corner at x, y."""
    corners = [(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall), (x, y)]
    return Building(ring=tuple(at(*one) for one in corners), height_m=height_m)


def eyes(*cameras: Camera | Eye, buildings: Any = (), ground: Ground | None = None) -> Eyes:
    return Eyes(cameras, Scene(PLANE, buildings, ground))


def question(x: float, y: float, **more: Any) -> Question:
    return Question(place=point(x, y), **{"at": NOON, "around": 0.0, **more})
