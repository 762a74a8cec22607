"""Cars as solid shapes: a profile from the side, as wide as the car, in its colour.

Lengths in metres. A shape's own axes: ahead, left, up; its middle on the ground.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from farolito.simulator.daylight import Colour
from farolito.simulator.faces import Face
from farolito.simulator.perspective import Floats

Role = Literal["body", "glass", "tyre", "head", "tail", "bar_left", "bar_right", "door", "trim"]

COLOURS: dict[str, Colour] = {
    "white": (228, 230, 230), "black": (42, 40, 38), "gray": (118, 116, 112),
    "silver": (188, 188, 184), "blue": (150, 82, 38), "red": (44, 40, 168),
    "brown": (48, 66, 92), "green": (62, 88, 48), "gold": (92, 150, 176),
    "orange": (30, 108, 214), "yellow": (50, 190, 220),
}  # fmt: skip
_ROLES: dict[Role, Colour] = {
    "glass": (66, 58, 48), "tyre": (34, 33, 32), "head": (220, 232, 236), "tail": (36, 30, 150),
    "bar_left": (40, 34, 150), "bar_right": (160, 60, 34), "door": (232, 232, 230),
    "trim": (70, 70, 70),
}  # fmt: skip
_GLOWS: dict[Role, Colour] = {"head": (225, 245, 255), "tail": (40, 30, 235)}


class Car(NamedTuple):
    """A car in the picture. `kind` as the fleet has it, or "patrol"; `flashes` with its bar on."""

    x: float
    y: float
    heading_deg: float
    kind: str
    colour: str
    speed_mps: float = 0.0
    flashes: bool = False


class _Profile(NamedTuple):
    """Side view from the rear up and over to the front: (ahead, up) of each corner, and the role
    of the face from each corner to the next. `belt`: height of the windows' lower edge."""

    width: float
    line: tuple[tuple[float, float], ...]
    roles: tuple[Role, ...]
    windows: tuple[tuple[tuple[float, float], ...], ...]
    wheels: tuple[float, ...]
    wheel: float = 0.33


_G: Role = "glass"
_B: Role = "body"
_PROFILES = {
    "sedan": _Profile(
        1.82,
        ((-2.3, 0.3), (-2.35, 0.9), (-1.75, 1.0), (-1.1, 1.44), (0.35, 1.46), (1.1, 1.0),
         (2.2, 0.82), (2.35, 0.32)),
        (_B, _B, _G, _B, _G, _B, _B),
        (((-1.55, 1.0), (-1.0, 1.36), (-0.25, 1.38), (-0.25, 0.99)),
         ((-0.15, 0.99), (-0.15, 1.38), (0.3, 1.38), (0.9, 1.0))),
        (-1.4, 1.45),
    ),
    "suv": _Profile(
        1.9,
        ((-2.25, 0.36), (-2.3, 1.05), (-2.05, 1.7), (0.3, 1.74), (1.05, 1.16), (2.15, 1.02),
         (2.3, 0.4)),
        (_B, _G, _B, _G, _B, _B),
        (((-2.0, 1.14), (-1.85, 1.6), (-0.75, 1.64), (-0.75, 1.13)),
         ((-0.65, 1.13), (-0.65, 1.64), (0.25, 1.62), (0.85, 1.15))),
        (-1.4, 1.4), 0.37,
    ),
    "pickup": _Profile(
        1.98,
        ((-2.85, 0.45), (-2.87, 1.1), (-0.75, 1.1), (-0.7, 1.78), (0.65, 1.82), (1.35, 1.22),
         (2.65, 1.12), (2.8, 0.45)),
        (_B, "trim", _G, _B, _G, _B, _B),
        (((-0.55, 1.2), (-0.52, 1.68), (0.1, 1.7), (0.1, 1.2)),
         ((0.2, 1.2), (0.2, 1.7), (0.6, 1.7), (1.1, 1.22))),
        (-1.75, 1.75), 0.4,
    ),
    "van": _Profile(
        2.0,
        ((-2.5, 0.35), (-2.55, 1.0), (-2.45, 2.0), (0.9, 2.05), (1.75, 1.25), (2.5, 1.05),
         (2.6, 0.4)),
        (_B, _G, _B, _G, _B, _B),
        (((-2.2, 1.3), (-2.15, 1.85), (0.05, 1.9), (0.05, 1.3)),
         ((0.2, 1.3), (0.2, 1.88), (0.85, 1.88), (1.5, 1.3))),
        (-1.65, 1.65), 0.36,
    ),
    "truck": _Profile(
        2.5,
        ((-8.0, 1.1), (-8.0, 3.9), (2.4, 3.9), (2.5, 2.6), (3.3, 2.55), (3.6, 1.7), (5.0, 1.55),
         (5.2, 0.5)),
        (_B, _B, _B, _B, _G, _B, _B),
        (((2.7, 1.8), (2.7, 2.4), (3.2, 2.4), (3.4, 1.8)),),
        (-6.9, -5.8, 1.1, 2.2, 4.2), 0.5,
    ),
    "motorcycle": _Profile(
        0.7,
        ((-1.0, 0.35), (-0.9, 0.85), (-0.3, 0.9), (-0.2, 1.5), (0.1, 1.55), (0.35, 1.0),
         (0.9, 0.75), (1.0, 0.35)),
        (_B, _B, "trim", "trim", "trim", _B, _B),
        (),
        (-0.7, 0.75), 0.31,
    ),
}  # fmt: skip
_PROFILES["patrol"] = _PROFILES["suv"]


