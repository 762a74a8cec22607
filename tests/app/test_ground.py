"""The heights beside the map are found, and a file that is none leaves the ground flat."""

from __future__ import annotations

from pathlib import Path

import pytest

from farolito.app.cameras import ground_of

GRID = "ncols 2\nnrows 2\nxllcorner -106.7\nyllcorner 35.0\ncellsize 0.1\n1500 1510\n1520 1530\n"


def test_a_grid_beside_the_map_is_the_ground(tmp_path: Path) -> None:
    assert ground_of(tmp_path) is None
    (tmp_path / "county.asc").write_text(GRID)
    ground = ground_of(tmp_path)
    assert ground is not None
    assert ground.height_m((35.1, -106.6)) == pytest.approx(1515, abs=20)


def test_a_file_that_cannot_be_read_is_told_and_the_ground_is_flat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "county.asc").write_text("a page that says: sign in")
    assert ground_of(tmp_path) is None
    assert "flat" in caplog.text
