from __future__ import annotations

import bz2
from pathlib import Path
from xml.etree import ElementTree

import pytest

from farolito.geo import StreetMap
from farolito.ingest.map import Box, read_map
from farolito.ingest.map import osm_xml as osm_xml_reader
from farolito.model.errors import Rejected
from tests.ingest.map.pbf_samples import Place, Way, write_pbf

NODES = """
<node id="1" lat="35.000" lon="-106.600"/><node id="2" lat="35.000" lon="-106.599"/>
<node id="3" lat="35.000" lon="-106.598"><tag k="highway" v="traffic_signals"/></node>
<node id="4" lat="35.001" lon="-106.599"/><node id="5" lat="34.999" lon="-106.599"/>
"""


def way(number: int, refs: str, **tags: str) -> str:
    nds = "".join(f'<nd ref="{ref}"/>' for ref in refs.split())
    return f'<way id="{number}">{nds}{tag_lines(tags)}</way>'


def tag_lines(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())


def osm(*parts: str) -> bytes:
    return f'<?xml version="1.0"?><osm version="0.6">{NODES}{"".join(parts)}</osm>'.encode()


def read(folder: Path, body: bytes, name: str = "town.osm", box: Box | None = None) -> StreetMap:
    (folder / name).write_bytes(body)
    return read_map([folder / name], "town", box=box).street_map


def rejection(folder: Path, body: bytes, name: str = "town.osm") -> Rejected:
    with pytest.raises(Rejected) as caught:
        read(folder, body, name)
    return caught.value


MAIN = way(10, "1 2 3", highway="primary", name="Main St")
CROSS = way(11, "4 2 5", highway="residential", name="Oak St")


def test_two_ways_that_share_a_node_meet_there(tmp_path: Path) -> None:
    town = read(tmp_path, osm(MAIN, CROSS))
    assert len(town.segments) == 4
    assert len(town.nodes) == 5
    ends = [n for s in town.segments for n in (s.start, s.end)]
    assert max(ends.count(node.node_id) for node in town.nodes) == 4


def test_a_bridge_over_a_street_does_not_meet_it(tmp_path: Path) -> None:
    over = way(12, "4 5", highway="residential", name="Oak St")
    town = read(tmp_path, osm(MAIN, over))
    assert len(town.segments) == 2


@pytest.mark.parametrize(
    ("tags", "oneway"),
    [
        ({"highway": "residential"}, 0),
        ({"highway": "residential", "oneway": "yes"}, 1),
        ({"highway": "residential", "oneway": "-1"}, -1),
        ({"highway": "motorway"}, 1),
        ({"highway": "motorway", "oneway": "no"}, 0),
        ({"highway": "tertiary", "junction": "roundabout"}, 1),
    ],
)
def test_one_ways_are_read_told_or_implied(
    tmp_path: Path, tags: dict[str, str], oneway: int
) -> None:
    assert read(tmp_path, osm(way(10, "1 2", **tags))).segments[0].oneway == oneway


@pytest.mark.parametrize(
    ("limit", "speed_mps"),
    [("35 mph", 15.65), ("50", 13.89), ("walk", 11.2), ("0", 11.2), ("99999", 11.2)],
)
def test_a_speed_limit_has_its_unit(tmp_path: Path, limit: str, speed_mps: float) -> None:
    town = read(tmp_path, osm(way(10, "1 2", highway="residential", maxspeed=limit)))
    assert town.segments[0].speed_mps == pytest.approx(speed_mps, abs=0.01)


def test_a_way_cut_by_the_extracts_edge_keeps_what_is_inside(tmp_path: Path) -> None:
    town = read(tmp_path, osm(way(10, "1 2 999 3 4", highway="residential")))
    assert [len(s.line) for s in town.segments] == [2, 2]


def test_a_box_leaves_out_what_lies_beyond(tmp_path: Path) -> None:
    far = '<node id="8" lat="36" lon="-106"/><node id="9" lat="36" lon="-106.01"/>'
    beyond = way(12, "8 9", highway="residential", name="Far Rd")
    town = read(tmp_path, osm(far, MAIN, beyond), box=Box(34.9, -106.7, 35.1, -106.5))
    assert {s.name for s in town.segments} == {"Main St"}


def test_buildings_parks_signals_and_schools_come_along(tmp_path: Path) -> None:
    town = read(
        tmp_path,
        osm(
            MAIN,
            way(20, "1 2 4 1", building="yes", building__levels="3", addr__housenumber="12",
                addr__street="Main St"),
            way(21, "1 2 5 1", leisure="park", name="Small Park"),
            way(22, "2 3 4 2", amenity="school", name="First School"),
        ),
    )  # fmt: skip
    assert [(b.height_m, b.address) for b in town.buildings] == [(9.0, "12 Main St")]
    assert [(a.name, a.kind) for a in town.areas] == [("Small Park", "park")]
    assert {(m.name, m.kind) for m in town.landmarks} == {
        ("", "signal"),
        ("First School", "school"),
    }


