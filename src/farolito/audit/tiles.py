"""Tiles (c2sp.org/tlog-tiles): 256 hashes of one level side by side, kept and served as a file.

A tile's row L holds the nodes of tree level 8·L; the levels between are hashed when needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from farolito.audit.tree import HASH_BYTES, Node, node_hash
from farolito.model import Invalid

TILE_LEVELS = 8
TILE_HASHES = 1 << TILE_LEVELS
TILE_BYTES = TILE_HASHES * HASH_BYTES
LEVEL_MAX = 63
TILES_HASHED_MAX = 1_024  # 8 MB of tiles whose hash is remembered; past it the oldest goes

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


def path_of(level: int | None, number: int, width: int = TILE_HASHES) -> str:
    """`tile/<level>/<number>[.p/<width>]`; level None is the bundle of entries."""
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    partial = "" if width == TILE_HASHES else f".p/{width}"
    return f"tile/{'entries' if level is None else level}/{name}{partial}"


def parse_path(path: str) -> tuple[int | None, int, int]:
    """Level (None: entries), number and width. Raises Invalid for any other spelling."""
    match = _PATH.fullmatch(path)
    if not match:
        raise Invalid(f"the tile path {path[:80]!r}")
    level = None if match["level"] == "entries" else int(match["level"])
    number = int(match["number"].replace("x", "").replace("/", ""))
    width = int(match["width"]) if match["width"] else TILE_HASHES
    if (level or 0) > LEVEL_MAX or path_of(level, number, width) != path:
        raise Invalid(f"the tile path {path[:80]!r}")
    return level, number, width


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in 16 bits, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def tile_of(node: Node) -> tuple[int, int]:
    """The tile (level, number) that a node is computed from."""
    level, number = node
    row, within = divmod(level, TILE_LEVELS)
    return row, (number << within) // TILE_HASHES


def node_in(tile: bytes, node: Node) -> bytes:
    """A node's hash out of its tile."""
    level, number = node
    width = 1 << (level % TILE_LEVELS)
    first = (number * width) % TILE_HASHES
    part = tile[first * HASH_BYTES : (first + width) * HASH_BYTES]
    assert len(part) == width * HASH_BYTES, "the node is complete, so its tile reaches it"
    return _hash_over(part)


@lru_cache(maxsize=TILES_HASHED_MAX)
def whole(tile: bytes) -> bytes:
    """The hash over a full tile: the node that it is in the row above.

    A log's right edge wants that of up to 255 tiles of each row, 0.1 ms each, for every proof. What
    is remembered is remembered by the tile's own bytes, so that a changed tile is hashed anew.
    """
    assert len(tile) == TILE_BYTES, "only a full tile is a node"
    return _hash_over(tile)


def _hash_over(hashes: bytes) -> bytes:
    row = [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


class Edge:
    """The partial tiles at a log's right edge, a row a tile level. Growing it yields full tiles."""

    def __init__(self, size: int = 0, rows: Iterable[bytes] = ()) -> None:
        self.size = size
        self.rows = list(rows)

    def copy(self) -> Edge:
        return Edge(self.size, self.rows)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; the tiles that became full, as (level, number, hashes)."""
        full = []
        level, hash_ = 0, leaf
        while True:
            if level == len(self.rows):
                self.rows.append(b"")
            row = self.rows[level] + hash_
            self.rows[level] = row
            if len(row) < TILE_BYTES:
                break
            number = self.size >> (TILE_LEVELS * (level + 1))
            full.append((level, number, row))
            self.rows[level] = b""
            hash_ = whole(row)
            level += 1
        self.size += 1
        return full

    def tiles(self) -> dict[tuple[int, int], bytes]:
        """The partial tiles by (level, number)."""
        return {
            (level, self.size >> (TILE_LEVELS * (level + 1))): row
            for level, row in enumerate(self.rows)
            if row
        }


def full_below(size: int, tile: tuple[int, int]) -> bool:
    """Whether a tile is full in a log of `size` entries."""
    level, number = tile
    return (number + 1) << (TILE_LEVELS * (level + 1)) <= size


class Nodes:
    """Hashes of nodes, out of the tiles that were fetched for them."""

    def __init__(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        self._tiles = tiles

    def __call__(self, level: int, number: int) -> bytes:
        return node_in(self._tiles[tile_of((level, number))], (level, number))
