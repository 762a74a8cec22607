"""The node's side of pictures: processes that hold them, which camera is in which, what they say.

A process that dies is started anew and told everything again; the viewings it had are ended here,
since it can no longer say so, and browsers come again with a new token.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from farolito.app.locator import receive
from farolito.app.picture_process import Settings
from farolito.app.private_file import write_private
from farolito.app.supervise import Child, Supervisor
from farolito.codec import AccessUnit
from farolito.media.control import (
    ClipMade,
    Closed,
    Cut,
    Hold,
    Key,
    KeyShown,
    Know,
    MakeClip,
    Opened,
    Pulled,
    Pulling,
    Ready,
    Said,
    ShowKey,
    State,
    TokenRefused,
    Told,
)
from farolito.media.listener import PATH, claim
from farolito.model import Away, CameraId, FarolitoError

SECRET_BYTES = 32
KEY_WAIT_S_MAX = 2.0
CLIP_WAIT_S_MAX = 60.0  # past the end of what was asked for
LAST_WORDS_S_MAX = 5.0
AGAIN_S = 0.1  # between two tries of a line that ended
HOLDS_MAX = 10_000  # cameras that open incidents hold

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_said = msgspec.msgpack.Decoder(Said).decode
_S = 1_000_000  # µs


class PicturesAway(Away):
    """The process that would hold this camera's picture is not there at the moment."""


class Serving(NamedTuple):
    """How pictures are served: as [video] says, with the node's host, pages and ports. `port` is
    of the first process, and 0 lets each choose; `url` is the proxy's, where there is one."""

    processes: int = 1
    host: str = "127.0.0.1"
    port: int = 0
    url: str = ""
    origins: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    own_ports: tuple[int, ...] = ()
    ring_mb: int = 1024


class PicturesHealth(NamedTuple):
    """`late_ms`: how late the latest process was in the last second; `lines`: to cameras."""

    processes: int
    up: int
    late_ms: int
    lines: int
    viewers: int
    ring_bytes: int


class Picturing:
    """`secret` proves tokens; it is new with every start of the node. Set `on_opened`, `on_closed`
    and `on_refused` before `start`; each viewing is told to both of the first exactly once."""

    def __init__(
        self,
        supervisor: Supervisor,
        state: Path,
        serving: Serving,
        now_us: Callable[[], int],
    ) -> None:
        self.secret = os.urandom(SECRET_BYTES)
        self.on_opened: Callable[[Opened], None] = _nothing
        self.on_closed: Callable[[Closed], None] = _nothing
        self.on_refused: Callable[[TokenRefused], None] = _nothing
        self.now_us = now_us
        self.holds: dict[CameraId, int] = {}
        self._url = serving.url
        self._cameras: dict[CameraId, Pulled] = {}
        self._places: dict[CameraId, _Process] = {}
        self._requests = 0
        self._processes = [
            _Process(self, supervisor, state, serving, index)
            for index in range(max(1, serving.processes))
        ]

    async def start(self) -> None:
        """Raises FarolitoError where a process never comes up."""
        for process in self._processes:
            await process.start()

    async def close(self) -> None:
        """The processes end, and each viewing is told to be over."""
        for process in self._processes:
            await process.close()

    # What they must know

    def know(self, cameras: Iterable[Pulled]) -> None:
        """All cameras there are. Who watches one that is not among them is cut."""
        before, self._cameras = self._cameras, {one.camera_id: one for one in cameras}
        gone = before.keys() - self._cameras.keys()
        for process in self._processes:
            changed = tuple(
                one
                for one in self._cameras.values()
                if before.get(one.camera_id) != one and self._place(one.camera_id) is process
            )
            removed = tuple(one for one in gone if self._place(one) is process)
            if changed or removed:
                process.tell(Know(cameras=changed, removed=removed))
        for camera_id in gone:
            self._places.pop(camera_id, None)

    def cut(
        self, *, permits: Sequence[int] = (), cameras: Sequence[CameraId] = (), reason: str
    ) -> None:
        """End viewings at once; a process that is away has none."""
        for process in self._processes:
            process.tell(Cut(permits=tuple(permits), cameras=tuple(cameras), reason=reason))

    def hold(self, cameras: Iterable[CameraId], until_us: int) -> None:
        """What rings keep stays until then."""
        now_us = self.now_us()
        self.holds = {one: until for one, until in self.holds.items() if until > now_us}
        for camera_id in cameras:
            if len(self.holds) < HOLDS_MAX or camera_id in self.holds:
                self.holds[camera_id] = max(until_us, self.holds.get(camera_id, 0))
                self._place(camera_id).tell(Hold(cameras=(camera_id,), until_us=until_us))

    async def make_clip(
        self, camera_id: CameraId, from_us: int, to_us: int, path: Path
    ) -> ClipMade:
        """`path`: absolute. Waits for the span's end where that is near. Raises PicturesAway;
        what else is wrong stands in the answer."""
        assert path.is_absolute()
        self._requests += 1
        wanted = MakeClip(
            request=self._requests,
            camera_id=camera_id,
            from_us=from_us,
            to_us=to_us,
            path=str(path),
        )
        return await self._place(camera_id).make_clip(wanted)

    async def key_unit(self, camera_id: CameraId) -> AccessUnit | None:
        """The newest key picture of a camera that is pulled at this moment; None: there is none.
        It leaves the node's memory for the sweep's alone."""
        self._requests += 1
        return await self._place(camera_id).key_unit(self._requests, camera_id)

    # What is known of them

    def url_for(self, camera_id: CameraId, host: str) -> str:
        """Where a browser shows its token. `host`: the name it reached the console by. Raises
        PicturesAway."""
        process = self._place(camera_id)
        if not process.is_up:
            raise _away()
        if self._url:
            return f"{self._url}{process.index}{PATH}"
        named = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"ws://{named}:{process.port}{PATH}"

    def ports(self) -> Sequence[int]:
        """Where browsers connect, now or when the processes are up: a page that opens before knows
        it too."""
        return [process.known_port for process in self._processes]

    def place_of(self, camera_id: CameraId) -> int:
        """The number of its process."""
        return self._place(camera_id).index

    def lines(self) -> Mapping[CameraId, tuple[Pulling, ...]]:
        """Every open line by camera, as of the last second: `full` first, then `sub`."""
        found: dict[CameraId, tuple[Pulling, ...]] = {}
        for process in self._processes:
            for line in process.state.lines:
                found[line.camera_id] = (*found.get(line.camera_id, ()), line)
        return {
            camera_id: tuple(sorted(lines, key=lambda line: line.quality != "full"))
            for camera_id, lines in found.items()
        }

    def health(self) -> PicturesHealth:
        states = [process.state for process in self._processes]
        return PicturesHealth(
            processes=len(self._processes),
            up=sum(process.is_up for process in self._processes),
            late_ms=max(state.late_ms for state in states),
            lines=sum(len(state.lines) for state in states),
            viewers=sum(len(process.opened) for process in self._processes),
            ring_bytes=sum(state.ring_bytes for state in states),
        )

    def cameras_of(self, process: _Process) -> tuple[Pulled, ...]:
        return tuple(one for one in self._cameras.values() if self._place(one.camera_id) is process)

    def _place(self, camera_id: CameraId) -> _Process:
        """The process of a camera: the one whose name goes best with its own, so that another
        number of processes moves as few cameras as can be (rendezvous hashing)."""
        place = self._places.get(camera_id)
        if place is None:
            place = max(self._processes, key=lambda one: _weight(one.index, camera_id))
            if camera_id in self._cameras:
                self._places[camera_id] = place
        return place


