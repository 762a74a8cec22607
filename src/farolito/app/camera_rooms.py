"""The cameras of a node: register, states, who watches, who turns, and what sees a place, wired.

Made before the web; `use` takes the processes with pictures as soon as they are there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from farolito.app.camera_book import WATCHED_S, CameraBook
from farolito.app.camera_states import CameraStates
from farolito.app.picturing import Picturing
from farolito.app.sights import Sights
from farolito.console.cameras import Cameras, Sweep
from farolito.desk.cameras import CameraDesk
from farolito.desk.ptz import Ptz, Turns
from farolito.desk.watching import Watching
from farolito.gate import Gate
from farolito.identity import CameraLogins, Identity
from farolito.media.control import Closed, Opened, TokenRefused
from farolito.model import Camera, CameraId, FarolitoError, Person, PersonId
from farolito.store import Database

LOOK_EVERY_S = 1.0
RINGS_EVERY_S = 30.0  # windows of time open and close by the clock alone
HOLD_S = 120.0  # what rings keep beside an open incident; asked for anew while it is open


class NoTurns:
    """A node that turns no camera."""

    async def move(self, camera: Camera, pan: float, tilt: float, zoom: float) -> None:
        raise _no_turns(camera)

    async def stop(self, camera: Camera) -> None:
        return None

    async def look_at(self, camera: Camera, pan_deg: float, tilt_deg: float, zoom: float) -> None:
        raise _no_turns(camera)

    async def home(self, camera: Camera) -> None:
        raise _no_turns(camera)


class CameraRooms:
    """`key_file`: of the sealed logins. `minutes`: of one permission to watch."""

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        gate: Gate,
        database: Database,
        identity: Identity,
        system: Person,
        key_file: Path,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        turns: Turns | None = None,
        minutes: float = 10.0,
        round_s: float = 300.0,
        watched_s: float = WATCHED_S,
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._picturing: Picturing | None = None
        self._known = (-1, -1)
        self._rings_at = 0.0
        self._dropping: set[asyncio.Task[None]] = set()
        logins = CameraLogins(key_file, os.urandom)
        self.book = CameraBook(gate, database, logins, zone, clock, watched_s)
        self.states = CameraStates(self.book, database, clock, round_s)
        self.sights = Sights(self.book, self.states, zone)
        self.desk = CameraDesk(gate, self.book, self.book.seal, clock)
        self.watching = Watching(
            gate, self.book, identity.still_signed_in, self._cut, clock, ids, system, minutes
        )
        self.ptz = Ptz(gate, self.book, turns or NoTurns(), clock, self.sights.turned)
        self.desk.changed += [self.watching.look_again, self._tell]
        self.watching.gone.append(self._let_go)
        self.turned_away = 0  # tokens that opened nothing

    async def load(self) -> None:
        await self.book.load()
        await self.states.load()
        await self.watching.start()

    def use(self, picturing: Picturing) -> None:
        """Before it starts: it must know who is told, and what tokens are proved by."""
        self._picturing = picturing
        self._gate.token_secret = picturing.secret
        picturing.on_opened = self._opened
        picturing.on_closed = self._closed
        picturing.on_refused = self._refused
        self._tell()

    def services(self, sweep: Callable[[], Sweep] = Sweep) -> Cameras:
        """What the console is handed."""
        return Cameras(
            book=self.book,
            states=self.states,
            desk=self.desk,
            watching=self.watching,
            ptz=self.ptz,
            sights=self.sights,
            url_for=self.url_for,
            sweep=sweep,
        )

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"who watches": self.watching.run, "cameras": self.run}

    def url_for(self, camera_id: CameraId, host: str) -> str:
        """Where a browser shows its token. Raises FarolitoError."""
        if self._picturing is None:
            raise FarolitoError("this node shows no pictures", "see [video] in farolito.toml")
        return self._picturing.url_for(camera_id, host)

    async def run(self) -> None:
        """Hear how lines are, tell what changed in the register, let go of what nobody holds."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.ptz.expire()
            if self._picturing is not None:
                self.states.hear_lines(self._picturing.lines())
                self._tell()

    def _tell(self) -> None:
        """What is new in the register, and which rings are open now, to who pulls."""
        picturing = self._picturing
        if picturing is None:
            return
        now_s = self._clock().timestamp()
        has_rings = self.book.has_rings
        known = (self.book.revision, self.book.alarms if has_rings else 0)
        is_due = has_rings and now_s - self._rings_at >= RINGS_EVERY_S
        if known != self._known or is_due:
            self._known, self._rings_at = known, now_s
            pulled = self.book.pulled()
            picturing.know(pulled)
            rings = {one.camera_id for one in pulled if one.ring_s} & self.book.alarmed
            picturing.hold(rings, round((now_s + HOLD_S) * 1_000_000))

    def _cut(self, permits: Sequence[int], reason: str) -> None:
        if self._picturing is not None:
            self._picturing.cut(permits=permits, reason=reason)

    def _opened(self, said: Opened) -> None:
        self.watching.opened(said.permit, said.camera_id, _at(said.since_us))

    def _closed(self, said: Closed) -> None:
        self.watching.closed(said.permit, _at(said.until_us), said.why)

    def _refused(self, said: TokenRefused) -> None:
        self.turned_away += 1

    def _let_go(self, person: PersonId, camera_id: CameraId) -> None:
        """Who looks no more turns no more."""
        task = asyncio.ensure_future(self.ptz.drop(person, camera_id))
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


def _no_turns(camera: Camera) -> FarolitoError:
    return FarolitoError(f"nobody here can turn {camera.name}", "give it an onvif_url")
