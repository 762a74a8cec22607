"""The cameras that show a place best, and the nearest ones that cannot, each with its reason.

score = detail × share × turn × state × light, each 0…1:

- detail: by pixels a metre at the place, even steps by the factor, 0.1 at 6 (a dot), 1 at 250
  (`words.DETAIL`: to identify a person). A camera that zooms is taken as zoomed in on the whole
  place.
- share: of the place and its uncertainty that is in its picture with nothing between; times the
  chance that it looks there at all, where the register does not tell its direction.
- turn: 1 at once, 0.77 after 3 s, 0.5 after 10 s.
- state: `eyes.WEIGHTS`, `eyes.FAULTS`. What shows nothing is 0, however well it stands.
- light: 0.6 against a low sun; 0.7 where the place is inside a building.

Of several, one that stands beside a chosen one counts half, one that looks from the same side 0.8:
four pictures of one side tell little more than one.

Sums: 20,000 cameras by distance 0.1 ms; those in reach (tens; 2,000 where all can zoom) by angle
1–5 ms; then lines of sight, the most promising first, until no other one can be better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farolito.geo.sun import Sun, sun
from farolito.model import Ellipse
from farolito.viewing import words
from farolito.viewing.eye import Closed, Eye, How, Question, Ranked, Reason, always_open
from farolito.viewing.eyes import Eyes
from farolito.viewing.scene import BUILDING, GROUND, Aims, Lines, Stops
from farolito.viewing.sees import View, spread, view

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

POINTS = 17  # by which a place is judged
ONE_POINT_M = 1.0  # a place known so well is one point
BATCH = 16  # cameras whose lines of sight are drawn at once
DRAWN_MAX = 160  # cameras; where so many see nothing, the rest (who stand worse) are not asked
BLIND_M = 500.0  # who stands farther away is not missed
BLIND_ASKED = 24
PART = 0.9  # a share below is a part

PIXELS_DOT, PIXELS_ALL = 6.0, 250.0
DETAIL_LEAST = 0.1
TURN_HALVES_S = 10.0
LOW_SUN_DEG, SUN_BESIDE_DEG, SUN_COUNTS = 12.0, 25.0, 0.6
INSIDE_COUNTS = 0.7
SAME_POLE_M, SAME_POLE_COUNTS = 15.0, 0.5
SAME_SIDE_DEG, SAME_SIDE_COUNTS = 30.0, 0.8


class _Spot(NamedTuple):
    """A place as points with the ground under them; `held`: the buildings that they lie in."""

    points: Floats
    ground: Floats
    extent_m: float
    held: Aims
    sun: Sun


class _Judged(NamedTuple):
    """A camera for the place. `eye` stands at `number`; `row` of its batch's view and stops."""

    number: int
    eye: Eye
    score: float
    share: float
    row: int
    view: View
    stops: Stops
    closed: str


def best(eyes: Eyes, question: Question, closed: Closed = always_open) -> list[Ranked]:
    """The cameras that show it now or after turning, the best first. Those that their owner closes
    are left out."""
    spot, count = _spot(eyes, question), question.count
    near, bound = _promising(eyes, spot)
    judged: list[_Judged] = []
    picked: list[_Picked] = []
    for first in range(0, min(len(near), DRAWN_MAX), BATCH):
        some = near[first : first + BATCH]
        judged += [
            one for one in _judge(eyes, spot, some, closed) if one.score > 0 and not one.closed
        ]
        picked = _pick(eyes, judged, spot, count)
        rest = bound[first + BATCH : first + BATCH + 1]
        if len(picked) == count and all(rest <= picked[-1].counts):
            break
    return [_ranked(one.judged, eyes, spot, one.besides) for one in picked]


def blind(eyes: Eyes, question: Question, closed: Closed = always_open) -> list[Ranked]:
    """The nearest cameras within `BLIND_M` that cannot show it, each with all that stands against
    it; first those that could, were they well and open."""
    spot, count = _spot(eyes, question), question.count
    metres = _metres(eyes, spot)
    nearest = np.argsort(metres, kind="stable")[: max(BLIND_ASKED, 4 * count)]
    nearest = nearest[metres[nearest] <= BLIND_M]
    judged = _judge(eyes, spot, nearest, closed)
    cannot = [one for one in judged if one.score == 0 or one.closed]
    cannot.sort(key=lambda one: one.share == 0)  # stable: the nearest first of each kind
    return [_ranked(one, eyes, spot, ()) for one in cannot[:count]]


