"""All of a node that is about cameras: who may watch, the processes with pictures, clips, turning.

A node without cameras starts no process for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from farolito.app.camera_rooms import CameraRooms
from farolito.app.clips import ClipWorks
from farolito.app.config import Config
from farolito.app.picture_process import now_us
from farolito.app.picturing import PicturesHealth, Picturing, Serving
from farolito.app.supervise import Supervisor
from farolito.app.sweeping import Sweeping, Ways
from farolito.briefing import Eye
from farolito.console.cameras import Cameras as ForScreens
from farolito.desk.clips import ClipDesk
from farolito.gate import Gate
from farolito.geo import RoadGraph, StreetMap
from farolito.geo.ground import Ground
from farolito.identity import Identity
from farolito.ingest.map.ground import read_ground
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.onvif_turns import OnvifTurns
from farolito.model import CameraId, FarolitoError, Login, Person, Point
from farolito.store import Database

log = logging.getLogger(__name__)

GROUND_KINDS = ("*.hgt", "*.asc")  # an SRTM tile, an ESRI ASCII grid
ROUND_S_NEVER = 300.0  # how long a picture counts as a sign of life where nothing is swept


class Rooms(NamedTuple):
    """What the node has made already. `own_ports`: where no camera is."""

    database: Database
    gate: Gate
    identity: Identity
    supervisor: Supervisor
    system: Person
    own_ports: tuple[int, ...]


class Health(NamedTuple):
    """Of the health page: cameras by number, and the processes that hold their pictures."""

    registered: int
    reachable: int
    live: int
    watching: int
    turned_away: int  # tokens that opened nothing
    let_go: int  # rows of who watched that were never written
    pictures: PicturesHealth | None


class Cameras:
    """`load` before anybody asks, `close` while the store is still there."""

    def __init__(
        self,
        config: Config,
        rooms: Rooms,
        state: Path,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        video, node = config.video, config.node
        self._zone = ZoneInfo(config.agency.zone)
        guard = Guard(_networks(video.networks), own_ports=rooms.own_ports)
        self._turns = OnvifTurns(self._login, guard, clock)
        self.rooms = CameraRooms(
            rooms.gate,
            rooms.database,
            rooms.identity,
            rooms.system,
            state / "keys" / "cameras.key",
            self._zone,
            clock,
            ids,
            self._turns,
            video.minutes,
            video.sweep_minutes * 60 or ROUND_S_NEVER,
            video.keep_watched_s,
        )
        serving = Serving(
            processes=video.processes,
            host=node.host,
            port=video.port,
            url=video.url,
            origins=_origins(config),
            networks=video.networks,
            own_ports=rooms.own_ports,
            ring_mb=video.ring_mb,
        )
        self._url = video.url
        self._picturing = Picturing(rooms.supervisor, state, serving, now_us)
        self._ways = Ways(video.sweep_minutes * 60, video.networks, rooms.own_ports)
        self._sweeping = Sweeping(
            rooms.supervisor,
            state,
            self._ways,
            self.rooms.book,
            self.rooms.states,
            self._picturing,
            rooms.gate,
            rooms.system,
        )
        self._is_wanted = asyncio.Event()
        self._is_started = False
        self._agency = config.own_agency
        self._state, self._clock = state, clock
        self._gate, self._ids = rooms.gate, ids

    async def load(self) -> None:
        """The register from the store, and the workshop of clips."""
        await self.rooms.load()
        self.rooms.use(self._picturing)
        self.rooms.desk.changed.append(self._look)
        self._look()
        self.works = await asyncio.to_thread(
            ClipWorks.at,
            self._state,
            self._agency,
            self._gate,
            self._picturing.make_clip,
            self.rooms.states.health,
            self._zone,
            self._clock(),
        )
        self.clips = ClipDesk(self._gate, self.rooms.book, self.works, self._clock, self._ids)
        await self.works.start()

    async def close(self) -> None:
        if self._is_started:
            await self._picturing.close()
        await self.rooms.watching.turn()
        await self._turns.close()

    def use_map(self, street_map: StreetMap | None, graph: RoadGraph | None) -> None:
        """What stands between a camera and a place: the map's buildings, and the ground."""
        self.rooms.sights.use(street_map, graph, ground_of(self._state / "maps"))

    def best_eye(self, place: Point) -> Eye | None:
        """For a brief: the camera that sees the place best."""
        best = self.rooms.sights.best_now(place, self._clock())
        if best is None:
            return None
        return Eye(name=best.name, kind="camera", metres=best.metres, sees=True)

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {
            **self.rooms.work(),
            "what cameras see": self.rooms.sights.keep_ready,
            "pictures": self._serve,
            "sweep": self._sweep,
        }

    def for_screens(self) -> ForScreens:
        return self.rooms.services(self._sweeping.sweep)

    def places(self, host: str) -> str:
        """Where a page that came from `host` connects for pictures, for its security policy."""
        if self._url:
            parts = urlsplit(self._url)
            return f"{parts.scheme}://{parts.netloc}"
        return " ".join(f"ws://{host}:{port}" for port in self._picturing.ports())

    def health(self) -> Health:
        counts = self.rooms.states.counts()
        return Health(
            registered=counts.registered,
            reachable=counts.reachable,
            live=counts.live,
            watching=self.rooms.watching.count,
            turned_away=self.rooms.turned_away,
            let_go=self.rooms.watching.let_go,
            pictures=self._picturing.health() if self._is_started else None,
        )

    def _login(self, camera_id: CameraId) -> Login | None:
        return self.rooms.book.login(camera_id)

    def _look(self) -> None:
        if len(self.rooms.book):
            self._is_wanted.set()

    async def _serve(self) -> None:
        """Start the processes when there is a first camera; they are kept from then on."""
        await self._is_wanted.wait()
        self._is_started = True
        await self._picturing.start()
        await asyncio.Event().wait()

    async def _sweep(self) -> None:
        await self._is_wanted.wait()
        if self._ways.round_s > 0:
            await self._sweeping.run()
        await asyncio.Event().wait()


def ground_of(folder: Path) -> Ground | None:
    """The heights that lie beside the map. None, and said in the log, where they cannot be read:
    then the ground is taken as flat."""
    files = [file for kind in GROUND_KINDS for file in sorted(folder.glob(kind))]
    if not files:
        return None
    if len(files) > 1:
        log.warning("%s is used, %d more files of heights are not", files[0].name, len(files) - 1)
    try:
        return read_ground(files[0])
    except FarolitoError as why:
        log.error("the ground is taken as flat: %s; %s", why.says, why.do)
        return None


def _networks(told: tuple[str, ...]) -> list[Any]:
    try:
        return [ip_network(one) for one in told]
    except ValueError as why:
        raise FarolitoError(f"[video] networks: {why}", 'write them as "127.0.0.0/8"') from why


def _origins(config: Config) -> tuple[str, ...]:
    """The pages that may show pictures: the node's own, by every name that it is opened by."""
    node = config.node
    if node.origin:
        return (node.origin,)
    names = {"localhost", "127.0.0.1", node.host} - {"0.0.0.0", "::"}  # noqa: S104
    return tuple(f"http://{name}:{node.port}" for name in sorted(names))
