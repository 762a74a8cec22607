"""A camera that does whatever a test wants it to: a real RTSP server on loopback, good unless told.

Speaks RTSP 1.0 over TCP, TLS and UDP, with Basic and Digest worked out here on its own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from farolito.model import StreamSource

PAYLOAD_TYPE = 96
TICKS = 3600  # between two pictures: 25 a second
SOURCE = 0x51C4B1E5

Unit = Sequence[bytes]  # NALs of one picture
Answer = tuple[int, dict[str, str], bytes]


def packets_of(unit: Unit, mtu: int) -> list[bytes]:
    """What RTP carries of a picture: small NALs alone, large ones in FU-A."""
    made = []
    for nal in unit:
        if len(nal) <= mtu:
            made.append(nal)
            continue
        parts = [nal[at : at + mtu] for at in range(1, len(nal), mtu)]
        for number, part in enumerate(parts):
            edge = (0x80 if number == 0 else 0) | (0x40 if number == len(parts) - 1 else 0)
            made.append(bytes([nal[0] & 0xE0 | 28, edge | nal[0] & 0x1F]) + part)
    return made


def aggregated(unit: Unit) -> bytes:
    """All NALs of a picture in one STAP-A."""
    return b"\x78" + b"".join(struct.pack(">H", len(nal)) + nal for nal in unit)


def rtp(sequence: int, ticks: int, payload: bytes, *, marker: bool = False) -> bytes:
    second = PAYLOAD_TYPE | (0x80 if marker else 0)
    head = struct.pack(">BBHII", 0x80, second, sequence & 0xFFFF, ticks & 0xFFFFFFFF, SOURCE)
    return head + payload


def sdp_of(sets: tuple[bytes, bytes] | None, codec: str = "H264") -> bytes:
    told = ""
    if sets:
        both = ",".join(base64.b64encode(nal).decode() for nal in sets)
        told = f";sprop-parameter-sets={both}"
    return (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
        "m=audio 0 RTP/AVP 0\r\na=control:track0\r\n"
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} {codec}/90000\r\n"
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1{told}\r\na=control:track1\r\n"
    ).encode()


@dataclass
class BadCamera:
    """`units` are sent over and over at `rate` a second. `answers` replace what a method gets;
    a coroutine there may do as it likes with the connection."""

    units: Sequence[Unit]
    rate: float = 500.0
    mtu: int = 1400
    sdp: bytes | None = None
    transports: tuple[str, ...] = ("tcp", "udp")
    login: tuple[str, str] | None = None
    algorithm: str = "MD5"
    qop: str = "auth"
    basic: bool = False
    stale_after: int = 0  # requests that a nonce is good for; 0: for ever
    always_401: bool = False
    timeout_s: int = 60
    drops: Callable[[int], bool] = lambda number: False  # RTP packets, by number from 0
    dies_after: int = 0  # units
    stalls_after: int = 0
    shuffles: bool = False  # every second packet of UDP comes one too late
    answers: dict[str, Answer | Callable[[asyncio.StreamWriter], object]] = field(
        default_factory=dict
    )
    says_instead: bytes = b""  # to all
    heard: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    port: int = 0
    scheme: Literal["rtsp", "rtsps"] = "rtsp"
    _nonce: int = 0
    _used: int = 0
    _counts: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/cam?channel=1"

    def source(self, transport: Literal["tcp", "udp"] = "tcp") -> StreamSource:
        return StreamSource(protocol=self.scheme, url=self.url, transport=transport)

    @asynccontextmanager
    async def running(self, context: ssl.SSLContext | None = None) -> AsyncIterator[BadCamera]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self.scheme = "rtsps" if context else "rtsp"
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = _Connection(self, reader, writer)
        try:
            await connection.serve()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            connection.stop()
            writer.close()

    def refuses(self, method: str, uri: str, head: str) -> dict[str, str] | None:
        """The headers of a 401, or None where the request carries our login."""
        if self.login is None:
            return None
        said = re.search(r"^Authorization: (.*)$", head, re.MULTILINE)
        is_stale = False
        if said and not self.always_401:
            if self.basic:
                wanted = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
                if said[1].strip() == wanted:
                    return None
            else:
                is_right, is_stale = self._is_right(method, uri, said[1])
                if is_right:
                    return None
        if self.basic:
            return {"WWW-Authenticate": 'Basic realm="camera"'}
        stale = ", stale=true" if is_stale else ""
        qop = f', qop="{self.qop}"' if self.qop else ""
        algorithm = f", algorithm={self.algorithm}" if self.algorithm != "MD5" else ""
        return {
            "WWW-Authenticate": f'Digest realm="a \\"camera\\"", nonce="n{self._nonce}",'
            f' opaque="o,1"{algorithm}{qop}{stale}'
        }

    def _is_right(self, method: str, uri: str, said: str) -> tuple[bool, bool]:
        """Whether the login is right, and whether it is right for a nonce of before."""
        assert self.login is not None
        pairs = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', said)
        told = {name: quoted or bare for name, quoted, bare in pairs}
        algorithm, is_session = self.algorithm.removesuffix("-sess"), "-sess" in self.algorithm

        def hashed(text: str) -> str:
            kind = {"MD5": "md5", "SHA-256": "sha256"}[algorithm]
            return hashlib.new(kind, text.encode()).hexdigest()

        nonce = told.get("nonce", "")
        secret = hashed(f'{self.login[0]}:a "camera":{self.login[1]}')
        if is_session:
            secret = hashed(f"{secret}:{nonce}:{told['cnonce']}")
        middle = nonce
        if self.qop:
            middle = f"{nonce}:{told.get('nc')}:{told.get('cnonce')}:{told.get('qop')}"
        response = hashed(f"{secret}:{middle}:{hashed(f'{method}:{uri}')}")
        is_right = told.get("response") == response and told.get("uri") == uri
        is_right = is_right and told.get("opaque") == "o,1"
        if not is_right:
            return False, False
        self._used += 1
        if self.stale_after and self._used > self.stale_after:
            self._nonce, self._used = self._nonce + 1, 0
            self._counts.clear()
            return False, True
        if nonce != f"n{self._nonce}":
            return False, True
        if self.qop:  # a count is used once
            count = f"{told['cnonce']} {told['nc']}"
            assert count not in self._counts
            self._counts.add(count)
        return True, False


class _Connection:
    def __init__(
        self, camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.camera, self.reader, self.writer = camera, reader, writer
        self.streaming: asyncio.Task[None] | None = None
        self.udp: asyncio.DatagramTransport | None = None
        self.client_port = 0

    async def serve(self) -> None:
        while True:
            head = await self._request()
            first, _, _ = head.partition("\r\n")
            method, uri, _ = first.split(" ")
            self.camera.heard.append(method)
            self.camera.heads.append(head)
            if self.camera.says_instead:
                self.writer.write(self.camera.says_instead)
                continue
            found = re.search(r"CSeq: (\d+)", head)
            assert found, head
            own = self.camera.answers.get(method)
            if callable(own):
                done = own(self.writer)
                if asyncio.iscoroutine(done):
                    await done
                continue
            refused = self.camera.refuses(method, uri, head)
            if refused is not None:
                self._answer(found[1], (401, refused, b""))
                continue
            self._answer(found[1], own or await self._usual(method, head))
            if method == "PLAY" and own is None:
                self.streaming = asyncio.create_task(self._stream())

    async def _request(self) -> str:
        while True:
            first = await self.reader.readexactly(1)
            if first != b"$":
                rest = await self.reader.readuntil(b"\r\n\r\n")
                return (first + rest).decode()
            size = struct.unpack(">BH", await self.reader.readexactly(3))[1]
            report = await self.reader.readexactly(size)
            assert report[1] == 201, report
            self.camera.heard.append("report")

    def _answer(self, cseq: str, answer: Answer) -> None:
        status, headers, body = answer
        lines = [f"RTSP/1.0 {status} Whatever", f"CSeq: {cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    async def _usual(self, method: str, head: str) -> Answer:
        camera = self.camera
        if method == "DESCRIBE":
            body = camera.sdp if camera.sdp is not None else sdp_of(None)
            return 200, {"Content-Base": camera.url + "/"}, body
        if method == "SETUP":
            way = "tcp" if "RTP/AVP/TCP" in head else "udp"
            if way not in camera.transports:
                return 461, {}, b""
            session = {"Session": f"abc;timeout={camera.timeout_s}"}
            if way == "tcp":
                return 200, {**session, "Transport": "RTP/AVP/TCP;unicast;interleaved=4-5"}, b""
            return 200, {**session, "Transport": await self._udp(head)}, b""
        return 200, {}, b""

    async def _udp(self, head: str) -> str:
        ports = re.search(r"client_port=(\d+)-(\d+)", head)
        assert ports
        assert int(ports[1]) % 2 == 0
        assert int(ports[2]) == int(ports[1]) + 1
        self.client_port = int(ports[1])
        loop = asyncio.get_running_loop()
        self.udp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        own = self.udp.get_extra_info("sockname")[1]
        return f"RTP/AVP;unicast;client_port={ports[1]}-{ports[2]};server_port={own}-{own}"

    async def _stream(self) -> None:
        camera, sequence, number = self.camera, 65_500, 0  # both soon wrap
        ticks = 2**32 - 10 * TICKS
        while True:
            unit = camera.units[number % len(camera.units)]
            payloads = packets_of(unit, camera.mtu)
            made = []
            for index, payload in enumerate(payloads):
                packet = rtp(sequence, ticks, payload, marker=index == len(payloads) - 1)
                if not camera.drops(sequence - 65_500):
                    made.append(packet)
                sequence += 1
            self._send(made)
            number, ticks = number + 1, ticks + TICKS
            if number == camera.dies_after:
                self.writer.transport.abort()
                return
            if number == camera.stalls_after:
                return
            await self.writer.drain()
            await asyncio.sleep(1 / camera.rate)

    def _send(self, packets: Iterable[bytes]) -> None:
        if self.udp is None:
            sent = (struct.pack(">BBH", 0x24, 4, len(one)) + one for one in packets)
            self.writer.write(b"".join(sent))
            return
        order = list(packets)
        if self.camera.shuffles:
            order[1:] = [one for pair in _pairs(order[1:]) for one in reversed(pair)]
        for one in order:
            self.udp.sendto(one, ("127.0.0.1", self.client_port))

    def stop(self) -> None:
        if self.streaming is not None:
            self.streaming.cancel()
        if self.udp is not None:
            self.udp.close()


def _pairs(items: list[bytes]) -> Iterable[list[bytes]]:
    return (items[at : at + 2] for at in range(0, len(items), 2))
