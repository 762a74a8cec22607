"""Boxes of ISO/IEC 14496-12, the stuff of an MP4 file: u32 size, four letters, content."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from farolito.model import Invalid

HEAD_BYTES = 8
UUID = b"uuid"
_HEAD = Struct(">I4s")
_LARGE = Struct(">Q")


class Box(NamedTuple):
    """`at`: of its first byte; `body` … `end`: what is in it."""

    kind: bytes
    at: int
    body: int
    end: int


def box(kind: bytes, *parts: bytes) -> bytes:
    return _HEAD.pack(HEAD_BYTES + sum(map(len, parts)), kind) + b"".join(parts)


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def boxes(raw: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes side by side in `raw[start:end]`. Raises Invalid where one reaches beyond."""
    end = len(raw) if end is None else end
    at = start
    while at < end:
        if end - at < HEAD_BYTES:
            raise Invalid("an MP4 file that ends inside a box's head")
        size, kind = _HEAD.unpack_from(raw, at)
        body = at + HEAD_BYTES
        if size == 1 and end - at >= HEAD_BYTES + 8:
            (size,) = _LARGE.unpack_from(raw, body)
            body += 8
        elif size == 0:
            size = end - at  # up to the end of the file
        if at + size > end or at + size < body:
            raise Invalid("a box of an MP4 file that reaches beyond what holds it")
        yield Box(kind, at, body, at + size)
        at += size


def find(raw: bytes | memoryview, path: str, start: int = 0, end: int | None = None) -> Box | None:
    """The first box under a path of plain boxes, `moov/trak/mdia`. Raises Invalid."""
    found: Box | None = None
    for name in path.split("/"):
        kind = name.encode()
        found = next((one for one in boxes(raw, start, end) if one.kind == kind), None)
        if found is None:
            return None
        start, end = found.body, found.end
    return found
