"""Gunfire of the practice city: single shots, strings, automatic fire, several shooters.

Kinds and their figures are those of the notes' practice city, so that results compare. Rates of
fire: semi-automatic some 300 rounds a minute, automatic 450–950 (TN 098).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from farolito.model import SoundKind
from farolito.simulator.bang import Bang, Event, Voice

# A handgun is as our picker hears Pittsburgh's (see `loudness`, which adds distance, walls and the
# sensor). Rifles and shotguns are ASSUMED from it: a larger charge's blast is longer and lower.
HANDGUN = Voice(
    name="handgun", level_db=0, spectrum_db=(-7, -3, 0, -1, -4, -7), rise_ms=0.9, decay_ms=5
)
RIFLE = Voice(name="rifle", level_db=3, spectrum_db=(-6, -2, 0, 0, -3, -6), rise_ms=0.8, decay_ms=6)
SHOTGUN = Voice(
    name="shotgun", level_db=1, spectrum_db=(-4, -1, 0, -2, -6, -10), rise_ms=1.1, decay_ms=7
)
GUNS = (HANDGUN, RIFLE, SHOTGUN)
GUN_SHARES = (0.7, 0.2, 0.1)  # ASSUMED

XY = tuple[float, float]
Somewhere = Callable[[], XY]


def guns(kind: str, at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """The events of one scene of gunfire that begins at `at_s`. `somewhere` draws a place."""
    return _SCENES[kind](at_s, somewhere, rng)


def rounds(
    count: int, first_s: float, gap_s: tuple[float, float], at: XY, rng: np.random.Generator
) -> Event:
    """`count` rounds from one place, each `gap_s` after the one before."""
    gaps = rng.uniform(*gap_s, size=count - 1)
    times = first_s + np.concatenate(([0.0], np.cumsum(gaps)))
    return _gun(tuple(Bang(at_s=float(t), x_m=at[0], y_m=at[1]) for t in times), rng)


def _gun(bangs: tuple[Bang, ...], rng: np.random.Generator, voice: Voice | None = None) -> Event:
    voice = voice or GUNS[int(rng.choice(len(GUNS), p=GUN_SHARES))]
    return Event(kind=SoundKind.GUNSHOT, what=voice.name, voice=voice, bangs=bangs)


def _single(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    return [rounds(1, at_s, (0, 0), somewhere(), rng)]


def _string(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    return [rounds(int(rng.integers(3, 13)), at_s, (0.15, 0.5), somewhere(), rng)]


def _full_auto(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """85 ms a round (706 a minute), steady to 2 ms as a bolt is."""
    count, at = int(rng.integers(6, 20)), somewhere()
    times = at_s + 0.085 * np.arange(count) + rng.normal(0, 0.002, count)
    return [_gun(tuple(Bang(at_s=float(t), x_m=at[0], y_m=at[1]) for t in times), rng)]


def _two_shooters(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    x, y = somewhere()
    far, angle = rng.uniform(40, 300), rng.uniform(0, 2 * math.pi)
    other = (x + far * math.cos(angle), y + far * math.sin(angle))
    return [
        rounds(int(rng.integers(3, 9)), at_s, (0.15, 0.5), (x, y), rng),
        rounds(int(rng.integers(3, 9)), at_s + 0.1, (0.15, 0.5), other, rng),
    ]


def _five_strings(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    return [
        rounds(int(rng.integers(1, 9)), at_s + rng.uniform(0, 3), (0.15, 0.5), somewhere(), rng)
        for _ in range(5)
    ]


def _moving(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """Someone who shoots while they walk or run, 1.5–5 m/s, for 3–8 s."""
    x, y = somewhere()
    speed, angle = rng.uniform(1.5, 5.0), rng.uniform(0, 2 * math.pi)
    count = int(rng.integers(6, 13))
    gone_s = np.sort(rng.uniform(0, rng.uniform(3, 8), count))
    gone_s = np.maximum.accumulate(gone_s + 0.15 * np.arange(count)) - gone_s[0]
    return [
        _gun(
            tuple(
                Bang(
                    at_s=at_s + float(t),
                    x_m=x + float(t) * speed * math.cos(angle),
                    y_m=y + float(t) * speed * math.sin(angle),
                )
                for t in gone_s
            ),
            rng,
        )
    ]


def _none(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    return []


_SCENES: Mapping[str, Callable[[float, Somewhere, np.random.Generator], list[Event]]] = {
    "single": _single,
    "string": _string,
    "full_auto": _full_auto,
    "two_shooters": _two_shooters,
    "five_strings": _five_strings,
    "moving": _moving,
    "none": _none,
}
GUN_SCENES = tuple(_SCENES)