class _Part(NamedTuple):
    points: Floats
    role: Role
    normal: tuple[float, float, float]


def length_m(kind: str) -> float:
    line = _PROFILES.get(kind, _PROFILES["sedan"]).line
    return max(p[0] for p in line) - min(p[0] for p in line)


def faces(car: Car, eye: tuple[float, float], blinks: int = 0) -> list[Face]:
    """Its faces in the order to draw for a camera over `eye`; those turned away among them.

    `blinks`: 0 or 1, which half of the light bar is lit.
    """
    turn = math.radians(90 - car.heading_deg)
    cos, sin = math.cos(turn), math.sin(turn)
    axes = np.array(((cos, sin, 0.0), (-sin, cos, 0.0), (0.0, 0.0, 1.0)))
    shape = _shape(car.kind)
    from_ahead = (eye[0] - car.x) * cos + (eye[1] - car.y) * sin > 0
    across = shape.across if from_ahead else shape.across[::-1]
    parts = [*(part for group in across for part in group), *shape.sides, *shape.bar]
    body = COLOURS.get(car.colour, COLOURS["gray"])
    made = []
    for part in parts:
        colour = body if part.role == "body" else _ROLES[part.role]
        glow = _GLOWS.get(part.role)
        if car.flashes and part.role == ("bar_left" if blinks else "bar_right"):
            glow = colour = (70, 60, 255) if blinks else (255, 110, 60)
        x, y, z = part.normal
        normal = (x * cos - y * sin, x * sin + y * cos, z)
        made.append(Face(part.points @ axes + (car.x, car.y, 0.0), colour, normal, glow))
    return made


def shadow(car: Car) -> Floats:
    """The dark patch under it."""
    profile = _PROFILES.get(car.kind, _PROFILES["sedan"])
    back, front = profile.line[0][0] - 0.1, profile.line[-1][0] + 0.1
    half = profile.width / 2 + 0.15
    turn = math.radians(90 - car.heading_deg)
    cos, sin = math.cos(turn), math.sin(turn)
    corners = ((back, -half), (front, -half), (front, half), (back, half))
    return np.array([(car.x + a * cos - b * sin, car.y + a * sin + b * cos, 0) for a, b in corners])


class _Shape(NamedTuple):
    """`across`: what spans the car, from the rear to the front, each with what lies on it."""

    across: tuple[tuple[_Part, ...], ...]
    sides: tuple[_Part, ...]
    bar: tuple[_Part, ...]