def _spot(eyes: Eyes, question: Question) -> _Spot:
    place, around = question.place, question.around
    axes, bearing = (0.0, 0.0), 0.0
    if isinstance(around, Ellipse):
        axes = (around.semi_major_m, around.semi_minor_m)
        bearing = math.radians(around.bearing_deg)
    else:
        axes = (around, around)
    x, y = eyes.scene.plane.to_m((place.lat, place.lon))
    points = spread(x, y, axes, bearing, POINTS if axes[0] > ONE_POINT_M else 1)
    xs, ys = points[:, 0], points[:, 1]
    return _Spot(
        points,
        eyes.scene.ground_m(xs, ys),
        axes[0] if len(points) > 1 else 0.0,
        eyes.scene.holding(xs, ys),
        sun(question.at, (place.lat, place.lon)),
    )


def _metres(eyes: Eyes, spot: _Spot) -> Floats:
    x, y = spot.points[0]
    return np.asarray(np.hypot(eyes.lenses.x - x, eyes.lenses.y - y))


def _promising(eyes: Eyes, spot: _Spot) -> tuple[Numbers, Floats]:
    """The cameras that may have any of it in their picture, and the most that each could score,
    the most promising first."""
    in_reach = _metres(eyes, spot) <= eyes.reach_m + spot.extent_m
    near = np.flatnonzero(in_reach & (eyes.weight > 0))
    about = view(eyes.lenses.of(near), spot.points[:1], spot.ground[:1], spot.extent_m, about=True)
    share = about.in_view[:, 0] * about.chance
    most = _score(eyes, near, about, spot, share)
    order = np.argsort(-most, kind="stable")
    order = order[most[order] > 0]
    return near[order], most[order]


def _score(eyes: Eyes, numbers: Numbers, shown: View, spot: _Spot, share: Floats) -> Floats:
    steps = np.log(np.maximum(shown.pixels_per_m, 1e-6) / PIXELS_DOT)
    span = math.log(PIXELS_ALL / PIXELS_DOT)
    detail = DETAIL_LEAST + (1 - DETAIL_LEAST) * np.clip(steps / span, 0.0, 1.0)
    turn = 1 / (1 + shown.turn_s / TURN_HALVES_S)
    light = np.where(_against_sun(shown, spot.sun), SUN_COUNTS, 1.0)
    inside = INSIDE_COUNTS if _is_inside(spot) else 1.0
    return np.asarray(detail * share * turn * eyes.weight[numbers] * light * inside)


def _against_sun(shown: View, where: Sun) -> npt.NDArray[np.bool_]:
    off = np.abs((shown.bearing - where.bearing_deg + 180) % 360 - 180)
    return np.asarray((off < SUN_BESIDE_DEG) & (0 < where.elevation_deg < LOW_SUN_DEG))


def _is_inside(spot: _Spot) -> bool:
    return bool((spot.held.aim == 0).any())


def _judge(eyes: Eyes, spot: _Spot, numbers: Numbers, closed: Closed) -> list[_Judged]:
    """Look at every point of the place, and draw the lines of sight."""
    shown = view(eyes.lenses.of(numbers), spot.points, spot.ground, spot.extent_m)
    row, point = np.nonzero(shown.in_view)
    lens = eyes.lenses
    lines = Lines(
        np.column_stack([lens.x[numbers[row]], lens.y[numbers[row]], shown.eye_up[row, point]]),
        np.column_stack([spot.points[point], shown.aim_up[row, point]]),
        shown.is_level[row, point],
        eyes.roof[numbers[row]],
        point.astype(np.intp),
    )
    met = eyes.scene.stops(lines, spot.held)
    what = np.zeros(shown.in_view.shape, dtype=np.int8)
    building = np.full(shown.in_view.shape, -1, dtype=np.intp)
    what[row, point], building[row, point] = met.what, met.building
    share = (shown.in_view & (what == 0)).mean(axis=1) * shown.chance
    score = _score(eyes, numbers, shown, spot, share)
    stops = Stops(what, building)
    return [
        _Judged(
            int(number),
            eyes.eyes[number],
            float(score[i]),
            float(share[i]),
            i,
            shown,
            stops,
            closed(eyes.eyes[number].camera),
        )
        for i, number in enumerate(numbers)
    ]


class _Picked(NamedTuple):
    judged: _Judged
    counts: float  # its score, beside those picked before
    besides: tuple[Reason, ...]


