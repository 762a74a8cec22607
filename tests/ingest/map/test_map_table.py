from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from farolito.geo import Geocoder, RoadGraph, StreetMap, distance_m
from farolito.ingest.map import read_map
from farolito.ingest.map.mapping import load_profiles
from farolito.model.errors import Rejected

LINE = [[-106.60, 35.0], [-106.59, 35.0]]
CROSS = [[-106.59, 35.0], [-106.59, 35.01]]


def geojson(*features: tuple[dict[str, Any], str, Any]) -> bytes:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": row,
                    "geometry": {"type": kind, "coordinates": coordinates},
                }
                for row, kind, coordinates in features
            ],
        }
    ).encode()


def street(name: str, line: list[list[float]] = LINE) -> tuple[dict[str, Any], str, Any]:
    return {"name": name}, "LineString", line


def put(folder: Path, name: str, body: bytes) -> Path:
    (folder / name).write_bytes(body)
    return folder / name


def rejection(*paths: Path, mapping: Path | None = None) -> Rejected:
    with pytest.raises(Rejected) as caught:
        read_map(paths, "town", mapping)
    return caught.value


def write_shapes(
    path: Path, lines: list[list[list[float]]], columns: dict[str, list[Any]], crs: str
) -> None:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([shapely.LineString(line) for line in lines], dtype=object)),
        [np.array(values, dtype=object) for values in columns.values()],
        list(columns),
        geometry_type="LineString",
        crs=crs,
        encoding="UTF-8",
    )


def tiger_zip(folder: Path) -> Path:
    columns: dict[str, list[Any]] = {
        "TLID": ["1", "2", "3"],
        "MTFCC": ["S1200", "S1400", "H3010"],
        "FULLNAME": ["CENTRAL AVE NW", "4th St NW", "Rio Grande"],
        "ROADFLG": ["Y", "Y", "N"],
        "LFROMADD": ["101", None, None],
        "LTOADD": ["199", None, None],
        "RFROMADD": ["100", "A1", None],
        "RTOADD": ["198", "A9", None],
    }
    lines = [LINE, CROSS, [[-106.7, 35.0], [-106.7, 35.1]]]
    shapes = folder / "tl_2024_35001_edges.shp"
    write_shapes(shapes, lines, columns, "EPSG:4269")
    path = folder / "tl_2024_35001_edges.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in folder.glob("tl_2024_35001_edges.*"):
            if part != path:
                archive.write(part, part.name)
    return path


def test_a_census_zip_brings_roads_with_addresses_and_no_rivers(tmp_path: Path) -> None:
    imported = read_map([tiger_zip(tmp_path)], "abq")
    by_name = {s.name: s for s in imported.street_map.segments}
    assert set(by_name) == {"Central Ave NW", "4th St NW"}
    assert (by_name["Central Ave NW"].left, by_name["Central Ave NW"].right) == (
        (101, 199),
        (100, 198),
    )
    assert by_name["4th St NW"].right is None
    assert by_name["Central Ave NW"].kind == "arterial"
    assert dict(imported.skipped) == {"tiger-edges: not a road": 1}
    assert "public domain" in imported.street_map.source


def test_census_roads_meet_at_their_ends(tmp_path: Path) -> None:
    town = read_map([tiger_zip(tmp_path)], "abq").street_map
    assert len(town.nodes) == 3


def test_a_geojson_with_names_is_enough_for_streets(tmp_path: Path) -> None:
    path = put(tmp_path, "streets.geojson", geojson(street("Main"), street("Oak", CROSS)))
    assert [s.name for s in read_map([path], "t").street_map.segments] == ["Main", "Oak"]


def test_a_column_of_an_odd_type_does_no_harm(tmp_path: Path) -> None:
    row = {"name": "Main", "tags": {"a": [1]}, "list": ["x", "y"], "when": "2026-01-01"}
    path = put(tmp_path, "streets.geojson", geojson((row, "LineString", LINE)))
    assert [s.name for s in read_map([path], "t").street_map.segments] == ["Main"]


def test_another_projection_becomes_degrees(tmp_path: Path) -> None:
    # In web mercator x is the longitude times the equator's radius, whatever the latitude.
    x = 6_378_137 * np.radians(-106.6)
    y = 6_378_137 * np.log(np.tan(np.pi / 4 + np.radians(35.0) / 2))
    path = tmp_path / "streets.gpkg"
    write_shapes(path, [[[x, y], [x + 1000, y]]], {"name": ["Main"]}, "EPSG:3857")
    line = read_map([path], "t").street_map.segments[0].line
    assert line[0] == pytest.approx((35.0, -106.6), abs=1e-7)


