from __future__ import annotations

from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from pmtiles.reader import MemorySource, Reader

from farolito.geo import Area, Building, Landmark, LatLon, Node, Segment, StreetMap
from farolito.geo.street_map import StreetKind
from farolito.ingest.map import build, load, read_map, save
from farolito.model.errors import FarolitoError, Rejected


def square(lat: float, lon: float, side: float) -> tuple[LatLon, ...]:
    a, b, c = (lat, lon), (lat, lon + side), (lat + side, lon + side)
    return (a, b, c, (lat + side, lon), a)


def segment(
    number: int, name: str, kind: StreetKind, oneway: Any, line: tuple[LatLon, ...]
) -> Segment:
    return Segment(
        segment_id=number, name=name, kind=kind, start=number, end=number + 1, line=line,
        oneway=oneway,
    )  # fmt: skip


def town() -> StreetMap:
    east = [(35.05, -106.60 + i / 100) for i in range(6)]
    north = [(35.05 + i / 100, -106.60) for i in range(6)]
    streets = [
        segment(1, "Interstate 25", "motorway", -1, tuple(north[:2])),
        segment(2, "Central Ave", "arterial", 0, tuple(east[:2])),
        segment(3, "Central Ave", "arterial", 0, tuple(east[1:4])),
        segment(4, "Oak St", "local", 0, tuple(north[2:4])),
        segment(5, "", "path", 0, tuple(north[3:5])),
    ]
    return StreetMap(
        name="town",
        source="made up",
        nodes=tuple(Node(i, at) for i, at in enumerate((*east, *north), 1)),
        segments=tuple(streets),
        areas=(
            Area("North Pueblo", "tribal", square(35.08, -107.5, 1.5)),
            Area("A Park", "park", square(35.055, -106.59, 0.01)),
        ),
        buildings=(Building(square(35.0501, -106.599, 0.0005), 12.5, None),),
        landmarks=(
            Landmark("Central @ Oak", "signal", (35.05, -106.59)),
            Landmark("First School", "school", (35.06, -106.59)),
            Landmark("far away", "signal", (36.9, -104.0)),
        ),
    )


def rows(path: Path, layer: str, zoom: int) -> list[dict[str, Any]]:
    """A layer as GDAL reads it back at a zoom."""
    meta, _, _, values = pyogrio.raw.read(path, layer=layer, ZOOM_LEVEL=str(zoom))
    names = [str(name) for name in meta["fields"]]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiles") / "town.pmtiles"
    build(town(), path)
    return path


def test_the_same_map_makes_the_same_bytes(tiles: Path, tmp_path: Path) -> None:
    build(town(), tmp_path / "again.pmtiles")
    assert (tmp_path / "again.pmtiles").read_bytes() == tiles.read_bytes()
    assert (tmp_path / "again.map").read_bytes() == tiles.with_suffix(".map").read_bytes()


def test_every_layer_is_in_the_tiles_that_the_style_draws(tiles: Path) -> None:
    assert {str(name) for name, _ in pyogrio.list_layers(tiles)} == {
        "area", "road", "building", "landmark", "label",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("zoom", "kinds"),
    [
        (7, {"motorway"}),
        (9, {"motorway", "arterial"}),
        (13, {"motorway", "arterial", "local"}),
        (14, {"motorway", "arterial", "local", "path"}),
    ],
)
def test_greater_roads_are_seen_from_farther(tiles: Path, zoom: int, kinds: set[str]) -> None:
    assert {row["kind"] for row in rows(tiles, "road", zoom)} == kinds


def test_only_one_way_roads_say_so(tiles: Path) -> None:
    oneway = {row["name"]: row.get("oneway") for row in rows(tiles, "road", 14)}
    assert oneway["Interstate 25"] == 1
    assert oneway["Central Ave"] != 1


def test_a_one_way_is_drawn_in_the_direction_of_travel(tiles: Path) -> None:
    assert [row["name"] for row in rows(tiles, "road", 7)] == ["Interstate 25"]
    _, _, wkb, _ = pyogrio.raw.read(tiles, layer="road", ZOOM_LEVEL="7")
    line = shapely.get_coordinates(shapely.from_wkb(wkb)[0])
    assert line[0][1] > line[-1][1]  # southbound: the segment runs north, against its line


def test_nothing_beyond_the_streets_surroundings_is_in_the_tiles(tiles: Path) -> None:
    assert {row["name"] for row in rows(tiles, "landmark", 14)} == {"Central @ Oak", "First School"}
    with tiles.open("rb") as file:
        count = Reader(MemorySource(file.read())).header()["addressed_tiles_count"]  # type: ignore[no-untyped-call]
    assert count < 100  # the pueblo's land alone, uncut, would be thousands


def test_a_name_of_land_is_written_once(tiles: Path) -> None:
    assert [r["name"] for r in rows(tiles, "label", 8)] == ["North Pueblo"]


def test_the_report_tells_sizes_and_bounds(tmp_path: Path) -> None:
    path = tmp_path / "town.pmtiles"
    report = build(town(), path)
    assert report.tile_bytes == path.stat().st_size
    assert report.map_bytes == path.with_suffix(".map").stat().st_size
    assert report.bounds == pytest.approx((35.05, -106.6, 35.09, -106.57))


def test_a_map_of_bare_streets_has_tiles_too(tmp_path: Path) -> None:
    whole = town()
    bare = StreetMap(name="b", source="", nodes=whole.nodes, segments=whole.segments)
    assert build(bare, tmp_path / "b.pmtiles").tiles > 0


def test_a_map_without_streets_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FarolitoError) as caught:
        build(StreetMap(name="b", source="", nodes=(), segments=()), tmp_path / "b.pmtiles")
    assert "import" in caught.value.do
    assert list(tmp_path.iterdir()) == []


def test_a_saved_map_is_the_same_map(tmp_path: Path) -> None:
    save(town(), tmp_path / "town.map")
    assert load(tmp_path / "town.map") == town()


@pytest.mark.parametrize("cut", [0, 5, 60, -1])
def test_a_broken_map_file_says_import_it_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "town.map"
    save(town(), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Rejected) as caught:
        load(path)
    assert "farolito map import" in caught.value.do


@pytest.mark.real_input
def test_cambridges_tiles_are_small_and_the_same_each_time(
    real_inputs: Path, tmp_path: Path
) -> None:
    source = real_inputs / "map" / "cambridge" / "TRANS_Centerlines.geojson.gz"
    street_map = read_map([source], "cambridge").street_map
    first = build(street_map, tmp_path / "a.pmtiles")
    build(street_map, tmp_path / "b.pmtiles")
    assert (tmp_path / "a.pmtiles").read_bytes() == (tmp_path / "b.pmtiles").read_bytes()
    assert first.tile_bytes < 500_000
    assert load(tmp_path / "a.map") == street_map
