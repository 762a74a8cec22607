"""A small writer of OpenStreetMap PBF (wiki.openstreetmap.org/wiki/PBF_Format), for tests."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Way(NamedTuple):
    way_id: int
    refs: Sequence[int]
    tags: Mapping[str, str]


class Place(NamedTuple):
    lat: float
    lon: float
    tags: Mapping[str, str]


def write_pbf(nodes: Mapping[int, Place], ways: Iterable[Way]) -> bytes:
    header = _text(4, "OsmSchema-V0.6") + _text(4, "DenseNodes")
    return _blob("OSMHeader", header) + _blob("OSMData", _block(nodes, list(ways)))


def _block(nodes: Mapping[int, Place], ways: Sequence[Way]) -> bytes:
    words: dict[str, int] = {"": 0}

    def word(text: str) -> int:
        return words.setdefault(text, len(words))

    ids, lats, lons, keys = [], [], [], []
    for node_id, place in sorted(nodes.items()):
        ids.append(node_id)
        lats.append(round(place.lat * 1e7))
        lons.append(round(place.lon * 1e7))
        keys += [word(part) for pair in place.tags.items() for part in pair] + [0]
    dense = _packed_deltas(1, ids) + _packed_deltas(8, lats) + _packed_deltas(9, lons)
    dense += _bytes(10, b"".join(map(_varint, keys)))
    group_of_ways = b""
    for way in sorted(ways):
        body = _number(1, way.way_id)
        body += _bytes(2, b"".join(_varint(word(k)) for k in way.tags))
        body += _bytes(3, b"".join(_varint(word(v)) for v in way.tags.values()))
        group_of_ways += _bytes(3, body + _packed_deltas(8, way.refs))
    table = b"".join(_text(1, text) for text in words)
    groups = _bytes(2, _bytes(2, dense)) + _bytes(2, group_of_ways)
    return _bytes(1, table) + groups


def _blob(kind: str, body: bytes) -> bytes:
    blob = _number(2, len(body)) + _bytes(3, zlib.compress(body))
    head = _text(1, kind) + _number(3, len(blob))
    return len(head).to_bytes(4, "big") + head + blob


def _packed_deltas(field: int, values: Sequence[int]) -> bytes:
    before, packed = 0, b""
    for value in values:
        delta = value - before
        packed += _varint(delta * 2 if delta >= 0 else -delta * 2 - 1)
        before = value
    return _bytes(field, packed)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