def test_numbers_that_are_no_degrees_ask_for_their_projection(tmp_path: Path) -> None:
    far = [[[-11_933_232.0, 4_147_879.0], [-11_933_000.0, 4_147_879.0]]]
    path = tmp_path / "streets.shp"
    write_shapes(path, far, {"name": ["Main"]}, "EPSG:3857")
    (tmp_path / "streets.prj").unlink()
    error = rejection(path)
    assert error.reason == "not_wgs84"
    assert ".prj" in error.do


MAPPING = """
- name: our-streets
  shape: line
  makes: street
  columns: [RUE, SENS]
  street:
    name: [TYP, RUE]
    kind: {column: CLS, values: {"A": arterial}, otherwise: collector}
    oneway: {column: SENS, values: {"F": 1, "R": -1}, otherwise: 0}
    left: [LF, LT]
    speed: KMH
    speed_unit: kmh
  source: "Our GIS"
"""
ROW = {"TYP": "Rue", "RUE": "Haute", "CLS": "A", "SENS": "R", "LF": 1.0, "LT": 9, "KMH": "36"}


def test_a_mapping_file_says_what_columns_mean(tmp_path: Path) -> None:
    mapping = put(tmp_path, "ours.yaml", MAPPING.encode())
    path = put(tmp_path, "rues.geojson", geojson((ROW, "LineString", LINE)))
    segment = read_map([path], "t", mapping).street_map.segments[0]
    assert (segment.name, segment.kind, segment.oneway) == ("Rue Haute", "arterial", -1)
    assert (segment.left, segment.right) == ((1, 9), None)
    assert segment.speed_mps == pytest.approx(10)


def test_columns_nobody_knows_are_listed_with_the_way_out(tmp_path: Path) -> None:
    error = rejection(put(tmp_path, "rues.geojson", geojson((ROW, "LineString", LINE))))
    assert error.reason == "unknown_columns"
    assert "RUE" in error.says
    assert "--mapping" in error.do


@pytest.mark.parametrize(
    "body",
    [
        b"- name: x\n  shape: line\n  makes: street\n",
        b"- name: x\n  shape: point\n  makes: area\n  about: {kind: park}\n",
        b"- name: x\n  shape: line\n  makes: street\n  street: {name: A}\n  colour: red\n",
        b"just text",
        b"[[[",
        b"#" * 70_000,
    ],
)
def test_a_wrong_mapping_file_is_named_so(tmp_path: Path, body: bytes) -> None:
    streets = put(tmp_path, "s.geojson", geojson(street("Main")))
    assert rejection(streets, mapping=put(tmp_path, "m.yaml", body)).reason == "bad_mapping"


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("s.geojson", geojson(street("Main"))[:-40], "unreadable"),
        ("s.geojson", b"<html>404</html>", "unreadable"),
        ("s.geojson", b"<OGRVRTDataSource></OGRVRTDataSource>", "unreadable"),
        ("s.geojson", b"", "unreadable"),
        ("s.geojson", b"{}", "unreadable"),
        ("s.geojson", geojson(), "no_roads"),
        ("s.geojson.gz", gzip.compress(geojson(street("Main")))[:-12], "truncated"),
        ("s.geojson.gz", b"not gzip", "unreadable"),
        ("s.shp", b"not a shapefile", "unreadable"),
        ("s.gpkg", b"SQLite format 3\x00" + b"\x00" * 200, "unreadable"),
        ("s.zip", b"PK\x03\x04 cut", "truncated"),
        ("s.kml", b"<kml/>", "unknown_format"),
        ("s.csv.gz", b"", "unknown_format"),
        ("s", b"", "unknown_format"),
    ],
)
def test_what_cannot_be_read_is_rejected_by_name(
    tmp_path: Path, name: str, body: bytes, reason: str
) -> None:
    error = rejection(put(tmp_path, name, body))
    assert error.reason == reason
    assert error.do


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert rejection(tmp_path / "nowhere.geojson").reason == "no_file"


def test_areas_alone_are_no_map(tmp_path: Path) -> None:
    ring = [[[-106.6, 35], [-106.5, 35], [-106.5, 35.1], [-106.6, 35]]]
    path = put(tmp_path, "parks.geojson", geojson(({"ParkName": "P"}, "Polygon", ring)))
    assert rejection(path).reason == "no_roads"


