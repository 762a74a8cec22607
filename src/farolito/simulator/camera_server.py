"""The practice metro's cameras on the wire: one RTSP server for all, and ONVIF beside it.

`/CAMERA/main` and `/CAMERA/sub` are drawn and encoded live while somebody pulls them, with Digest;
`/clock` is a test picture that tells its own time, `/loop/N` any number of copies of a prepared
ten seconds, both open to all on this machine. TCP interleaved and UDP.

A camera that hangs on a dead switch is not there: its connection ends without an answer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from farolito.codec.encoder import warm_up
from farolito.simulator.camera_eye import CameraEye, Town
from farolito.simulator.camera_login import DigestDoor
from farolito.simulator.camera_onvif import OnvifCameras
from farolito.simulator.camera_streams import (
    CLOCK,
    AnyStream,
    CameraStream,
    Loop,
    TestScene,
    of_eye,
)
from farolito.simulator.cameras import Fault, Lines, PracticeCameras, place_cameras
from farolito.simulator.rtp_out import OverTcp, OverUdp, Puller
from farolito.simulator.world import SimulatorConfig, World, make_world

log = logging.getLogger(__name__)

REQUEST_BYTES_MAX = 16_384  # a longer one ends the connection
SILENT_S_MAX = 65.0  # over UDP: who asks nothing for so long is gone
WORKERS = 2
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN"


class Request(NamedTuple):
    """`headers` by their names in lower case."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path.strip("/")


class Street:
    """The world's cameras, and what can be pulled of them."""

    def __init__(self, cameras: PracticeCameras, town: Town, pool: ThreadPoolExecutor) -> None:
        self.eyes = {str(one.camera.camera_id): CameraEye(one, town) for one in cameras.cameras}
        self._pool = pool
        self._streams: dict[str, CameraStream] = {}

    def stream(self, camera: str, kind: str) -> CameraStream | None:
        eye = self.eyes.get(camera)
        if eye is None or kind not in ("main", "sub"):
            return None
        path = f"{camera}/{kind}"
        if path not in self._streams:
            which = eye.one.main if kind == "main" else eye.one.sub
            self._streams[path] = of_eye(eye, which, path, self._pool, lambda: self._rest(camera))
        return self._streams[path]

    def _rest(self, camera: str) -> None:
        mine = [s for p, s in self._streams.items() if p.split("/")[0] == camera]
        if not any(s.pullers for s in mine):
            self.eyes[camera].rest()

    async def close(self) -> None:
        for stream in self._streams.values():
            await stream.close()


class Streams:
    """Everything that has a path."""

    def __init__(self, street: Street | None, pool: ThreadPoolExecutor) -> None:
        self.street = street
        self._loop = Loop(pool)
        self._clock = CameraStream("clock", CLOCK, TestScene(has_clock=True).draw, pool)
        self._phases: set[AnyStream] = set()

    def at(self, path: str) -> AnyStream | None:
        parts = path.split("/")
        if parts[0] == "clock":
            return self._clock
        if parts[0] == "loop":
            phase = self._loop.phase()
            self._phases.add(phase)
            return phase
        if self.street is None or len(parts) < 2:
            return None
        return self.street.stream(parts[0], parts[1])

    async def prepare_loop(self) -> None:
        await self._loop.units()

    async def close(self) -> None:
        for stream in (self._clock, *self._phases):
            await stream.close()
        if self.street is not None:
            await self.street.close()


class _Udp(asyncio.DatagramProtocol):
    """Sends; what comes back (RTCP) is not read."""


