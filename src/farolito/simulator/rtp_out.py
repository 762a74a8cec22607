"""H.264 pictures as RTP packets (RFC 6184, packetization-mode 1), for any number who pull them.

All who pull one stream get the same packets, numbers and times: a picture is cut up once, and for
TCP it is one piece of bytes that is written to each.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Sequence
from typing import Protocol

PAYLOAD_BYTES_MAX = 1_400
PAYLOAD_TYPE = 96
CLOCK_HZ = 90_000
AT_ONCE_PACKETS, AT_ONCE_EVERY_S = 24, 0.002  # over UDP: 130 Mbit/s
WAITING_BYTES_MAX = 4_000_000  # behind this much, whoever pulls misses pictures until the next key

_HEAD = struct.Struct(">BBHII")
_FRAMING = struct.Struct(">cBH")


def payloads(nals: Sequence[bytes]) -> list[bytes]:
    """Single NAL units, or FU-A fragments of long ones."""
    found = []
    for nal in nals:
        if len(nal) <= PAYLOAD_BYTES_MAX:
            found.append(nal)
            continue
        indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
        step = PAYLOAD_BYTES_MAX - 2
        for first in range(1, len(nal), step):
            flags = (0x80 if first == 1 else 0) | (0x40 if first + step >= len(nal) else 0)
            found.append(bytes((indicator, flags | kind)) + nal[first : first + step])
    return found


class Packets:
    """One stream's packets: numbers grow without holes, whoever pulls."""

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.sequence = ssrc & 0xFFF  # of the next packet

    def cut(self, parts: Sequence[bytes], rtp_time: int) -> list[bytes]:
        packets = []
        last = len(parts) - 1
        for i, part in enumerate(parts):
            marked = PAYLOAD_TYPE | (0x80 if i == last else 0)
            head = _HEAD.pack(0x80, marked, self.sequence, rtp_time & 0xFFFFFFFF, self.ssrc)
            self.sequence = (self.sequence + 1) & 0xFFFF
            packets.append(head + part)
        return packets


def interleaved(packets: Sequence[bytes], channel: int) -> bytes:
    """For the RTSP connection itself (RFC 2326, 10.12)."""
    return b"".join(_FRAMING.pack(b"$", channel, len(p)) + p for p in packets)


class Puller(Protocol):
    """Somebody who gets a stream. `channel` None: over UDP."""

    channel: int | None

    def take(self, packets: list[bytes], whole: bytes, is_key: bool) -> None: ...


class OverTcp:
    """By the connection on which it was asked for."""

    def __init__(self, transport: asyncio.WriteTransport, channel: int) -> None:
        self.channel: int | None = channel
        self._transport = transport
        self._waits_for_key = True

    def take(self, packets: list[bytes], whole: bytes, is_key: bool) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > WAITING_BYTES_MAX:
            self._waits_for_key = True
            return
        if self._waits_for_key and not is_key:
            return
        self._waits_for_key = False
        self._transport.write(whole)


class OverUdp:
    """Datagrams to a port of the one who asked, no faster than a camera's wire has them: a key
    picture at once is more than a receiver's socket takes in (some 90 datagrams on Linux)."""

    def __init__(self, transport: asyncio.DatagramTransport, to: tuple[str, int]) -> None:
        self.channel: int | None = None
        self._transport, self._to = transport, to
        self._waits_for_key = True
        self._waiting: deque[bytes] = deque()
        self._goes_on: asyncio.TimerHandle | None = None

    def take(self, packets: list[bytes], whole: bytes, is_key: bool) -> None:
        if self._waits_for_key and not is_key:
            return
        self._waits_for_key = False
        self._waiting.extend(packets)
        if self._goes_on is None:
            self._send()

    def _send(self) -> None:
        self._goes_on = None
        if self._transport.is_closing():
            return
        for _ in range(min(len(self._waiting), AT_ONCE_PACKETS)):
            self._transport.sendto(self._waiting.popleft(), self._to)
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._goes_on = loop.call_later(AT_ONCE_EVERY_S, self._send)
