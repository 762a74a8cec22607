"""Where a vehicle that was last seen can be seen next: the cameras along the road, with windows.

A camera counts where the piece of road that it shows is passed. A window says when a driver could
pass there (`geo.reach`); whether this one comes that way, nobody knows. A vehicle that was seen
driving does not turn round on its block, and cameras straight behind it are left out.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from farolito.geo.distance import XY
from farolito.geo.reach import Origin, Passing, Window, windows
from farolito.geo.road_graph import RoadGraph
from farolito.geo.street_map import LatLon
from farolito.model import CameraId, PictureState, Point
from farolito.viewing import words
from farolito.viewing.eye import Closed, Reason, always_open
from farolito.viewing.eyes import Eyes
from farolito.viewing.scene import CLEAR, Lines
from farolito.viewing.sees import view

NEXT_M_MAX = 3_000.0  # in a straight line; who is farther has passed another one before
ASKED_MAX = 200  # of those, the nearest
ROAD_OFF_M = 15.0  # a point of the picture so near a street is on it
BEHIND_DEG = 120.0
SAME_POINT_M = 20.0  # of road: a second camera on it tells nothing new
HERE_M = 30.0  # a road point so near is where it was seen
_OUT = (0.15, 0.3, 0.45, 0.6, 0.75)  # of the reach, along each of
_ASIDE = (0.0, -0.5, 0.5)  # of half the view


class LastSeen(msgspec.Struct, frozen=True, kw_only=True):
    """`heading_deg`: which way it drove, None where nobody saw; `within_m` holds the place."""

    place: Point
    at: datetime
    heading_deg: float | None = None
    within_m: float = 0.0


class NextCamera(msgspec.Struct, frozen=True, kw_only=True):
    """`watches`: the point of road that it shows. `closed` as in `Ranked`."""

    camera_id: CameraId
    name: str
    state: PictureState
    place: Point
    watches: Point
    street: str
    road_m: float
    earliest_at: datetime
    latest_at: datetime
    reasons: tuple[Reason, ...]
    closed: str = ""

    def passing(self, now: datetime) -> Passing:
        return Window(self.road_m, self.earliest_at, self.latest_at).passing(now)


class _Watched(NamedTuple):
    at: LatLon
    xy: XY
    street: str


class Roadside:
    """Which point of road each camera shows: found when first asked for (1 ms a camera), then
    kept. Made anew with the cameras or the roads."""

    def __init__(self, eyes: Eyes, graph: RoadGraph) -> None:
        self._eyes = eyes
        self._graph = graph
        self._watched: dict[int, _Watched | None] = {}

    def next_cameras(
        self, seen: LastSeen, count: int = 12, closed: Closed = always_open
    ) -> list[NextCamera]:
        """The soonest first. One search of the roads: some 70 ms in a metro."""
        near = self._near(seen)
        origin = Origin((seen.place.lat, seen.place.lon), seen.within_m, seen.heading_deg)
        places = [watched.at for _, watched in near]
        found = windows(self._graph, [origin], (seen.at, seen.at), places, timedelta(0))
        passed = [
            (window, number, watched)
            for (number, watched), window in zip(near, found, strict=True)
            if window is not None
        ]
        passed.sort(key=lambda one: (one[0].earliest_at, one[0].road_m, one[1]))
        told: list[NextCamera] = []
        points: list[XY] = []
        for window, number, watched in passed:
            if len(told) == count:
                break
            if all(math.dist(watched.xy, other) > SAME_POINT_M for other in points):
                told.append(self._told(window, number, watched, closed))
                if not told[-1].closed:
                    points.append(watched.xy)
        return told

    def _near(self, seen: LastSeen) -> list[tuple[int, _Watched]]:
        x, y = self._eyes.scene.plane.to_m((seen.place.lat, seen.place.lon))
        lens = self._eyes.lenses
        metres = np.hypot(lens.x - x, lens.y - y)
        metres[self._eyes.weight == 0] = np.inf
        nearest = np.argsort(metres, kind="stable")[:ASKED_MAX]
        near = [int(n) for n in nearest if metres[n] <= NEXT_M_MAX]
        found = [(n, self._watch(n)) for n in near]
        return [
            (n, w) for n, w in found if w is not None and _is_ahead((x, y), w.xy, seen.heading_deg)
        ]

    def _watch(self, number: int) -> _Watched | None:
        if number not in self._watched:
            self._watched[number] = self._find(number)
        return self._watched[number]

    def _find(self, number: int) -> _Watched | None:
        """Of the points of road in its view the one nearest to it; None where it shows none."""
        lens = self._eyes.lenses
        here = float(lens.x[number]), float(lens.y[number])
        looked_at = [(here, float(lens.range_m[number]))]
        looked_at += [(xy, ROAD_OFF_M) for xy in self._fan(number)]
        found = {self._snapped(xy, within_m) for xy, within_m in looked_at} - {None}
        nearest = sorted((math.dist(w.xy, here), w) for w in found if w is not None)
        return next((watched for _, watched in nearest if self._sees(number, watched)), None)

    def _fan(self, number: int) -> list[XY]:
        """Places in the picture of a camera whose direction is known."""
        lens = self._eyes.lenses
        rest, half = float(lens.rest[number]), float(lens.half_across[number])
        if math.isnan(rest):
            return []
        x, y, reach = float(lens.x[number]), float(lens.y[number]), float(lens.range_m[number])
        return [
            (x + out * reach * math.sin(way), y + out * reach * math.cos(way))
            for way in (rest + aside * half for aside in _ASIDE)
            for out in _OUT
        ]

    def _snapped(self, xy: XY, within_m: float) -> _Watched | None:
        plane = self._eyes.scene.plane
        snap = self._graph.snap(plane.to_degrees(xy), within_m)
        if snap is None:
            return None
        return _Watched(snap.at, plane.to_m(snap.at), self._graph.street(snap))

    def _sees(self, number: int, watched: _Watched) -> bool:
        scene, [point] = self._eyes.scene, [watched.xy]
        one = np.array([number])
        xs, ys = np.array([point[0]]), np.array([point[1]])
        lens = self._eyes.lenses.of(one)
        shown = view(lens, np.array([point]), scene.ground_m(xs, ys), 0.0)
        if not shown.in_view[0, 0]:
            return False
        lines = Lines(
            np.array([[lens.x[0], lens.y[0], shown.eye_up[0, 0]]]),
            np.array([[*point, shown.aim_up[0, 0]]]),
            shown.is_level[0],
            self._eyes.roof[one],
            np.zeros(1, dtype=np.intp),
        )
        return bool(scene.stops(lines, scene.holding(xs, ys)).what[0] == CLEAR)

    def _told(self, window: Window, number: int, watched: _Watched, closed: Closed) -> NextCamera:
        eye = self._eyes.eyes[number]
        camera = eye.camera
        assert camera.place is not None, "only placed cameras are asked"
        said = words.state(eye)
        against = closed(camera)
        return NextCamera(
            camera_id=camera.camera_id,
            name=camera.name,
            state=eye.state,
            place=camera.place,
            watches=Point(*watched.at),
            street=watched.street,
            road_m=round(window.road_m),
            earliest_at=window.earliest_at,
            latest_at=window.latest_at,
            reasons=(
                words.passes(watched.street, window),
                *([] if said is None else [said]),
                *map(words.fault, eye.faults),
                *([words.closed(against)] if against else []),
            ),
            closed=against,
        )


def _is_ahead(here: XY, there: XY, heading_deg: float | None) -> bool:
    apart = math.dist(here, there)
    if apart <= HERE_M:
        return False
    if heading_deg is None:
        return True
    way = math.degrees(math.atan2(there[0] - here[0], there[1] - here[1]))
    return abs((way - heading_deg + 180) % 360 - 180) <= BEHIND_DEG
