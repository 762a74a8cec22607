"""The Merkle tree of RFC 6962 §2, as arithmetic over ranges of entries.

A *node* is a complete subtree: (level, number) covers the entries
[number · 2^level, (number + 1) · 2^level). It never changes once it is full, so nodes are what is
kept, and every root and proof is a fold over a handful of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int]
NodeHash = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def nodes_of(first: int, end: int) -> list[Node]:
    """The fewest nodes that cover exactly [first, end), from left to right."""
    nodes = []
    while first < end:
        fits = (end - first).bit_length() - 1
        aligned = (first & -first).bit_length() - 1 if first else fits
        level = min(fits, aligned)
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over nodes of falling size, from left to right (the ragged right edge)."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """The right edge of a growing tree: the nodes that cover [0, size). At most 64 hashes."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """`hashes`: of `nodes_of(0, size)`, in that order."""
        self.size = size
        self.hashes = list(hashes)
        assert len(self.hashes) == size.bit_count(), "a frontier has a hash per set bit of its size"

    def copy(self) -> Frontier:
        return Frontier(self.size, self.hashes)

    def append(self, hash_: bytes, level: int = 0) -> None:
        """Add the next node: a leaf, or a whole subtree whose place is aligned to its size."""
        assert self.size & ((1 << level) - 1) == 0, "a subtree goes in at a multiple of its size"
        at = self.size >> level
        while at & 1:
            hash_ = node_hash(self.hashes.pop(), hash_)
            at >>= 1
        self.hashes.append(hash_)
        self.size += 1 << level

    def root(self) -> bytes:
        return fold(self.hashes)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(first: int, end: int) -> int:
    """Where RFC 6962 divides [first, end): the largest power of two below its length."""
    return first + (1 << ((end - first - 1).bit_length() - 1))


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose hashes prove entry `index` in a tree of `size`, leaf's sibling first."""
    assert 0 <= index < size, "the entry is in the tree"
    ranges = []
    first, end = 0, size
    while end - first > 1:
        middle = _split(first, end)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges that prove a tree of `old` entries to be a prefix of one of `new` (§2.1.2)."""
    assert 0 <= old <= new, "a tree grows"
    if old in (0, new):
        return []
    ranges = []
    first, end = 0, new
    while old != end:
        middle = _split(first, end)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    if first:  # the old tree's last subtree; where it is the whole old tree, the verifier has it
        ranges.append((first, end))
    return ranges[::-1]


def hashes_of(ranges: Iterable[tuple[int, int]], node: NodeHash) -> list[bytes]:
    """One hash a range, folded from its nodes."""
    return [fold([node(*at) for at in nodes_of(first, end)]) for first, end in ranges]


def includes(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows `leaf` at `index` of the tree with `root` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, hash_ = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            hash_ = node_hash(sibling, hash_)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and hash_ == root


def is_prefix(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows the old tree to be a prefix of the new one (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    of_old = of_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            of_old = node_hash(sibling, of_old)
            of_new = node_hash(sibling, of_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            of_new = node_hash(of_new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root
