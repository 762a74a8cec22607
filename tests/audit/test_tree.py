from __future__ import annotations

from hashlib import sha256

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.audit.tiles import Edge, Nodes, full_below, parse_path, path_of, tile_of
from farolito.audit.tree import (
    Frontier,
    consistency_ranges,
    hashes_of,
    includes,
    inclusion_ranges,
    is_prefix,
    leaf_hash,
    nodes_of,
    root_of,
)
from farolito.model import Invalid

# The entries and roots of the certificate transparency project's own tests of RFC 6962.
RFC_ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
RFC_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(b"entry %d" % i) for i in range(size)]


def node_of(all_leaves: list[bytes], level: int, number: int) -> bytes:
    return root_of(all_leaves[number << level : (number + 1) << level])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_known_vectors(size: int) -> None:
    root = root_of(leaf_hash(entry) for entry in RFC_ENTRIES[:size])
    assert root.hex() == RFC_ROOTS[size - 1]


def test_the_empty_log_has_the_hash_of_nothing_as_its_root() -> None:
    assert root_of([]) == sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 300])
def test_root_and_inclusion_proofs_equal_an_independent_library_s(size: int) -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for i in range(size):
        theirs.append_entry(b"entry %d" % i)
    ours = leaves(size)
    root = root_of(ours)
    assert root == theirs.get_root()
    for index in {0, size // 3, size - 1}:
        proof = hashes_of(inclusion_ranges(index, size), lambda *at: node_of(ours, *at))
        told = theirs.prove_inclusion(index + 1, size).serialize()["path"]
        assert [hash_.hex() for hash_ in proof] == told[1:]
        assert includes(index, size, ours[index], proof, root)


@settings(deadline=None)
@given(st.data())
def test_an_inclusion_proof_holds_for_its_entry_and_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size + 2))
    ours = leaves(size)
    root = root_of(ours)
    proof = hashes_of(inclusion_ranges(index, size), lambda *at: node_of(ours, *at))
    assert includes(index, size, ours[index], proof, root)
    assert not includes(index, size, leaf_hash(b"forged"), proof, root)
    assert other == index or not includes(other, size, ours[index], proof, root)
    assert not includes(index, size, ours[index], [*proof, root], root)
    assert not proof or not includes(index, size, ours[index], proof[:-1], root)


@settings(deadline=None)
@given(st.integers(0, 90), st.integers(0, 90))
def test_a_consistency_proof_holds_for_a_prefix_and_nothing_else(one: int, two: int) -> None:
    old, new = sorted((one, two))
    ours = leaves(new)
    old_root, new_root = root_of(ours[:old]), root_of(ours)
    proof = hashes_of(consistency_ranges(old, new), lambda *at: node_of(ours, *at))
    assert is_prefix(old, old_root, new, new_root, proof)
    rewritten = root_of([leaf_hash(b"rewritten"), *ours[1:old]])
    assert old == 0 or not is_prefix(old, rewritten, new, new_root, proof)
    assert not is_prefix(old, old_root, new, new_root, [*proof, new_root])
    assert not is_prefix(new + 1, old_root, new, new_root, proof)


def test_consistency_proofs_are_those_of_the_known_vectors() -> None:
    ours = [leaf_hash(entry) for entry in RFC_ENTRIES]
    proof = hashes_of(consistency_ranges(6, 8), lambda *at: node_of(ours, *at))
    assert [hash_.hex() for hash_ in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_nodes_cover_a_range_exactly(one: int, two: int) -> None:
    first, end = sorted((one, two))
    at = first
    for level, number in nodes_of(first, end):
        assert number << level == at
        at = (number + 1) << level
    assert at == end


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_a_frontier_continued_by_whole_subtrees_reaches_the_same_root(one: int, two: int) -> None:
    first, end = sorted((one, two))
    ours = leaves(end)
    frontier = Frontier(first, [node_of(ours, *at) for at in nodes_of(0, first)])
    for level, number in nodes_of(first, end):
        frontier.append(node_of(ours, level, number), level)
    assert frontier.root() == root_of(ours)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 66_000])
def test_tiles_give_every_node_back(size: int) -> None:
    ours = leaves(size)
    edge, kept = Edge(), {}
    for leaf in ours:
        kept.update({(level, number): row for level, number, row in edge.append(leaf)})
    assert all(full_below(size, tile) for tile in kept)
    nodes = Nodes({**edge.tiles(), **kept})
    for level in range(size.bit_length()):
        number = (size >> level) - 1
        assert nodes(level, number) == node_of(ours, level, number)
        assert tile_of((level, number))[0] == level // 8


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("tile/0/x001/x234/067", (0, 1234067, 256)),
        ("tile/3/000.p/17", (3, 0, 17)),
        ("tile/entries/999", (None, 999, 256)),
        ("tile/entries/x001/000.p/255", (None, 1000, 255)),
    ],
)
def test_tile_paths_are_the_standard_s(path: str, told: tuple[int | None, int, int]) -> None:
    assert parse_path(path) == told
    assert path_of(*told) == path


@pytest.mark.parametrize(
    "path", ["tile/00/000", "tile/0/x000/001", "tile/0/1", "tile/0/000.p/256", "tile/64/000", "x"]
)
def test_any_other_spelling_of_a_tile_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        parse_path(path)
