"""Where in the city a shot would be heard and located now: the surface of detection.

For each cell: the chance that enough sensors hear a single outdoor shot there for the locator to
accept it, and that the place comes out within 25 m; and the ellipse to expect. It depends on the
wind, on the sensors that are up and on their strays, so it is drawn anew when these change.

Sums: 12,000 cells (30 km² at 50 m) × 40 nearest sensors; the distribution of how many hear is
40 × 24 steps over all cells, 12 M multiplications, and one 6 × 6 inverse a cell: under a second.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Air, Net

Floats = npt.NDArray[np.float64]

CELL_M = 50.0
MARGIN_M = 250.0  # the surface ends so far outside the outermost sensors
OUTSIDE_M = 500.0  # a cell with no sensor up within this is outside the net
SENSORS_MAX = 40  # nearest of a cell; more add nothing to a chance near 1
COUNTED_MAX = 24  # sensors that hear; "24 and more" is one class
CELLS_MAX = 60_000
HEARS_MAX = 0.97
WITHIN_M = 25.0  # the trade's contract: detected and located within this
WIND_REACH_PER_MPS = 0.04  # of range, a metre a second of wind along the path
WIND_MAX_MPS = 8.0
CHI2_95 = 5.991  # 95 %, two degrees of freedom
_ANGLES = 24
_CHUNK = 2048  # cells at once: 2048 × 40 × 6 doubles stay near the cache


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """What this deployment hears, and what its locator asks of a single shot.

    `window_s`: in which a stray pulse passes for the shot's; `sensors` and `score`: the locator's
    threshold.
    """

    deployment: Deployment = Deployment()
    sensors: int = 4
    score: float = 18.0
    window_s: float = 0.05


STOCK = Hearing()


class _Paths(NamedTuple):
    """From each place (rows) to its nearest sensors (columns): length, unit vector, index."""

    metres: Floats
    east: Floats
    north: Floats
    sensor: npt.NDArray[np.intp]


class Surface(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """`p[row, column]`: chance to detect and to locate within 25 m, NaN outside the net;
    `semi_major_m`: of the 95 % ellipse to expect. Row 0 is the southernmost; a cell's middle is
    at `west_m + (column + 0.5) * cell_m`. `dead`: sensors that are not up."""

    west_m: float
    south_m: float
    cell_m: float
    p: npt.NDArray[np.float32]
    semi_major_m: npt.NDArray[np.float32]
    dead: tuple[str, ...]

    @property
    def median(self) -> float:
        inside = self.p[~np.isnan(self.p)]
        return float(np.median(inside)) if inside.size else 0.0

    def area_km2(self, at_least: float) -> float:
        with np.errstate(invalid="ignore"):
            return float(np.count_nonzero(self.p >= at_least)) * self.cell_m**2 / 1e6

    def at(self, x_m: float, y_m: float) -> float | None:
        """The chance at a place, None outside the net."""
        column = math.floor((x_m - self.west_m) / self.cell_m)
        row = math.floor((y_m - self.south_m) / self.cell_m)
        rows, columns = self.p.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return None
        p = float(self.p[row, column])
        return None if math.isnan(p) else p


def surface(net: Net, air: Air, hearing: Hearing = STOCK, *, cell_m: float = CELL_M) -> Surface:
    """The surface for this net in this air; a net larger than `CELLS_MAX` gets coarser cells."""
    dead = tuple(sensor.name for sensor in net.sensors if not sensor.is_up)
    if not len(net):
        none = np.zeros((0, 0), dtype=np.float32)
        return Surface(west_m=0, south_m=0, cell_m=cell_m, p=none, semi_major_m=none, dead=dead)
    west, south = float(net.x_m.min()) - MARGIN_M, float(net.y_m.min()) - MARGIN_M
    wide = float(net.x_m.max()) + MARGIN_M - west
    high = float(net.y_m.max()) + MARGIN_M - south
    cell_m = max(cell_m, math.sqrt(wide * high / CELLS_MAX))
    columns, rows = math.ceil(wide / cell_m), math.ceil(high / cell_m)
    x, y = np.meshgrid(
        west + (np.arange(columns) + 0.5) * cell_m, south + (np.arange(rows) + 0.5) * cell_m
    )
    p, semi = chance_at(x.ravel(), y.ravel(), net, air, hearing)
    return Surface(
        west_m=west,
        south_m=south,
        cell_m=cell_m,
        p=p.reshape(rows, columns).astype(np.float32),
        semi_major_m=semi.reshape(rows, columns).astype(np.float32),
        dead=dead,
    )


def chance_at(
    x_m: Floats, y_m: Floats, net: Net, air: Air, hearing: Hearing = STOCK
) -> tuple[Floats, Floats]:
    """For each place: chance to detect and locate within 25 m (NaN outside the net), and the
    semi-major axis of the 95 % ellipse to expect (inf where too few would hear)."""
    p = np.full(len(x_m), np.nan)
    semi = np.full(len(x_m), np.inf)
    if net.is_up.any():
        for start in range(0, len(x_m), _CHUNK):
            part = slice(start, start + _CHUNK)
            paths = _paths(x_m[part], y_m[part], net)
            p[part], semi[part] = _chance(paths, net, air, hearing)
    return p, semi


def _paths(x_m: Floats, y_m: Floats, net: Net) -> _Paths:
    up = np.flatnonzero(net.is_up)
    dx = net.x_m[up][None, :] - x_m[:, None]
    dy = net.y_m[up][None, :] - y_m[:, None]
    metres = np.maximum(np.hypot(dx, dy), 1.0)
    if metres.shape[1] > SENSORS_MAX:
        near = np.argpartition(metres, SENSORS_MAX - 1, axis=1)[:, :SENSORS_MAX]
    else:
        near = np.broadcast_to(np.arange(metres.shape[1]), metres.shape)
    metres = np.take_along_axis(metres, near, axis=1)
    east = np.take_along_axis(dx, near, axis=1) / metres
    north = np.take_along_axis(dy, near, axis=1) / metres
    return _Paths(metres, east, north, up[near])


def _chance(paths: _Paths, net: Net, air: Air, hearing: Hearing) -> tuple[Floats, Floats]:
    deployment = hearing.deployment
    hears = np.clip(_curve(paths, air, deployment) * net.hears[paths.sensor], 0.0, HEARS_MAX)
    stray = -np.expm1(-net.strays_per_s[paths.sensor] * hearing.window_s)
    needed = _needed(hears, np.maximum(stray, 1e-6), hearing)
    clock_sd = np.array([sensor.clock_sd_s for sensor in net.sensors])[paths.sensor]
    path_sd_s = (deployment.early_sd_s + deployment.late_sd_s) / 2
    sd_s = np.sqrt(path_sd_s**2 + deployment.jitter_sd_s**2 + clock_sd**2)
    xx, xy, yy = _spread(paths, hears * _information(sd_s, deployment), air)
    xx, yy = xx + deployment.ellipse_floor_m**2, yy + deployment.ellipse_floor_m**2
    expected = hears.sum(axis=1)
    counts = how_many_hear(hears)
    p = np.zeros(len(hears))
    for heard in range(hearing.sensors, COUNTED_MAX + 1):
        # The ellipse of so many sensors: as the expected one, scaled by their number. Two are
        # taken off, since a few sensors drawn by chance stand worse than the average of all.
        share = np.maximum(expected, heard) / (heard - 2.0)
        within = _within(*_axes(xx * share, xy * share, yy * share), WITHIN_M)
        p += np.where(heard >= needed, counts[:, heard] * within, 0.0)
    long, _ = _axes(xx, xy, yy)
    semi = np.where(expected >= hearing.sensors, np.sqrt(CHI2_95 * long), np.inf)
    inside = paths.metres.min(axis=1) <= OUTSIDE_M
    return np.where(inside, np.clip(p, 0.0, 1.0), np.nan), semi


def _curve(paths: _Paths, air: Air, deployment: Deployment) -> Floats:
    """The curve, at the range that sounds alike in still air: downwind hears farther."""
    along = air.wind_x_mps * paths.east + air.wind_y_mps * paths.north
    along = np.clip(along, -WIND_MAX_MPS, WIND_MAX_MPS)
    metres = paths.metres * (1.0 - WIND_REACH_PER_MPS * along)
    fade = 1.0 + np.exp((metres - deployment.half_m) / deployment.fade_m)
    heard = deployment.floor + deployment.height / fade
    return np.where(paths.metres <= deployment.range_max_m, heard, 0.0)


def _information(sd_s: Floats, deployment: Deployment) -> Floats:
    """What one Student-t arrival tells: its scale alone would promise too much."""
    return (deployment.freedom + 1) / (deployment.freedom + 3) / sd_s**2


def how_many_hear(hears: Floats) -> Floats:
    """The distribution of the number of sensors that hear, exactly (Poisson-binomial), for each
    row of independent chances: shape (rows, COUNTED_MAX + 1), the last "that many or more"."""
    counts = np.zeros((hears.shape[0], COUNTED_MAX + 1))
    counts[:, 0] = 1.0
    for column in range(hears.shape[1]):
        p = hears[:, column : column + 1]
        last = counts[:, -1:].copy()
        up = counts[:, :-1] * p
        counts *= 1.0 - p
        counts[:, 1:] += up
        counts[:, -1:] += last * p  # who is already in "that many or more" stays there
    return counts


def _needed(hears: Floats, stray: Floats, hearing: Hearing) -> Floats:
    """How many must hear for the score to reach the threshold: silence counts against a place,
    and a pulse counts for little where strays are frequent."""
    silence = np.log1p(-hears)
    gain = np.log((hears + (1.0 - hears) * stray) / stray) - silence
    total = np.maximum(hears.sum(axis=1), 1e-9)
    mean_gain = np.maximum((hears * gain).sum(axis=1) / total, 1e-9)
    by_score: Floats = np.ceil((hearing.score - silence.sum(axis=1)) / mean_gain)
    needed: Floats = np.maximum(by_score, hearing.sensors)
    return needed


def _spread(paths: _Paths, information: Floats, air: Air) -> tuple[Floats, Floats, Floats]:
    """Covariance of the place (xx, xy, yy) by the Fisher information of the arrivals, each
    weighted by its chance to be there, with the priors on sound speed and wind."""
    metres, east, north, _ = paths
    speed = air.sound_mps + air.wind_x_mps * east + air.wind_y_mps * north
    late = -metres / speed**2
    rows = np.stack(
        [-east / speed, -north / speed, np.ones_like(speed), late, late * east, late * north],
        axis=2,
    )
    fisher = np.matmul((rows * information[:, :, None]).transpose(0, 2, 1), rows)
    diagonal = np.arange(6)
    fisher[:, diagonal, diagonal] += np.array(
        [1e-8, 1e-8, 1e-6, air.sound_sd_mps**-2, air.wind_sd_mps**-2, air.wind_sd_mps**-2]
    )
    # Rows differ by 10⁵ in scale; dividing by the diagonal keeps the inverse exact.
    scale = 1.0 / np.sqrt(fisher[:, diagonal, diagonal])
    inverse = np.linalg.inv(fisher * scale[:, :, None] * scale[:, None, :])
    place = inverse[:, :2, :2] * scale[:, :2, None] * scale[:, None, :2]
    return place[:, 0, 0], place[:, 0, 1], place[:, 1, 1]


def _axes(xx: Floats, xy: Floats, yy: Floats) -> tuple[Floats, Floats]:
    """The variances along the long and the short axis of an ellipse."""
    mean, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return mean + half, np.maximum(mean - half, 1e-6)


def _within(long: Floats, short: Floats, radius_m: float) -> Floats:
    """The chance that an error with these variances along its axes stays within the radius
    (Hoyt 1947): the error is (√long·ρ·cos ψ, √short·ρ·sin ψ), ρ Rayleigh and ψ uniform."""
    psi = (np.arange(_ANGLES) + 0.5) * (math.pi / 2 / _ANGLES)
    spread = long[:, None] * np.cos(psi) ** 2 + short[:, None] * np.sin(psi) ** 2
    inside: Floats = 1.0 - np.exp(-(radius_m**2) / (2 * spread)).mean(axis=1)
    return inside
