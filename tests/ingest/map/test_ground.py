"""Heights of the ground from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.ingest.map.ground import read_ground
from farolito.model.errors import Rejected

GRID = """ncols 3
nrows 2
xllcorner -107.0
yllcorner 35.0
cellsize 0.5
NODATA_value -9999
10 20 30
40 50 -9999
"""


def test_a_tile_of_the_shuttle_mission_is_read_from_its_north_west(tmp_path: Path) -> None:
    heights = np.zeros((1201, 1201), dtype=">i2")
    heights[0, :] = 100  # 36° N
    heights[:, 1200] = -32768  # 106° W
    path = tmp_path / "N35W107.hgt"
    heights.tofile(path)
    ground = read_ground(path)
    assert ground.height_m((36.0, -107.0)) == 100
    assert ground.height_m((36.0 - 0.25 / 1200, -106.5)) == pytest.approx(75)
    assert ground.height_m((35.0, -106.5)) == 0
    assert ground.height_m((35.5, -106.0)) is None
    assert ground.height_m((34.9, -106.5)) is None


def test_a_grid_is_read_at_the_middles_of_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "city.asc"
    path.write_text(GRID)
    ground = read_ground(path)
    assert ground.height_m((35.75, -106.75)) == 10
    assert ground.height_m((35.25, -106.75)) == 40
    assert ground.height_m((35.5, -106.5)) == pytest.approx(30)
    assert ground.height_m((35.5, -106.0)) is None  # beside a height that nobody knows
    path.write_text(GRID.replace("corner", "center"))
    assert read_ground(path).height_m((35.5, -107.0)) == 10


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("city.asc", GRID.replace("40 50", "40"), "truncated"),
        ("city.asc", GRID.replace("40", "forty"), "unreadable"),
        ("city.asc", GRID.replace("cellsize", "size"), "unreadable"),
        ("city.asc", GRID.replace("-107.0", "355000.0"), "not_degrees"),
        ("city.asc", GRID.replace("ncols 3", "ncols 300000000"), "too_large"),
        ("N35W107.hgt", "short", "unreadable"),
        ("downtown.hgt", "short", "unreadable"),
    ],
)
def test_what_is_no_ground_is_rejected_by_name(
    tmp_path: Path, name: str, content: str, reason: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(Rejected) as why:
        read_ground(path)
    assert why.value.reason == reason


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(GRID)))
def test_noise_is_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.asc"
    for content in (noise, GRID[:at].encode() + noise):
        path.write_bytes(content)
        try:
            read_ground(path)
        except Rejected:
            continue
