"""The practice metro is a believable city, whole, and the same city for the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from functools import cache

import msgspec

from farolito.geo.street_map import StreetMap
from farolito.simulator.metro import CENTRE, make_metro


@cache
def metro() -> StreetMap:
    return make_metro(7)


def test_a_seed_draws_the_same_city_in_any_process() -> None:
    program = (
        "import hashlib, msgspec; from farolito.simulator.metro import make_metro;"
        "print(hashlib.sha256(msgspec.msgpack.encode(make_metro(7))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_draws_another_city() -> None:
    assert msgspec.msgpack.encode(make_metro(8)) != msgspec.msgpack.encode(metro())


def test_every_corner_can_be_driven_to_and_from() -> None:
    follow: dict[bool, dict[int, set[int]]] = {True: defaultdict(set), False: defaultdict(set)}
    for s in metro().segments:
        if s.kind == "path":
            continue
        for start, end, allowed in (
            (s.start, s.end, s.oneway >= 0),
            (s.end, s.start, s.oneway <= 0),
        ):
            if allowed:
                follow[True][start].add(end)
                follow[False][end].add(start)
    on_road = {n for s in metro().segments if s.kind != "path" for n in (s.start, s.end)}
    for edges in follow.values():
        seen, todo = {0}, [0]
        while todo:
            for n in edges[todo.pop()] - seen:
                seen.add(n)
                todo.append(n)
        assert seen == on_road


def test_it_has_what_makes_the_city() -> None:
    city = metro()
    assert 2_000 <= len(city.segments) <= 6_000
    kinds = {a.kind for a in city.areas}
    assert {"city", "county", "tribal", "river", "university", "old_town", "park", "beat"} <= kinds
    assert len([a for a in city.areas if a.kind == "tribal"]) == 2
    assert {lm.kind for lm in city.landmarks} == {
        "pole", "signal", "school", "hospital", "station", "camera_mount",
    }  # fmt: skip
    assert len({s.name.rsplit(" ", 1)[0] for s in city.segments if s.kind == "motorway"}) == 3
    assert 5_000 <= len(city.buildings) <= 16_000


def test_the_river_is_crossed_only_by_bridges() -> None:
    river = next(a for a in metro().areas if a.kind == "river").ring
    west = {round(lat, 3): lon for lat, lon in river[: len(river) // 2]}
    crossing = set()
    for s in metro().segments:
        for (lat_a, lon_a), (_, lon_b) in zip(s.line, s.line[1:], strict=False):
            middle = west[min(west, key=lambda lat: abs(lat - lat_a))] + 0.0007
            over = (lon_a - middle) * (lon_b - middle) < 0
            if over and abs(lat_a - CENTRE[0]) < 0.036 and "Ramp" not in s.name:
                crossing.add(s.name)
    assert len(crossing) == 7  # five streets and both ways of one interstate


def test_addresses_count_up_along_a_street_and_never_meet_across_it() -> None:
    for s in metro().segments:
        if s.left is not None and s.right is not None:
            assert s.left[0] % 2 == s.left[1] % 2
            assert s.right[0] % 2 == s.right[1] % 2 != s.left[0] % 2
            assert (s.left[0] < s.left[1]) == (s.right[0] < s.right[1])


def test_streets_start_and_end_where_their_nodes_are() -> None:
    at = {n.node_id: n.at for n in metro().nodes}
    for s in metro().segments:
        assert s.line[0] == at[s.start]
        assert s.line[-1] == at[s.end]
