from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farolito.cli.map import app

STREETS = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": "Main"},
                "geometry": {"type": "LineString", "coordinates": [[-106.6, 35], [-106.59, 35]]},
            }
        ],
    }
)


def streets(folder: Path) -> str:
    path = folder / "streets.geojson"
    path.write_text(STREETS)
    return str(path)


def test_an_import_says_what_it_made(tmp_path: Path) -> None:
    out = tmp_path / "maps"
    ran = CliRunner().invoke(app, ["import", streets(tmp_path), "--out", str(out), "--name", "t"])
    assert ran.exit_code == 0
    assert "1 segments, 2 nodes" in ran.stdout
    assert {path.name for path in out.iterdir()} == {"t.pmtiles", "t.map"}


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    args = ["import", streets(tmp_path), "--out", str(tmp_path), "--name", "t", "--json"]
    ran = CliRunner().invoke(app, args)
    report = json.loads(ran.stdout)
    assert (report["segments"], report["nodes"]) == (1, 2)
    assert report["bounds"] == [35, -106.6, 35, -106.59]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--name", "No Good"], "lower case"),
        (["--name", "t", "--box", "1,2,3"], "south,west,north,east"),
        (["--name", "t", "--box", "36,-106,37,-105"], "--box"),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, more: list[str], says: str
) -> None:
    out = tmp_path / "maps"
    ran = CliRunner().invoke(app, ["import", streets(tmp_path), "--out", str(out), *more])
    assert ran.exit_code == 1
    assert says in ran.stderr
    assert ran.stdout == ""
    assert not out.exists()