def test_a_row_without_a_shape_is_left_out_and_counted(tmp_path: Path) -> None:
    body = json.loads(geojson(street("Main"), street("Ghost")))
    body["features"][1]["geometry"] = None
    imported = read_map([put(tmp_path, "s.geojson", json.dumps(body).encode())], "t")
    assert dict(imported.skipped) == {"row without a shape": 1}


@pytest.fixture(scope="module")
def cambridge(real_inputs: Path) -> StreetMap:
    folder = real_inputs / "map" / "cambridge"
    names = [
        "TRANS_Centerlines", "PUBLICSAFETY_PoliceSectors", "TRAFFIC_Signals",
        "INFRA_StreetLights", "LANDMARK_PublicSchools", "BOUNDARY_CityBoundary",
    ]  # fmt: skip
    paths = [folder / f"{name}.geojson.gz" for name in names]
    return read_map(paths, "cambridge").street_map


@pytest.mark.real_input
def test_cambridge_comes_in_whole(cambridge: StreetMap) -> None:
    assert len(cambridge.segments) >= 2_643
    assert len(cambridge.nodes) == pytest.approx(1_872, abs=10)
    assert {a.name for a in cambridge.areas if a.kind == "beat"} == {
        f"Sector {n}" for n in range(1, 6)
    }
    kinds = [m.kind for m in cambridge.landmarks]
    assert (kinds.count("signal"), kinds.count("pole"), kinds.count("school")) == (785, 6117, 18)
    assert "PDDL" in cambridge.source


@pytest.mark.real_input
def test_cambridges_divided_roads_keep_traffic_right(cambridge: StreetMap) -> None:
    names = ("Memorial Dr", "Concord Tpk", "Land Blvd", "Alewife Brook Pkwy")
    halves = [s for s in cambridge.segments if s.oneway and s.name in names]
    right = wrong = 0
    for one in halves:
        for other in halves:
            side = _side_of_opposite(one.line[:: one.oneway], other.line[:: other.oneway])
            right += side == "left"
            wrong += side == "right"
    assert wrong == 0
    assert right >= 6


def _side_of_opposite(one: tuple[Any, ...], other: tuple[Any, ...]) -> str | None:
    """On which side of `one` the parallel carriageway the other way lies, if `other` is that."""
    ax, ay = (one[-1][1] - one[0][1]) * 0.74, one[-1][0] - one[0][0]
    bx, by = (other[-1][1] - other[0][1]) * 0.74, other[-1][0] - other[0][0]
    dot = ax * bx + ay * by
    length = (ax * ax + ay * ay) ** 0.5 * (bx * bx + by * by) ** 0.5
    middle_a = tuple((p + q) / 2 for p, q in zip(one[0], one[-1], strict=True))
    middle_b = tuple((p + q) / 2 for p, q in zip(other[0], other[-1], strict=True))
    if length < 1e-7 or dot > -0.9 * length or not 5 < distance_m(middle_a, middle_b) < 45:
        return None
    cross = ax * (middle_b[0] - middle_a[0]) - ay * (middle_b[1] - middle_a[1]) * 0.74
    return "left" if cross > 0 else "right"


@pytest.mark.real_input
def test_cambridges_schools_are_found_by_their_addresses(
    cambridge: StreetMap, real_inputs: Path
) -> None:
    with gzip.open(real_inputs / "map" / "cambridge" / "LANDMARK_PublicSchools.geojson.gz") as file:
        schools = json.load(file)["features"]
    words = Geocoder(cambridge)
    errors_m = []
    for school in schools:
        lon, lat = school["geometry"]["coordinates"]
        found = words.find(school["properties"]["ADDRESS"])
        if found:
            errors_m.append(distance_m(found[0].at, (lat, lon)))
    assert len(errors_m) >= 14
    assert sorted(errors_m)[len(errors_m) // 2] < 120


@pytest.mark.real_input
def test_a_real_route_in_cambridge_is_drivable(cambridge: StreetMap) -> None:
    words, graph = Geocoder(cambridge), RoadGraph(cambridge)
    start = words.find("Massachusetts Ave @ Prospect St")[0].at
    end = words.find("Hampshire St @ Cambridge St")[0].at
    route = graph.route(start, end)
    assert route is not None
    assert distance_m(start, end) < route.metres < 2 * distance_m(start, end)


def test_the_documented_mapping_file_is_a_right_one(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "maps.md"
    example = page.read_text().split("```yaml\n")[1].split("```")[0]
    profiles = load_profiles(put(tmp_path, "example.yaml", example.encode()))
    assert [p.name for p in profiles[:3]] == ["our-streets", "our-beats", "our-buildings"]