class _Connection:
    """One RTSP connection: at most one stream is set up on it."""

    def __init__(
        self,
        streams: Streams,
        udp: asyncio.DatagramTransport,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._streams, self._udp = streams, udp
        self._reader, self._writer = reader, writer
        self._door = DigestDoor()
        self._stream: AnyStream | None = None
        self._puller: Puller | None = None
        self._plays = False

    async def run(self) -> None:
        try:
            while (request := await self._next()) is not None:
                if not self._answer(request):
                    break
                await self._writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                TimeoutError, ValueError):  # fmt: skip
            pass  # gone, or speaks no RTSP: for a camera that is the same
        finally:
            if self._stream is not None and self._puller is not None:
                self._stream.leave(self._puller)
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    async def _next(self) -> Request | None:
        """None at the end. RTCP between the requests is thrown away."""
        is_udp = self._plays and isinstance(self._puller, OverUdp)
        async with asyncio.timeout(SILENT_S_MAX if is_udp else None):
            while True:
                first = await self._reader.read(1)
                if not first:
                    return None
                if first != b"$":
                    break
                head = await self._reader.readexactly(3)
                await self._reader.readexactly(int.from_bytes(head[1:], "big"))
            text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = text.lstrip("\r\n").split("\r\n")
        method, url, _ = lines[0].split(" ", 2)
        pairs = [line.split(":", 1) for line in lines[1:] if ":" in line]
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= REQUEST_BYTES_MAX:
            return None
        await self._reader.readexactly(length)
        return Request(method, url, headers)

    def _answer(self, request: Request) -> bool:
        """False where the connection ends."""
        if request.method == "OPTIONS":
            return self._say(request, 200, Public=_METHODS)
        path = request.path.removesuffix("/trackID=0")
        street = self._streams.street
        eye = street.eyes.get(path.split("/")[0]) if street is not None else None
        if eye is not None:
            if eye.one.fault is Fault.DEAD:
                return False
            header = request.headers.get("authorization", "")
            if not self._door.lets_in(request.method, header, eye.one.login):
                return self._say(request, 401, **{"WWW-Authenticate": self._door.challenge})
        return self._act(request, path)

    def _act(self, request: Request, path: str) -> bool:
        if request.method in ("GET_PARAMETER", "SET_PARAMETER", "TEARDOWN"):
            self._say(request, 200, Session=self._session)
            return request.method != "TEARDOWN"
        stream = self._stream or self._streams.at(path)
        if stream is None:
            return self._say(request, 404)
        answers: dict[str, Callable[[Request, AnyStream], bool]] = {
            "DESCRIBE": self._describe, "SETUP": self._setup, "PLAY": self._play,
        }  # fmt: skip
        answer = answers.get(request.method)
        return answer(request, stream) if answer else self._say(request, 501)

    @property
    def _session(self) -> str:
        return f"{id(self) & 0xFFFFFFFF:08X};timeout=60"

    def _describe(self, request: Request, stream: AnyStream) -> bool:
        body = sdp(stream)
        base = request.url.rstrip("/") + "/"
        return self._say(
            request, 200, body, **{"Content-Base": base, "Content-Type": "application/sdp"}
        )

    def _setup(self, request: Request, stream: AnyStream) -> bool:
        asked = request.headers.get("transport", "")
        words = dict(w.partition("=")[::2] for w in asked.split(";"))
        if "RTP/AVP/TCP" in asked:
            channel = int(words.get("interleaved", "0-1").split("-")[0])
            if not 0 <= channel <= 254:
                return self._say(request, 461)
            told = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
            puller: Puller = OverTcp(self._writer.transport, channel)
        elif "client_port" in words:
            port = int(words["client_port"].split("-")[0])
            host = self._writer.get_extra_info("peername")[0]
            mine = self._udp.get_extra_info("sockname")[1]
            told = f"RTP/AVP;unicast;client_port={port}-{port + 1};server_port={mine}-{mine + 1}"
            puller = OverUdp(self._udp, (host, port))
        else:
            return self._say(request, 461)
        self._stream, self._puller = stream, puller
        told += f";ssrc={stream.packets.ssrc:08X}"
        return self._say(request, 200, Transport=told, Session=self._session)

    def _play(self, request: Request, stream: AnyStream) -> bool:
        if self._puller is None:
            return self._say(request, 455)
        first = f"url={request.url};seq={stream.packets.sequence};rtptime={stream.rtp_time}"
        self._say(request, 200, Session=self._session, Range="npt=now-", **{"RTP-Info": first})
        if not self._plays:
            self._plays = True
            stream.join(self._puller)
        return True

    def _say(self, request: Request, status: int, body: str = "", **headers: str) -> bool:
        reasons = {200: "OK", 401: "Unauthorized", 404: "Not Found", 501: "Not Implemented"}
        head = [f"RTSP/1.0 {status} {reasons.get(status, 'No')}"]
        head.append(f"CSeq: {request.headers.get('cseq', '0')}")
        head += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            head.append(f"Content-Length: {len(body.encode())}")
        self._writer.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        return True


