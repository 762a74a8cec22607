"""The node's side of the sweep: which cameras are looked at, by which permit, and what was found.

A round begins when the ledger has it and not before; without the ledger nothing is looked at. Its
end is an entry too, with counts.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from farolito.app.camera_book import CameraBook
from farolito.app.camera_states import CameraStates
from farolito.app.locator import receive
from farolito.app.picturing import Picturing
from farolito.app.private_file import write_private
from farolito.app.supervise import Child, Supervisor
from farolito.app.sweep_process import Settings
from farolito.codec import AccessUnit
from farolito.console.cameras import Sweep
from farolito.gate import Gate, system_ask
from farolito.media.sweep_control import (
    Begin,
    Found,
    Known,
    Look,
    Progress,
    RoundDone,
    Shown,
    SweepSaid,
    SweepTold,
    Swept,
    Wanted,
    Watched,
)
from farolito.model import (
    Act,
    Camera,
    CameraHealth,
    CameraId,
    FarolitoError,
    Person,
    PictureState,
    Thing,
)

LOOK_EVERY_S = 1.0
CONSENT_EVERY_S = 30.0  # windows of time open and close by the clock alone
AGAIN_S = 0.1  # between two tries of a line that ended
PERMIT_AGAIN_S = 10.0
AT_ONCE = 500  # cameras whose consent is looked at before somebody else may go on
ASKED_MAX = 64  # key pictures asked of picture processes at a time

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_said = msgspec.msgpack.Decoder(SweepSaid).decode


class Ways(NamedTuple):
    """To cameras, as [video] says. `round_s`: each camera once in so long."""

    round_s: float = 300.0
    networks: tuple[str, ...] = ()
    own_ports: tuple[int, ...] = ()


class Sweeping:
    """`picturing`: whose pictures come already. `system`: in whose name the node looks."""

    def __init__(  # noqa: PLR0913 - wired once, by cameras
        self,
        supervisor: Supervisor,
        state: Path,
        ways: Ways,
        book: CameraBook,
        states: CameraStates,
        picturing: Picturing,
        gate: Gate,
        system: Person,
    ) -> None:
        self._supervisor = supervisor
        self._state = state
        self._socket = state / "sweep.sock"
        self._file = state / "sweep.json"
        self._ways = ways
        self._book = book
        self._states = states
        self._picturing = picturing
        self._gate = gate
        self._system = system
        self._writer: asyncio.StreamWriter | None = None
        self._told: dict[CameraId, Swept] = {}
        self._known = (-1, -1)
        self._known_at = 0.0
        self._live: frozenset[CameraId] = frozenset()
        self._asking: set[asyncio.Task[None]] = set()
        self._round: _Round | None = None
        self._progress: Progress | None = None
        self._done: RoundDone | None = None
        self.storm = ""

    async def run(self) -> None:
        """Start the process, then a round after the other."""
        settings = Settings(
            socket=str(self._socket),
            folder=str(self._state),
            networks=self._ways.networks,
            own_ports=self._ways.own_ports,
        )
        write_private(self._file, msgspec.json.encode(settings))
        await self._supervisor.start(child(self._socket, self._file, self._state))
        line = asyncio.create_task(self._keep_line(), name="line to the sweep")
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            line.cancel()
            await asyncio.wait([line])

    def sweep(self) -> Sweep:
        """How far the round is, for the page."""
        if self._progress is None:
            return Sweep(round_s=self._ways.round_s)
        return Sweep(
            round_s=self._ways.round_s,
            done=self._progress.done,
            due=self._progress.due,
            core_percent=self._core_percent(),
        )

    def _core_percent(self) -> float | None:
        """Of the last whole round, else of this one so far."""
        if self._done is not None and self._done.seconds > 0:
            return 100 * self._done.cpu_s / self._done.seconds
        if self._round is None or self._progress is None:
            return None
        return 100 * self._progress.cpu_s / max(1.0, time.monotonic() - self._round.begun_s)

    async def _look(self) -> None:
        now_s = time.monotonic()
        known = (self._book.revision, self._book.alarms)
        if known != self._known or now_s - self._known_at >= CONSENT_EVERY_S:
            self._known, self._known_at = known, now_s
            await self._tell_cameras()
        live = frozenset(
            camera_id
            for camera_id, lines in self._picturing.lines().items()
            if any(line.state is PictureState.LIVE for line in lines)
        )
        if live != self._live:
            self._live = live
            self._tell(Watched(live=tuple(sorted(live))))
        if self._writer is not None and (self._round is None or self._round.is_over(now_s)):
            await self._begin(now_s)

    async def _begin(self, now_s: float) -> None:
        looked_at = sum(one.looks for one in self._told.values())
        if not self._told:
            return
        ask = system_ask(
            self._system,
            Thing.CAMERA,
            f"sweep of {len(self._told)} cameras, a key picture of {looked_at}, none kept",
        )
        ask = msgspec.structs.replace(ask, facts={"consent_open": True})
        try:
            permit = await self._gate.look_after(ask)
        except FarolitoError as why:
            log.warning("no sweep: %s; %s", why.says, why.do)
            self._round = _Round(0, now_s, PERMIT_AGAIN_S)
            return
        self._round = _Round(permit, now_s, self._ways.round_s)
        self._tell(Begin(number=permit, seconds=self._ways.round_s))

    async def _tell_cameras(self) -> None:
        """What is new of the register, and of what owners allow now."""
        every: dict[CameraId, Swept] = {}
        for number, pulled in enumerate(self._book.pulled()):
            camera = self._book.camera(pulled.camera_id)
            if camera is not None:
                looks = self._book.leave(camera).is_open
                told = msgspec.structs.replace(pulled, ring_s=0.0)
                every[camera.camera_id] = Swept(
                    pulled=told,
                    looks=looks,
                    turns=camera.ptz is not None,
                    place=camera.place,
                    version=_version(camera),
                    onvif_url=camera.onvif_url,
                )
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        changed = tuple(one for name, one in every.items() if self._told.get(name) != one)
        removed = tuple(self._told.keys() - every.keys())
        new = every.keys() - self._told.keys()
        self._told = every
        if changed or removed:
            self._tell(Look(cameras=changed, removed=removed))
        if new:
            self._tell(Known(health=self._health_of(new)))

    def _health_of(self, cameras: Iterable[CameraId]) -> tuple[CameraHealth, ...]:
        found = (self._states.health(camera_id) for camera_id in cameras)
        return tuple(one for one in found if one is not None)

    # The line

    def _tell(self, told: SweepTold) -> None:
        """What it is not told now, because it is away, it is told when it is back."""
        if self._writer is not None:
            body = _encode(told)
            self._writer.write(len(body).to_bytes(4, "big") + body)

    async def _keep_line(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(self._socket))
            except OSError:
                await asyncio.sleep(AGAIN_S)  # its supervisor starts it
                continue
            try:
                self._tell_all()
                while True:
                    await self._hear(_said(await receive(reader)))
            except (OSError, EOFError, msgspec.DecodeError) as why:
                log.warning("the sweep went away (%s)", type(why).__name__)
            finally:
                self._writer.close()
                self._writer = None
            await asyncio.sleep(AGAIN_S)

    def _tell_all(self) -> None:
        """Everything, to a process that knows nothing; the round that it was in goes on."""
        self._tell(Look(cameras=tuple(self._told.values()), whole=True))
        self._tell(Known(health=self._health_of(self._told.keys())))
        self._tell(Watched(live=tuple(sorted(self._live))))
        if self._round is not None and self._round.permit:
            left_s = self._round.begun_s + self._round.seconds - time.monotonic()
            if left_s > 0:
                self._tell(Begin(number=self._round.permit, seconds=left_s))

    async def _hear(self, said: SweepSaid) -> None:
        match said:
            case Found():
                await self._keep(said)
            case Progress():
                self._progress = said
                self._storm(said.storm)
            case RoundDone():
                self._done = said
                await self._note(said)
            case Wanted():
                self._show(said.camera_id)

    async def _keep(self, found: Found) -> None:
        try:
            await self._states.hear_health(found.health)
        except FarolitoError as why:
            log.error("how %d cameras are was not kept: %s", len(found.health), why.says)

    async def _note(self, done: RoundDone) -> None:
        query = (
            f"end of the sweep {done.number}: {done.looked} looked at, {done.live} seen as others"
            f" watched, {done.asked} asked without a picture, {done.missed} without an answer"
        )
        ask = system_ask(self._system, Thing.CAMERA, query)
        try:
            await self._gate.note(ask, Act.WATCH, "sweep_ended")
        except FarolitoError as why:
            log.error("the end of a sweep was not written down: %s", why.says)

    def _storm(self, storm: str) -> None:
        if storm and not self.storm:
            log.warning("sweep: %s", storm)
        elif self.storm and not storm:
            log.info("sweep: cameras answer again")
        self.storm = storm

    def _show(self, camera_id: CameraId) -> None:
        """Its newest key picture, from the process that holds it."""
        if len(self._asking) >= ASKED_MAX:
            self._tell(Shown(camera_id=camera_id))
            return

        async def show() -> None:
            unit: AccessUnit | None = await self._picturing.key_unit(camera_id)
            if unit is None:
                self._tell(Shown(camera_id=camera_id))
            else:
                self._tell(Shown(camera_id=camera_id, data=unit.data, codec=unit.codec))

        task = asyncio.create_task(show(), name="a key picture for the sweep")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)


class _Round(NamedTuple):
    """`permit` 0: there is none, and nothing is looked at."""

    permit: int
    begun_s: float
    seconds: float

    def is_over(self, now_s: float) -> bool:
        return now_s >= self.begun_s + self.seconds


def _version(camera: Camera) -> int:
    """Another number when what it shows was changed on purpose."""
    view = (camera.place, camera.height_m, camera.bearing_deg, camera.tilt_deg, camera.optics)
    return zlib.crc32(_encode((view, camera.main)))


def child(socket: Path, file: Path, state: Path) -> Child:
    """The sweep's process; `file` holds its settings."""

    async def ready() -> bool:
        _, writer = await asyncio.open_unix_connection(str(socket))
        writer.close()
        return True

    return Child(
        name="sweep",
        argv=[sys.executable, "-m", "farolito", "sweep", str(file)],
        directory=state,
        ready=ready,
        log_file=state / "log" / "sweep.log",
        environment={"OPENCV_FFMPEG_LOGLEVEL": "-8"},  # broken pictures are counted, not logged
    )