@lru_cache(maxsize=16)
def _shape(kind: str) -> _Shape:
    profile = _PROFILES.get(kind, _PROFILES["sedan"])
    half = profile.width / 2
    across = []
    last = len(profile.roles) - 1
    for i, (a, b, role) in enumerate(
        zip(profile.line[:-1], profile.line[1:], profile.roles, strict=True)
    ):
        group = [_Part(_across(a, b, half), "body", _up(a, b))]
        if role != "body":
            group.append(_Part(_across(a, b, half - 0.1), role, _up(a, b)))
        if i in (0, last):
            group += _lamps(a, b, half, "tail" if i == 0 else "head")
        across.append(tuple(group))
    return _Shape(tuple(across), _sides(kind, profile), _bar(half) if kind == "patrol" else ())


def _up(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float, float]:
    dx, dz = b[0] - a[0], b[1] - a[1]
    long = math.hypot(dx, dz)
    return (-dz / long, 0.0, dx / long)


def _sides(kind: str, profile: _Profile) -> tuple[_Part, ...]:
    """The hull, then doors, windows and wheels a finger's breadth outside."""
    parts: list[_Part] = []
    for side in (1, -1):
        normal = (0.0, float(side), 0.0)
        at = side * profile.width / 2
        parts.append(_Part(_side(profile.line, at), "body", normal))
        if kind == "patrol":
            door = ((-1.0, 0.45), (-1.0, 1.1), (0.75, 1.1), (0.75, 0.45))
            parts.append(_Part(_side(door, at), "door", normal))
        parts += [_Part(_side(window, at), "glass", normal) for window in profile.windows]
        parts += [
            _Part(_side(_wheel(ahead, profile.wheel), at), "tyre", normal)
            for ahead in profile.wheels
        ]
    return tuple(parts)


def _side(line: tuple[tuple[float, float], ...], at: float) -> Floats:
    return np.array([(ahead, at, up) for ahead, up in line])


def _across(a: tuple[float, float], b: tuple[float, float], half: float) -> Floats:
    return np.array(
        ((a[0], -half, a[1]), (a[0], half, a[1]), (b[0], half, b[1]), (b[0], -half, b[1]))
    )


def _wheel(at: float, radius: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (at + radius * math.cos(k * math.pi / 5), radius + radius * math.sin(k * math.pi / 5))
        for k in range(10)
    )


def _lamps(a: tuple[float, float], b: tuple[float, float], half: float, role: Role) -> list[_Part]:
    """Two, in the upper half of the rear's or front's face, whose lower edge is `a` or `b`."""
    low, high = (a, b) if a[1] < b[1] else (b, a)

    def point(side: float, share: float) -> tuple[float, float, float]:
        return (low[0] + share * (high[0] - low[0]), side, low[1] + share * (high[1] - low[1]))

    made = []
    for side in (1, -1):
        outer, inner = side * (half - 0.05), side * (half - 0.42)
        points = (point(outer, 0.5), point(inner, 0.5), point(inner, 0.85), point(outer, 0.85))
        made.append(_Part(np.array(points), role, _up(a, b)))
    return made


def _bar(half: float) -> tuple[_Part, ...]:
    """The light bar across the roof: a red and a blue half, from all sides."""
    made: list[_Part] = []
    halves: tuple[tuple[Role, float, float], ...] = (
        ("bar_left", 0.02, half - 0.2),
        ("bar_right", -half + 0.2, -0.02),
    )
    for role, a, b in halves:
        for x, ahead in ((0.0, 1.0), (-0.25, -1.0)):
            front = np.array(((x, a, 1.74), (x, b, 1.74), (x, b, 1.9), (x, a, 1.9)))
            made.append(_Part(front, role, (ahead, 0.0, 0.0)))
        top = np.array(((0.0, a, 1.9), (0.0, b, 1.9), (-0.25, b, 1.9), (-0.25, a, 1.9)))
        made.append(_Part(top, role, (0.0, 0.0, 1.0)))
        end, side = (b, 1.0) if role == "bar_left" else (a, -1.0)
        tip = np.array(((0, end, 1.74), (-0.25, end, 1.74), (-0.25, end, 1.9), (0, end, 1.9)))
        made.append(_Part(tip, role, (0.0, side, 0.0)))
    return tuple(made)