def sdp(stream: AnyStream) -> str:
    """RFC 8866, and RFC 6184 section 8.1."""
    sps, pps = stream.parameters
    sets = ",".join(base64.b64encode(nal).decode() for nal in (sps, pps))
    return "\r\n".join(
        (
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=Practice camera",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=control:*",
            "m=video 0 RTP/AVP 96",
            f"b=AS:{stream.stream.bit_rate // 1000}",
            "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 packetization-mode=1;profile-level-id={sps[1:4].hex().upper()};"
            f"sprop-parameter-sets={sets}",
            f"a=framerate:{stream.stream.fps:g}",
            "a=control:trackID=0",
            "",
        )
    )


class CameraServer:
    """`async with`; the ports are true once it is entered. Without cameras: `/clock`, `/loop`.

    A port of 0 in `lines` takes any free one. `hour`: the light of that local hour always.
    """

    def __init__(
        self,
        lines: Lines,
        world: World | None = None,
        cameras: PracticeCameras | None = None,
        hour: float | None = None,
    ) -> None:
        self.lines = lines
        self.rtsp_port, self.http_port = lines.rtsp_port, lines.http_port
        self._world, self._cameras, self._hour = world, cameras, hour
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="camera")
        self._lines_open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> CameraServer:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, warm_up)
        self.street: Street | None = None
        if self._world is not None and self._cameras is not None:
            world = self._world
            town = await loop.run_in_executor(self._pool, lambda: Town(world, self._hour))
            self.street = Street(self._cameras, town, self._pool)
        self.streams = Streams(self.street, self._pool)
        self._udp, _ = await loop.create_datagram_endpoint(_Udp, local_addr=(self.lines.host, 0))
        self._rtsp = await asyncio.start_server(
            self._connected, self.lines.host, self.lines.rtsp_port, limit=REQUEST_BYTES_MAX,
            backlog=1_024,
        )  # fmt: skip
        self.rtsp_port = self._rtsp.sockets[0].getsockname()[1]
        self._onvif: OnvifCameras | None = None
        if self.street is not None:
            self._onvif = OnvifCameras(self.street.eyes, self.lines.host, self._pool)
            self.http_port = await self._onvif.open(self.lines.http_port, self.rtsp_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._rtsp.close()
        for task in tuple(self._lines_open):
            task.cancel()
        await asyncio.gather(*self._lines_open, return_exceptions=True)
        await self.streams.close()
        if self._onvif is not None:
            await self._onvif.close()
        self._udp.close()
        self._pool.shutdown(wait=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio makes a task for each connection"
        self._lines_open.add(task)
        try:
            await _Connection(self.streams, self._udp, reader, writer).run()
        except asyncio.CancelledError:
            pass  # the server closes
        finally:
            self._lines_open.discard(task)


class CameraWork(msgspec.Struct, frozen=True, kw_only=True):
    """What the cameras' process is told. `world` must be the one that the traffic's process
    drives, its start too; None: test pictures alone. `started`: a file touched when it listens."""

    lines: Lines = Lines()
    world: SimulatorConfig | None = None
    hour: float | None = None
    started: str = ""


async def serve_told(told: Path, stop: asyncio.Event) -> None:
    """The cameras' own process. `told`: JSON of CameraWork."""
    work = msgspec.json.decode(await asyncio.to_thread(told.read_bytes), type=CameraWork)
    world, cameras = None, None
    if work.world is not None:
        world = await asyncio.to_thread(make_world, work.world)
        cameras = await asyncio.to_thread(place_cameras, world, work.lines)
    started = Path(work.started) if work.started else None
    await serve_cameras(work.lines, stop, (world, cameras, work.hour), started)


async def serve_cameras(
    lines: Lines,
    stop: asyncio.Event,
    of: tuple[World | None, PracticeCameras | None, float | None] = (None, None, None),
    started: Path | None = None,
) -> None:
    """Until `stop`. `of`: the world, its cameras, and the hour of its light."""
    async with CameraServer(lines, *of) as server:
        log.info("practice cameras on port %d", server.rtsp_port)
        if started is not None:
            await asyncio.to_thread(started.touch)
        await stop.wait()
