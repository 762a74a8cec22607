"""Cuts a TAK connection's bytes into messages: XML at `</event>`, protobuf by its length."""

from __future__ import annotations

from farolito.model import Rejected

EVENT_BYTES_MAX = 2**20  # an ATAK route has about 4 KB, a drawing with pictures some hundred
MESH_HEADER = b"\xbf\x01\xbf"
_END = b"</event>"
_VARINT_BYTES_MAX = 4  # 2**28 is far above EVENT_BYTES_MAX


def take_varint(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The number at `at` and where it ends; None where its bytes are not all here yet.

    Raises Rejected `too_large` for a number that no frame may have.
    """
    number = shift = 0
    for place in range(at, min(len(data), at + _VARINT_BYTES_MAX)):
        number |= (data[place] & 0x7F) << shift
        if not data[place] & 0x80:
            return number, place + 1
        shift += 7
    if len(data) - at >= _VARINT_BYTES_MAX:
        raise Rejected("too_large", "a frame that says it is over 256 MiB", "send version 1 frames")
    return None


class Framer:
    """Feed it what arrives; it gives whole messages, each as `cot.parse` takes it.

    Bytes that can begin no message are skipped and counted in `skipped`. A message over
    EVENT_BYTES_MAX raises Rejected, and the connection has to end: where the next one begins is
    not known. What came whole before it is given first.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._held = bytearray()
        self._searched = 0  # no end of an XML event begins before this place
        self._wrong: Rejected | None = None

    def feed(self, data: bytes) -> list[bytes]:
        if self._wrong is not None:
            raise self._wrong
        self._held += data
        whole: list[bytes] = []
        at = 0  # where the next message begins
        try:
            while (found := self._next(at)) is not None:
                begin, at = found
                if at > begin:
                    whole.append(bytes(self._held[begin:at]))
        except Rejected as why:
            self._wrong = why
            if not whole:
                raise
        del self._held[:at]
        self._searched = max(0, self._searched - at)
        return whole

    def _next(self, at: int) -> tuple[int, int] | None:
        """Where the next message begins and ends; both the same for bytes to skip."""
        held = self._held
        if at >= len(held):
            return None
        if held[at] == 0xBF:
            return self._proto_end(at)
        if held[at] != 0x3C:  # <
            return self._skip(at)
        end = held.find(_END, max(at, self._searched))
        if end >= 0:
            end += len(_END)
            _check(end - at)
            return at, end
        self._searched = max(at, len(held) - len(_END) + 1)
        _check(len(held) - at)
        return None

    def _proto_end(self, at: int) -> tuple[int, int] | None:
        found = take_varint(self._held, at + 1)
        if found is None:
            return None
        size, begin = found
        _check(size)
        return (at, begin + size) if begin + size <= len(self._held) else None

    def _skip(self, at: int) -> tuple[int, int]:
        places = (self._held.find(b"<", at), self._held.find(b"\xbf", at))
        to = min((place for place in places if place >= 0), default=len(self._held))
        self.skipped += len(self._held[at:to].strip())
        return to, to


def _check(size: int) -> None:
    if size > EVENT_BYTES_MAX:
        raise Rejected(
            "too_large", f"no end of an event in {EVENT_BYTES_MAX // 2**10} KiB", "send events"
        )
