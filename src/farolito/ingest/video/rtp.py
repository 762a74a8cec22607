"""RTP packets into H.264 units (RFC 3550; RFC 6184, packetization mode 1).

300 cameras of 2 Mbit/s are 70,000 packets a second, so a packet costs one look at its header and
one copy of what it carries. A half picture is worse than none: after a loss nothing comes until
the next key picture that is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from farolito.codec import AccessUnit, Broken
from farolito.codec.h264 import DELIMITER, KEY_SLICE, PPS, SEI, SLICE, SPS, START, is_b_slice
from farolito.codec.sps import read_sps
from farolito.ingest.video.media_time import MediaTime
from farolito.model import PictureState

UNIT_BYTES_MAX = 4 * 2**20  # past it the line is given up: no camera's picture is so large
PARTS_MAX = 1024  # of a unit, before they are put together
PPS_BYTES_MAX = 1024
B_LOOKS_MAX = 250  # so many pictures are looked at for B slices after new parameter sets

Bytes = bytes | bytearray | memoryview

FRAME = 0x24  # "$", the beginning of an interleaved frame
_HEAD = struct.Struct(">BBHI")
_FRAME_HEAD = struct.Struct(">BBHBBHI4xBB")  # of the frame, of RTP, and of a fragment
_VERSION = 0x80
_EXTENDED, _PADDED = 0x10, 0x20
_MARKER = 0x80
_STAP_A, _FU_A = 24, 28
_START_BIT, _END_BIT = 0x80, 0x40
_LATE_PACKETS_MAX = 100  # RFC 3550, A.1: further back, and the camera began anew
_GAP_PACKETS_MAX = 3000  # further ahead: likewise

Sets = tuple[bytes, bytes]


class Depacketizer:
    """Takes the packets of one track as they came, gives whole units to `on_unit`.

    `sets`: SPS and PPS told beforehand; those of the stream replace them. Set `received_us` before
    packets are given. Raises Broken TOO_MUCH (a picture past UNIT_BYTES_MAX) or MALFORMED.
    """

    def __init__(
        self,
        payload_type: int,
        sets: Sets | None,
        on_unit: Callable[[AccessUnit], None],
        clock_hz: int = 90_000,
    ) -> None:
        self._payload_type = payload_type
        self._on_unit = on_unit
        self._time = MediaTime(clock_hz)
        self.received_us = 0
        self.units = self.keys = self.lost = self.spoiled = 0
        self.width = self.height = 0
        self.key_interval_s = 0.0
        self.has_b_frames = False
        self.ssrc = 0
        self._sps, self._pps = b"", b""
        self._b_looks = 0
        self._last_key_us: int | None = None

        self._next = self._asked = -1  # the sequence number that must come; -1: any
        self._unit: list[Bytes] = []  # parts; behind the first `_kept` cut out of where packets lie
        self._kept = self._kept_bytes = 0
        self._ticks = -1  # of the unit
        self._in_fragment = False
        self._is_whole = True
        self._is_silent = True  # until a key picture
        self._has_lost = False  # silent for a loss, not for the beginning
        self._has_slice = self._is_key = self._has_sps = self._has_pps = False
        self._set: bytearray | None = None  # a parameter set that comes in fragments
        self._trusts_marker = True
        self._ended_ticks = -1
        if sets:
            self._parameter_set(SPS, sets[0])
            self._parameter_set(PPS, sets[1])

    @property
    def highest_sequence(self) -> int:
        return (self._next - 1) & 0xFFFF

    def has_moved(self) -> bool:
        """Has a packet been taken since this was last asked?"""
        was, self._asked = self._asked, self._next
        return was != self._next

    def frames(self, raw: Bytes, view: Bytes, at: int, end: int, channel: int) -> int:
        """The interleaved frames (RFC 2326, 10.12) that are whole, and where the first other byte
        stands. Those of other channels are passed over."""
        unpack, payload_type = _FRAME_HEAD.unpack_from, self._payload_type
        while end - at >= _FRAME_HEAD.size:
            mark, to, size, first, second, sequence, ticks, head, part = unpack(raw, at)
            stop = at + 4 + size
            if mark != FRAME or stop > end:
                break
            if to != channel:
                at = stop
                continue
            # The rest of a large NAL: eight packets of nine, so they take the shortest way.
            if (
                sequence == self._next
                and part < _START_BIT
                and head & 0x1F == _FU_A
                and second & 0x7F == payload_type
                and ticks == self._ticks
                and first == _VERSION
                and self._in_fragment
                and self._set is None
                and size > 14
            ):
                self._unit.append(view[at + 18 : stop])
                self._next = (sequence + 1) & 0xFFFF
                if part & _END_BIT:
                    self._in_fragment = False
                if second & _MARKER:
                    self._marked()
            else:
                self.packet(raw, view, at + 4, stop)
            at = stop
        while end - at >= 4 and raw[at] == FRAME:  # the last ones, if they are short
            stop = at + 4 + (raw[at + 2] << 8 | raw[at + 3])
            if stop > end:
                break
            if raw[at + 1] == channel:
                self.packet(raw, view, at + 4, stop)
            at = stop
        if len(self._unit) > self._kept:
            self._keep()
        return at

    def datagram(self, data: bytes) -> None:
        """A packet that came alone."""
        self.packet(data, data, 0, len(data))
        if len(self._unit) > self._kept:
            self._keep()

    def _keep(self) -> None:
        """Copies what came of the unit, before the next packets lie there. Raises Broken."""
        new = b"".join(self._unit[self._kept :])
        self._kept_bytes += len(new)
        if self._kept_bytes > UNIT_BYTES_MAX:
            raise _too_large()
        self._unit[self._kept :] = [new]
        self._kept = len(self._unit)
        if self._kept > PARTS_MAX:
            self._unit = [b"".join(self._unit)]
            self._kept = 1

    def packet(self, raw: Bytes, view: Bytes, at: int, end: int) -> None:
        """The packet `raw[at:end]`; `view` is the same bytes, in the kind that is cheap to cut."""
        if end - at < 13:
            return
        first, second, sequence, ticks = _HEAD.unpack_from(raw, at)
        if first & 0xC0 != _VERSION or second & 0x7F != self._payload_type:
            return
        begin = at + 12
        if first & 0x3F:
            begin, end = _payload(raw, at, end)
            if begin >= end:
                return
        if (sequence != self._next or ticks != self._ticks) and not self._moves_on(
            raw, at, begin, end
        ):
            return
        self._next = (sequence + 1) & 0xFFFF

        kind = raw[begin] & 0x1F
        if kind == _FU_A:
            self._fragment(raw, view, begin, end)
        elif kind == _STAP_A:
            self._aggregate(raw, view, begin, end)
        elif 0 < kind < _STAP_A:
            self._is_whole = self._is_whole and not self._in_fragment
            self._nal(raw, view, begin, end)
        elif kind < 30:
            self._is_whole = False  # a mode that nobody agreed to
        if second & _MARKER:
            self._marked()

    def _marked(self) -> None:
        """A packet said that it is the last one of its unit."""
        if self._has_slice and self._trusts_marker:
            self._end_unit()
            self._ended_ticks = self._ticks

    def _moves_on(self, raw: Bytes, at: int, begin: int, end: int) -> bool:
        """At a new time, or after a gap. False: a packet that came too late or twice."""
        sequence, ticks = _HEAD.unpack_from(raw, at)[2:]
        has_gap = sequence != self._next
        if has_gap and self._next >= 0:
            ahead = (sequence - self._next) & 0xFFFF
            if ahead > 0x10000 - _LATE_PACKETS_MAX:
                return False
            self.lost += ahead if ahead < _GAP_PACKETS_MAX else 1
            self._is_whole = self._in_fragment = False
            self._go_silent()
        if ticks != self._ticks:
            if self._unit:
                self._end_unit()
            self._is_whole = True
            self._ticks = ticks
        if has_gap:
            self.ssrc = int.from_bytes(raw[at + 8 : at + 12], "big")
            if not self._unit:
                self._is_whole = _begins_picture(raw, begin, end)
        return True

    def _go_silent(self) -> None:
        self._has_lost = self._has_lost or not self._is_silent
        self._is_silent = True

    def _fragment(self, raw: Bytes, view: Bytes, begin: int, end: int) -> None:
        part = raw[begin + 1] if end - begin > 2 else 0
        if part & _START_BIT:
            self._is_whole = self._is_whole and not self._in_fragment
            self._in_fragment = True
            head = raw[begin] & 0xE0 | part & 0x1F
            self._begin_nal(head, raw[begin + 2])
            self._unit.append(bytes((head,)))
            self._set = bytearray((head,)) if part & 0x1F in (SPS, PPS) else None
        elif not self._in_fragment:
            self._is_whole = False
            return
        self._unit.append(view[begin + 2 : end])
        if self._set is not None:
            self._set += view[begin + 2 : end]
        if part & _END_BIT:
            self._in_fragment = False
            if self._set is not None:
                self._parameter_set(part & 0x1F, bytes(self._set))
                self._set = None

    def _nal(self, raw: Bytes, view: Bytes, begin: int, end: int) -> None:
        self._begin_nal(raw[begin], raw[begin + 1] if end - begin > 1 else 0)
        self._unit.append(view[begin:end])
        if raw[begin] & 0x1F in (SPS, PPS):
            self._parameter_set(raw[begin] & 0x1F, bytes(view[begin:end]))

    def _aggregate(self, raw: Bytes, view: Bytes, begin: int, end: int) -> None:
        self._is_whole = self._is_whole and not self._in_fragment
        at = begin + 1
        while at + 2 < end:
            size = raw[at] << 8 | raw[at + 1]
            at += 2
            if not 0 < size <= end - at:
                self._is_whole = False
                return
            self._nal(raw, view, at, at + size)
            at += size

    def _begin_nal(self, head: int, following: int) -> None:
        kind = head & 0x1F
        self._set = None
        if kind in (SLICE, KEY_SLICE):
            # A slice that does not begin its picture, after the marker that ended it.
            if self._ticks == self._ended_ticks and not self._has_slice and not following & 0x80:
                self._trusts_marker = self._is_whole = False
                self._go_silent()
            self._has_slice = True
            self._is_key = self._is_key or kind == KEY_SLICE
        elif kind == SPS:
            self._has_sps = True
        elif kind == PPS:
            self._has_pps = True
        self._unit.append(START)

    def _parameter_set(self, kind: int, nal: bytes) -> None:
        if kind == PPS:
            self._pps = nal if len(nal) <= PPS_BYTES_MAX else b""
        elif nal != self._sps:
            read = read_sps(nal)
            self._sps, self.width, self.height = nal, read.width, read.height
            self._b_looks = 0 if read.reorder == 0 else B_LOOKS_MAX

    def _end_unit(self) -> None:
        if self._has_slice:
            self._give()
        self._unit = []
        self._kept = self._kept_bytes = 0
        self._is_whole = True
        self._in_fragment = False
        self._has_slice = self._is_key = self._has_sps = self._has_pps = False
        self._set = None

    def _give(self) -> None:
        is_whole = self._is_whole and not self._in_fragment
        if not is_whole:
            self._go_silent()
        elif self._is_key and self._sps and self._pps:
            self._is_silent = self._has_lost = False
        if self._is_silent:
            self.spoiled += self._has_lost or not is_whole
            return
        media_us = self._time.of(self._ticks)
        data = b"".join(self._unit)
        if self._is_key:
            data = self._with_sets(data)
            self._count_key(media_us)
        elif self._b_looks and not self.has_b_frames:
            self._b_looks -= 1
            self.has_b_frames = is_b_slice(_first_slice(data))
        self.units += 1
        self._on_unit(AccessUnit(data, media_us, self.received_us, self._is_key))

    def _with_sets(self, data: bytes) -> bytes:
        if self._has_sps and self._has_pps:
            return data
        return START + self._sps + START + self._pps + data

    def _count_key(self, media_us: int) -> None:
        self.keys += 1
        if self._last_key_us is not None:
            self.key_interval_s = (media_us - self._last_key_us) / 1e6
        self._last_key_us = media_us


def _payload(raw: Bytes, at: int, end: int) -> tuple[int, int]:
    """Where what a packet carries begins and ends; an empty one where its header lies."""
    first = raw[at]
    begin = at + 12 + 4 * (first & 0x0F)
    if first & _EXTENDED:
        if begin + 4 > end:
            return end, end
        begin += 4 + 4 * (raw[begin + 2] << 8 | raw[begin + 3])
    if first & _PADDED:
        end -= raw[end - 1]
    return begin, end


def _begins_picture(raw: Bytes, begin: int, end: int) -> bool:
    """May a picture begin with this payload? After a loss, nothing else tells."""
    kind = raw[begin] & 0x1F
    following = raw[begin + 1] if end - begin > 1 else 0
    if kind == _STAP_A and end - begin > 4:
        kind, following = raw[begin + 3] & 0x1F, raw[begin + 4]
    elif kind == _FU_A and end - begin > 2:
        if not following & _START_BIT:
            return False
        kind, following = following & 0x1F, raw[begin + 2]
    if kind in (SLICE, KEY_SLICE):
        return bool(following & 0x80)  # its first macroblock is the picture's
    return kind in (SEI, SPS, DELIMITER)


def _first_slice(unit: bytes) -> bytes:
    at = 0
    while (at := unit.find(START, at)) >= 0:
        at += len(START)
        if unit[at] & 0x1F in (SLICE, KEY_SLICE):
            return unit[at : at + 16]
    return b""


def _too_large() -> Broken:
    return Broken(
        PictureState.TOO_MUCH,
        f"the camera sends a picture of more than {UNIT_BYTES_MAX // 2**20} MiB",
        "lower its size or its quality",
    )
