"""Which cameras see a place now: the register, the map's buildings and ground, and how each is.

What is built of 20,000 cameras and a metro's buildings is built in a thread, once for each change
of the register or the map; a question costs milliseconds, in a thread too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from farolito.app.camera_book import CameraBook
from farolito.app.camera_states import CameraStates
from farolito.geo import Plane, RoadGraph, StreetMap
from farolito.geo.ground import Ground
from farolito.model import Camera, CameraId, Ellipse, Point
from farolito.viewing import (
    Eye,
    Eyes,
    LastSeen,
    NextCamera,
    Question,
    Ranked,
    Roadside,
    Scene,
    best,
    blind,
)

READY_EVERY_S = 2.0
COUNT_MAX = 64  # cameras of one answer


class Seeing(NamedTuple):
    """The best for a place, and the nearest that cannot show it; both with reasons."""

    cameras: list[Ranked]
    blind: list[Ranked]


class Sights:
    """`use` a map and its roads as often as they change."""

    def __init__(self, book: CameraBook, states: CameraStates, zone: ZoneInfo) -> None:
        self._book = book
        self._states = states
        self._zone = zone
        self._map: StreetMap | None = None
        self._graph: RoadGraph | None = None
        self._ground: Ground | None = None
        self._scene: Scene | None = None
        self._eyes: Eyes | None = None
        self._roadside: Roadside | None = None
        self._built = -1  # the register's revision
        self._told = -1  # the states' revision
        self._building = asyncio.Lock()

    def use(
        self, street_map: StreetMap | None, graph: RoadGraph | None, ground: Ground | None = None
    ) -> None:
        self._map, self._graph, self._ground = street_map, graph, ground
        self._scene, self._built = None, -1

    async def near(
        self, place: Point, at: datetime, count: int, around: float | Ellipse = 8.0
    ) -> Seeing:
        eyes = await self._ready()
        asked = Question(place=place, at=at, around=around, count=min(max(count, 1), COUNT_MAX))

        def look() -> Seeing:
            closed = self._closed
            return Seeing(best(eyes, asked, closed), blind(eyes, asked, closed))

        return await asyncio.to_thread(look)

    async def keep_ready(self) -> None:
        """Follow the register and the map, so that the first question need not wait. Forever."""
        while True:
            if len(self._book):
                await self._ready()
            await asyncio.sleep(READY_EVERY_S)

    def best_now(self, place: Point, at: datetime) -> Ranked | None:
        """The one that shows it best, of cameras as they were last built. 1 to 5 ms."""
        if self._eyes is None:
            return None
        asked = Question(place=place, at=at, around=8.0, count=1)
        return next(iter(best(self._eyes, asked, self._closed)), None)

    async def next(self, seen: LastSeen, count: int) -> Sequence[NextCamera]:
        """Where a vehicle can be seen next. Empty where there is no road map."""
        await self._ready()
        roadside = self._roadside
        if roadside is None:
            return ()
        return await asyncio.to_thread(
            roadside.next_cameras, seen, min(max(count, 1), COUNT_MAX), self._closed
        )

    def turned(self, camera_id: CameraId, pan_deg: float | None) -> None:
        """A camera was turned to a bearing that is known."""
        if self._eyes is not None and pan_deg is not None:
            self._eyes.state(camera_id, pan_deg=pan_deg)

    async def _ready(self) -> Eyes:
        """Eyes of the register as it is, with every state as it is."""
        async with self._building:
            revision = self._book.revision
            if self._eyes is None or self._built != revision:
                told = self._states.revision
                eyes = await asyncio.to_thread(self._build, self._every())
                self._eyes, self._built, self._told = eyes, revision, told
                self._roadside = Roadside(eyes, self._graph) if self._graph else None
        for camera_id, state in self._states.changed(self._told).items():
            health = self._states.health(camera_id)
            self._eyes.state(
                camera_id,
                state=state,
                faults=health.faults if health else (),
                since=health.since.astimezone(self._zone) if health else None,
            )
        self._told = self._states.revision
        return self._eyes

    def _every(self) -> list[Eye]:
        return [self._eye(camera) for camera in self._book.all()]

    def _eye(self, camera: Camera) -> Eye:
        health = self._states.health(camera.camera_id)
        return Eye(
            camera=camera,
            state=self._states.state(camera.camera_id),
            faults=health.faults if health else (),
            since=health.since.astimezone(self._zone) if health else None,
        )

    def _build(self, every: Sequence[Eye]) -> Eyes:
        if self._scene is None:
            buildings = self._map.buildings if self._map is not None else ()
            self._scene = Scene(Plane(self._origin(every)), buildings, self._ground)
        return Eyes(every, self._scene)

    def _origin(self, every: Sequence[Eye]) -> tuple[float, float]:
        """The middle of the map, else the first camera that has a place."""
        if self._map is not None and self._map.segments:
            return self._map.segments[len(self._map.segments) // 2].line[0]
        places = (eye.camera.place for eye in every if eye.camera.place is not None)
        first = next(places, None)
        return (first.lat, first.lon) if first is not None else (0.0, 0.0)

    @property
    def _closed(self) -> Callable[[Camera], str]:
        return self._book.closed