class _Process:
    """One of them, and the line to it."""

    def __init__(
        self, whole: Picturing, supervisor: Supervisor, state: Path, serving: Serving, index: int
    ) -> None:
        self.index = index
        self.port = 0
        self.state = State(lines=())
        self.opened: list[Opened] = []  # viewings that were not yet told to be over
        self._whole = whole
        self._supervisor = supervisor
        self._is_told_port = serving.port > 0
        self._folder = state
        self._socket = state / f"pictures-{index}.sock"
        self._file = state / f"pictures-{index}.json"
        self._settings = Settings(
            socket=str(self._socket),
            host=serving.host,
            port=serving.port + index if serving.port else _free_port(serving.host),
            origins=serving.origins,
            networks=serving.networks,
            own_ports=serving.own_ports,
            ring_bytes=serving.ring_mb * 2**20 // max(1, serving.processes),
        )
        self._writer: asyncio.StreamWriter | None = None
        self._line: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._gone = asyncio.Event()
        self._clips: dict[int, asyncio.Future[ClipMade]] = {}
        self._keys: dict[int, asyncio.Future[KeyShown]] = {}

    @property
    def is_up(self) -> bool:
        return self.port > 0

    @property
    def known_port(self) -> int:
        return self._settings.port

    async def start(self) -> None:
        if not self._is_told_port:  # it may have been taken since it was free
            port = _free_port(self._settings.host, self._settings.port)
            self._settings = msgspec.structs.replace(self._settings, port=port)
        write_private(self._file, msgspec.json.encode(self._settings))
        await self._supervisor.start(_child(self.index, self._socket, self._file, self._folder))
        self._line = asyncio.create_task(self._keep_line(), name=f"pictures {self.index}")
        await self._first.wait()

    async def close(self) -> None:
        await self._supervisor.end(_name(self.index))
        if self._line is not None:
            with suppress(TimeoutError):  # its last words are on the line
                async with asyncio.timeout(LAST_WORDS_S_MAX):
                    await self._gone.wait()
            self._line.cancel()
            await asyncio.wait([self._line])

    def tell(self, told: Told) -> None:
        """What it is not told now, because it is away, it is told when it is back."""
        if self._writer is not None:
            _send(self._writer, told)

    async def make_clip(self, wanted: MakeClip) -> ClipMade:
        if not self.is_up:
            raise _away()
        answer: asyncio.Future[ClipMade] = asyncio.get_running_loop().create_future()
        self._clips[wanted.request] = answer
        self.tell(wanted)
        ahead_s = max(0.0, (wanted.to_us - self._whole.now_us()) / _S)
        try:
            async with asyncio.timeout(ahead_s + CLIP_WAIT_S_MAX):
                return await answer
        except TimeoutError as error:
            raise _away() from error
        finally:
            del self._clips[wanted.request]

    async def key_unit(self, request: int, camera_id: CameraId) -> AccessUnit | None:
        answer: asyncio.Future[KeyShown] = asyncio.get_running_loop().create_future()
        self._keys[request] = answer
        self.tell(ShowKey(request=request, camera_id=camera_id))
        try:
            async with asyncio.timeout(KEY_WAIT_S_MAX):
                shown = await answer
        except TimeoutError:
            return None
        finally:
            del self._keys[request]
        if not shown.data:
            return None
        return AccessUnit(shown.data, 0, shown.received_us, True, shown.codec)

    async def _keep_line(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(self._socket))
            except OSError:
                await asyncio.sleep(AGAIN_S)  # its supervisor starts it
                continue
            try:
                self._gone.clear()
                self._tell_all()
                while True:
                    self._hear(_said(await receive(reader)))
            except (OSError, EOFError, msgspec.DecodeError) as why:
                log.warning("pictures %d went away (%s)", self.index, type(why).__name__)
            finally:
                self._writer.close()
                self._lost()
                self._gone.set()
            await asyncio.sleep(AGAIN_S)

    def _tell_all(self) -> None:
        """Everything, to a process that knows nothing."""
        self.tell(Key(secret=self._whole.secret))
        self.tell(Know(cameras=self._whole.cameras_of(self), whole=True))
        for camera_id, until_us in self._whole.holds.items():
            self.tell(Hold(cameras=(camera_id,), until_us=until_us))

    def _hear(self, said: Said) -> None:
        match said:
            case Ready(port=port):
                self._stay_at(port)
                self._first.set()
            case State():
                self.state = said
            case Opened():
                self.opened.append(said)
                self._whole.on_opened(said)
            case Closed():
                self._end(said)
            case TokenRefused():
                self._whole.on_refused(said)
            case ClipMade():
                answer = self._clips.get(said.request)
                if answer is not None and not answer.done():
                    answer.set_result(said)
            case KeyShown():
                waiting = self._keys.get(said.request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)

    def _stay_at(self, port: int) -> None:
        """Started anew, it takes the port that open pages know."""
        self.port = port
        if self._settings.port != port:
            self._settings = msgspec.structs.replace(self._settings, port=port)
            write_private(self._file, msgspec.json.encode(self._settings))

    def _end(self, closed: Closed) -> None:
        for at, one in enumerate(self.opened):
            if (one.permit, one.camera_id) == (closed.permit, closed.camera_id):
                del self.opened[at]
                self._whole.on_closed(closed)
                return

    def _lost(self) -> None:
        """It can tell nothing more: what it had is over."""
        self._writer, self.port, self.state = None, 0, State(lines=())
        for answer in self._clips.values():
            if not answer.done():
                answer.set_exception(_away())
        now_us = self._whole.now_us()
        for one in tuple(self.opened):
            closed = Closed(
                permit=one.permit, camera_id=one.camera_id, until_us=now_us, why="stopped"
            )
            self._end(closed)


def _child(index: int, socket: Path, file: Path, state: Path) -> Child:
    async def ready() -> bool:
        _, writer = await asyncio.open_unix_connection(str(socket))
        writer.close()
        return True

    return Child(
        name=_name(index),
        argv=[sys.executable, "-m", "farolito", "pictures", str(file)],
        directory=state,
        ready=ready,
        log_file=state / "log" / f"pictures-{index}.log",
    )


def _free_port(host: str, wanted: int = 0) -> int:
    """`wanted` where nobody has it, else another."""
    try:
        free = claim(host, wanted)
    except FarolitoError:
        free = claim(host, 0)
    with free:
        port: int = free.getsockname()[1]
    return port


def _name(index: int) -> str:
    return f"pictures-{index}"


def _send(writer: asyncio.StreamWriter, told: Told) -> None:
    body = _encode(told)
    writer.write(len(body).to_bytes(4, "big") + body)


def _weight(index: int, camera_id: CameraId) -> bytes:
    return hashlib.blake2b(f"{index} {camera_id}".encode(), digest_size=8).digest()


def _away() -> PicturesAway:
    return PicturesAway(
        "the process that holds this picture is not there", "it is started again; ask once more"
    )


def _nothing(_: object) -> None:
    pass
