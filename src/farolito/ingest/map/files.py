"""A StreetMap on disk (`NAME.map`), beside its tiles: for routing and "street @ cross"."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import msgspec

from farolito.geo import StreetMap
from farolito.model.errors import FarolitoError, Rejected

MAP_BYTES_MAX = 2 << 30  # unpacked; a larger one is refused, a county is a hundredth of it
_HEAD = b"farolito map 1\n"  # then zlib of msgpack; the number grows when StreetMap changes
_DO = "import the map again: farolito map import"


def save(street_map: StreetMap, path: Path) -> int:
    """Writes the whole file or none. Same map, same bytes. The size in bytes."""
    body = _HEAD + zlib.compress(msgspec.msgpack.encode(street_map), 6)
    put_whole(path, body)
    return len(body)


def load(path: Path) -> StreetMap:
    """Raises Rejected where the file is none of ours, broken, or of another version."""
    body = path.read_bytes()
    if not body.startswith(_HEAD):
        raise Rejected("unreadable", f"{path.name} is not a map of this version", _DO)
    unpacker = zlib.decompressobj()
    try:
        packed = unpacker.decompress(body[len(_HEAD) :], MAP_BYTES_MAX)
        if not unpacker.eof:
            raise Rejected("truncated", f"{path.name} is cut short or too large", _DO)
        return msgspec.msgpack.decode(packed, type=StreetMap)
    except (zlib.error, msgspec.MsgspecError, FarolitoError) as error:
        if isinstance(error, Rejected):
            raise
        raise Rejected("unreadable", f"{path.name} is broken", _DO) from error


def put_whole(path: Path, body: bytes) -> None:
    """A reader sees the old file or the new one, never half of one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(body)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