def _pick(eyes: Eyes, judged: Sequence[_Judged], spot: _Spot, count: int) -> list[_Picked]:
    picked: list[_Picked] = []
    left = sorted(judged, key=lambda one: (-one.score, one.number))
    while left and len(picked) < count:
        chosen: _Picked | None = None
        for one in left:
            if chosen is not None and one.score <= chosen.counts:
                break
            beside = _beside(eyes, one, picked)
            factor = SAME_POLE_COUNTS if words.SAME_POLE in beside else 1.0
            factor *= SAME_SIDE_COUNTS if words.SAME_SIDE in beside else 1.0
            if chosen is None or one.score * factor > chosen.counts:
                chosen = _Picked(one, one.score * factor, beside)
        assert chosen is not None, "there is one left"
        picked.append(chosen)
        left.remove(chosen.judged)
    return picked


def _beside(eyes: Eyes, one: _Judged, picked: Sequence[_Picked]) -> tuple[Reason, ...]:
    x, y = eyes.lenses.x, eyes.lenses.y
    for other in (p.judged for p in picked):
        apart = math.hypot(x[one.number] - x[other.number], y[one.number] - y[other.number])
        if apart <= SAME_POLE_M:
            return (words.SAME_POLE,)
    for other in (p.judged for p in picked):
        off = one.view.bearing[one.row] - other.view.bearing[other.row]
        if abs((off + 180) % 360 - 180) < SAME_SIDE_DEG:
            return (words.SAME_SIDE,)
    return ()


def _ranked(one: _Judged, eyes: Eyes, spot: _Spot, besides: tuple[Reason, ...]) -> Ranked:
    camera, shown, row = one.eye.camera, one.view, one.row
    assert camera.place is not None, "only placed cameras are asked"
    turn_s = float(shown.turn_s[row])
    score = 0.0 if one.closed else one.score
    against = [words.closed(one.closed)] if one.closed else []
    if one.share > 0 and score > 0:
        reasons = [*_reasons_for(one, eyes, spot), *besides]
    else:
        reasons = [*against, *_reasons_against(one, eyes)]
    return Ranked(
        camera_id=camera.camera_id,
        name=camera.name,
        state=one.eye.state,
        place=camera.place,
        metres=round(float(shown.metres[row]), 1),
        bearing_deg=round(float(shown.bearing[row]), 1),
        how=_how(one, turn_s),
        score=round(score, 4),
        turn_s=round(turn_s, 1),
        share_visible=round(one.share, 3),
        pixels_per_m=round(float(shown.pixels_per_m[row]), 1),
        reasons=tuple(reasons),
        closed=one.closed,
    )


def _how(one: _Judged, turn_s: float) -> How:
    if one.share < PART:
        return "part"
    return "after_turn" if turn_s > 0 else "now"


def _reasons_for(one: _Judged, eyes: Eyes, spot: _Spot) -> Iterator[Reason]:
    shown, row, eye = one.view, one.row, one.eye
    yield words.detail(
        float(shown.metres[row]), float(shown.pixels_per_m[row]), float(shown.zoom[row])
    )
    if shown.turn_s[row] > 0:
        yield words.turns(float(shown.turn_s[row]))
    if shown.chance[row] < 1:
        yield words.unknown_direction(float(shown.chance[row]))
    clear = one.share / float(shown.chance[row])
    if clear < PART:
        yield words.part(clear)
        yield from _between(one, eyes)
    if _is_inside(spot):
        yield words.INSIDE
    said = words.state(eye)
    if said is not None:
        yield said
    yield from map(words.fault, eye.faults)
    if _against_sun(shown, spot.sun)[row]:
        yield words.SUN


def _reasons_against(one: _Judged, eyes: Eyes) -> Iterator[Reason]:
    """How it is, if that is why; then what its place is wanting."""
    shown, row, eye = one.view, one.row, one.eye
    if eyes.weight[one.number] == 0:
        said = words.state(eye)
        if said is not None:
            yield said
    if one.share > 0:
        return
    if shown.is_far[row].all():
        yield words.too_far(float(shown.metres[row]), float(eyes.reach_m[one.number]))
    elif shown.is_beside[row].all():
        yield words.CANNOT_TURN if eye.camera.ptz is not None else words.AWAY
    elif shown.is_beneath[row].all():
        yield words.BENEATH
    elif shown.is_above[row].all():
        yield words.ABOVE
    elif shown.in_view[row].any():
        yield from _between(one, eyes)
    else:  # a little of each
        yield words.AWAY


def _between(one: _Judged, eyes: Eyes) -> Iterator[Reason]:
    """What most of its lines meet."""
    what, building = one.stops.what[one.row], one.stops.building[one.row]
    met = building[what == BUILDING]
    if eyes.is_inside[one.number] and len(met):
        yield words.INDOORS
    elif len(met) and len(met) >= (what == GROUND).sum():
        heights = [eyes.scene.buildings[number].height_m for number in met]
        yield words.building(max(sorted(set(heights)), key=heights.count))
    elif (what == GROUND).any():
        yield words.GROUND
