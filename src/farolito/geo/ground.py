"""How high the ground is: a grid of heights, and the height between its points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from farolito.geo.street_map import LatLon
from farolito.model import Invalid

Floats = npt.NDArray[np.float64]

SAMPLES_MAX = 64_000_000  # a metro at 1 m is 250 MB; more is a mistake


class Ground:
    """Heights in metres above the sea, at `north` and `west` first, then eastwards and, row by
    row, southwards; NaN where unknown. `error_m`: how wrong one height may be beside the next."""

    def __init__(
        self,
        heights: npt.NDArray[np.float32],
        corner: LatLon,
        step: tuple[float, float],
        error_m: float = 0.0,
    ) -> None:
        """`corner`: of the first height, the north-west one; `step`: degrees between rows and
        between columns. Raises Invalid."""
        if heights.ndim != 2 or min(heights.shape) < 2 or heights.size > SAMPLES_MAX:
            raise Invalid(f"a ground of {heights.shape} heights", "give rows and columns")
        if min(step) <= 0:
            raise Invalid(f"a ground with steps of {step}", "give degrees above 0")
        self.heights = heights
        self.corner = corner
        self.step = step
        self.error_m = error_m

    def height_m(self, at: LatLon) -> float | None:
        """None where nobody knows."""
        [found] = self.heights_m(np.array([at[0]]), np.array([at[1]]))
        return None if np.isnan(found) else float(found)

    def heights_m(self, lats: Floats, lons: Floats) -> Floats:
        """Bilinear between the four nearest; NaN outside, and where one of the four is unknown."""
        rows, columns = self.heights.shape
        down = (self.corner[0] - lats) / self.step[0]
        across = (lons - self.corner[1]) / self.step[1]
        inside = (down >= 0) & (down <= rows - 1) & (across >= 0) & (across <= columns - 1)
        row = np.clip(np.nan_to_num(down).astype(np.intp), 0, rows - 2)
        column = np.clip(np.nan_to_num(across).astype(np.intp), 0, columns - 2)
        d, a = down - row, across - column
        at = self.heights
        upper = at[row, column] * (1 - a) + at[row, column + 1] * a
        lower = at[row + 1, column] * (1 - a) + at[row + 1, column + 1] * a
        return np.where(inside, upper * (1 - d) + lower * d, np.nan)
