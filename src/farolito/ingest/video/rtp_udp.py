"""RTP over UDP: a pair of ports, packets put back in order, and what a receiver reports."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import struct
from collections.abc import Callable
from functools import partial

from farolito.codec import Broken
from farolito.ingest.video.rtp import Depacketizer
from farolito.ingest.video.rtsp_line import Meter
from farolito.model import PictureState

HELD_MAX = 32  # packets that wait for one before them: 0.15 s of 2 Mbit/s; then it is lost
RECEIVE_BYTES = 2 * 2**20  # in the kernel: a key picture comes at once
_PAIR_TRIES = 50
_LATE_PACKETS_MAX = 100
_SERVER_PORTS = re.compile(r"server_port=(\d{1,5})-(\d{1,5})")
_OWN_SSRC = 0x0FA20117


class Reorder:
    """Gives packets in the order of their numbers; holds at most HELD_MAX."""

    def __init__(self, give: Callable[[bytes], None]) -> None:
        self._give = give
        self._next = -1
        self._held: dict[int, bytes] = {}

    def take(self, data: bytes) -> None:
        if len(data) < 12:
            return
        sequence = data[2] << 8 | data[3]
        ahead = (sequence - self._next) & 0xFFFF if self._next >= 0 else 0
        if ahead > 0x10000 - _LATE_PACKETS_MAX:
            return
        if ahead == 0:
            self._pass(sequence, data)
        elif ahead > _LATE_PACKETS_MAX * 10:  # the camera began anew
            self._held.clear()
            self._pass(sequence, data)
        else:
            self._held[sequence] = data
            if len(self._held) > HELD_MAX:
                nearest = min(self._held, key=lambda one: (one - self._next) & 0xFFFF)
                self._pass(nearest, self._held.pop(nearest))

    def _pass(self, sequence: int, data: bytes) -> None:
        self._give(data)
        self._next = (sequence + 1) & 0xFFFF
        while (following := self._held.pop(self._next, None)) is not None:
            self._give(following)
            self._next = (self._next + 1) & 0xFFFF


class UdpPair:
    """Our two ports for one track. Takes packets from `address` alone, whatever it calls itself."""

    def __init__(self, own: str, address: str, meter: Meter, fail: Callable[[Exception], None]):
        self._address = address
        self._meter = meter
        self._fail = fail
        self._sockets = _bound_pair(own)
        self.ports = tuple(int(one.getsockname()[1]) for one in self._sockets)
        self._transports: list[asyncio.DatagramTransport] = []
        self._server_ports = (0, 0)

    async def open(self, track: Depacketizer, transport_header: str) -> None:
        """`transport_header`: what the camera answered to SETUP. Raises Broken."""
        found = _SERVER_PORTS.search(transport_header)
        if found and all(1024 <= int(one) < 65536 for one in found.groups()):
            self._server_ports = (int(found[1]), int(found[2]))
        loop = asyncio.get_running_loop()
        order = Reorder(track.datagram)

        def media(data: bytes) -> None:
            track.received_us = self._meter.came(len(data))
            order.take(data)

        def control(data: bytes) -> None:
            self._meter.came(len(data))

        for one, take in zip(self._sockets, (media, control), strict=True):
            protocol = _Datagrams(self._address, take, self._fail)
            transport, _ = await loop.create_datagram_endpoint(partial(_same, protocol), sock=one)
            self._transports.append(transport)
        self._send(0, struct.pack(">BBHII", 0x80, 0, 0, 0, _OWN_SSRC))  # opens the way back
        self.report(track)

    def report(self, track: Depacketizer) -> None:
        self._send(1, receiver_report(track))

    def _send(self, which: int, data: bytes) -> None:
        if self._server_ports[which] and len(self._transports) > which:
            self._transports[which].sendto(data, (self._address, self._server_ports[which]))

    def close(self) -> None:
        for transport in self._transports:
            transport.close()
        for one in self._sockets[len(self._transports) :]:
            one.close()


def _same(protocol: _Datagrams) -> _Datagrams:
    return protocol


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(
        self, address: str, take: Callable[[bytes], object], fail: Callable[[Exception], None]
    ) -> None:
        self._address = address
        self._take = take
        self._fail = fail

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        if addr[0] != self._address:
            return
        try:
            self._take(data)
        except Broken as broken:
            self._fail(broken)

    def error_received(self, exc: Exception) -> None:
        """A port of the camera is closed: what it sends tells more than that."""


def receiver_report(track: Depacketizer) -> bytes:
    """RFC 3550, 6.4.2. Some cameras end a stream that nobody reports on."""
    if not track.ssrc:
        return struct.pack(">BBHI", 0x80, 201, 1, _OWN_SSRC)
    lost = min(track.lost, 0x7FFFFF)
    return struct.pack(
        ">BBHIIIIIII",
        *(0x81, 201, 7, _OWN_SSRC, track.ssrc, lost, track.highest_sequence, 0, 0, 0),
    )


def _bound_pair(own: str) -> tuple[socket.socket, socket.socket]:
    """Sockets on an even port and the odd one above it, as RFC 3550, 11 asks. Raises Broken."""
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    for _ in range(_PAIR_TRIES):
        first = _bound(family, own, 0)
        port = first.getsockname()[1]
        try:
            second = _bound(family, own, port ^ 1)
        except OSError as error:
            first.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EINVAL):
                break
            continue
        return (first, second) if port % 2 == 0 else (second, first)
    raise Broken(PictureState.UNREACHABLE, "no two UDP ports are free here", "use TCP for it")


def _bound(family: socket.AddressFamily, own: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        made.bind((own, port))
    except OSError:
        made.close()
        raise
    return made