def test_a_nations_land_of_several_ways_is_one_area(tmp_path: Path) -> None:
    pieces = way(30, "1 5 3") + way(31, "1 4 3")
    tags = {"type": "boundary", "boundary": "aboriginal_lands", "name": "Test Pueblo"}
    relation = (
        '<relation id="1"><member type="way" ref="31" role="outer"/>'
        f'<member type="way" ref="30" role="outer"/>{tag_lines(tags)}</relation>'
    )
    town = read(tmp_path, osm(MAIN, pieces, relation))
    assert [(a.name, a.kind, len(a.ring)) for a in town.areas] == [("Test Pueblo", "tribal", 5)]
    assert town.areas[0].ring[0] == town.areas[0].ring[-1]


def test_a_truncated_bz2_says_download_it_again(tmp_path: Path) -> None:
    error = rejection(tmp_path, bz2.compress(osm(MAIN, CROSS))[:-10], "town.osm.bz2")
    assert error.reason == "truncated"
    assert "download it again" in error.do


@pytest.mark.parametrize("cut", [1, 10, 30, 100])
def test_a_truncated_xml_is_named_so(tmp_path: Path, cut: int) -> None:
    assert rejection(tmp_path, osm(MAIN)[:-cut]).reason == "truncated"


def test_a_bomb_of_entities_is_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE osm [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><osm>&b;</osm>'
    assert rejection(tmp_path, bomb).reason == "unsafe_xml"


def test_a_file_that_unpacks_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osm_xml_reader, "XML_BYTES_MAX", 1000)
    body = bz2.compress(b"<osm>" + b" " * 100_000 + b"</osm>")
    assert rejection(tmp_path, body, "town.osm.bz2").reason == "too_large"


def test_a_file_without_a_road_says_what_to_add(tmp_path: Path) -> None:
    error = rejection(tmp_path, osm(way(21, "1 2 5 1", leisure="park")))
    assert error.reason == "no_roads"
    assert "OpenStreetMap" in error.do


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("town.osm", b""),
        ("town.osm", b"\x00\xff" * 50),
        ("town.osm", b"<html><body>404</body></html>"),
        ("town.osm.bz2", b"<html>not bz2</html>"),
        ("town.osm.gz", b"\x1f\x8b\x08\x00garbage"),
        ("town.osm.pbf", b"<html>not pbf</html>"),
        ("town.osm.pbf", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x10garbage garbage"),
        ("town.osm.pbf", b""),
    ],
)
def test_noise_is_rejected_by_name(tmp_path: Path, name: str, body: bytes) -> None:
    assert rejection(tmp_path, body, name).reason in {"unreadable", "truncated", "no_roads"}


def test_a_way_with_a_wrong_number_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "town.osm").write_bytes(osm(MAIN, way(12, "1 x", highway="residential")))
    imported = read_map([tmp_path / "town.osm"], "town")
    assert len(imported.street_map.segments) == 1
    assert dict(imported.skipped) == {"way with a missing or wrong number": 1}


def test_a_pbf_makes_the_same_streets_as_its_xml(tmp_path: Path) -> None:
    places = {
        n.attrib["id"]: Place(
            float(n.attrib["lat"]),
            float(n.attrib["lon"]),
            {t.attrib["k"]: t.attrib["v"] for t in n},
        )
        for n in ElementTree.fromstring(osm())
    }
    streets = [
        Way(10, [1, 2, 3], {"highway": "primary", "name": "Main St", "oneway": "yes"}),
        Way(11, [4, 2, 5], {"highway": "residential", "name": "Oak St", "maxspeed": "20 mph"}),
    ]
    body = write_pbf({int(i): place for i, place in places.items()}, streets)
    as_xml = osm(*(way(w.way_id, " ".join(map(str, w.refs)), **w.tags) for w in streets))
    by_pbf, by_xml = read(tmp_path, body, "town.osm.pbf"), read(tmp_path, as_xml)
    assert by_pbf.segments == by_xml.segments
    assert by_pbf.nodes == by_xml.nodes
    assert by_pbf.landmarks == by_xml.landmarks


@pytest.mark.real_input
def test_west_oakland_is_read_whole(real_inputs: Path) -> None:
    town = read_map([real_inputs / "map" / "West-Oakland.osm.bz2"], "west-oakland").street_map
    assert {"7th Street", "Willow Street"} <= {s.name for s in town.segments}
    assert len(town.segments) > 50
    assert "ODbL" in town.source


@pytest.mark.real_input
def test_west_oakland_as_pbf_has_the_same_streets(real_inputs: Path, tmp_path: Path) -> None:
    source = real_inputs / "map" / "West-Oakland.osm.bz2"
    root = ElementTree.fromstring(bz2.decompress(source.read_bytes()))
    tags = {e: {t.attrib["k"]: t.attrib["v"] for t in e.iterfind("tag")} for e in root}
    nodes = {
        int(e.attrib["id"]): Place(float(e.attrib["lat"]), float(e.attrib["lon"]), tags[e])
        for e in root.iterfind("node")
    }
    ways = [
        Way(int(e.attrib["id"]), [int(nd.attrib["ref"]) for nd in e.iterfind("nd")], tags[e])
        for e in root.iterfind("way")
        if all(int(nd.attrib["ref"]) in nodes for nd in e.iterfind("nd"))
    ]
    by_pbf = read(tmp_path, write_pbf(nodes, ways), "oakland.osm.pbf")
    by_xml = read_map([source], "west-oakland").street_map
    lines = {frozenset((s.line, s.line[::-1])) for s in by_xml.segments}
    assert {frozenset((s.line, s.line[::-1])) for s in by_pbf.segments} == lines
