"""Impulses of the practice city that are no gunfire: fireworks, backfires, works, thunder.

Every figure here is ASSUMED: no measured set of such sounds with places exists for us (notes §5).
They are drawn so that each kind overlaps with guns in what one pulse tells (level, bands, rise,
decay) and differs in what a maker cannot hide: rhythm, height, spread of places, power, hour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from farolito.model import SoundKind
from farolito.simulator.bang import Bang, Event, Voice
from farolito.simulator.gunfire import XY, Somewhere

# A shell's burst in the air is a larger charge than a cartridge's: longer and lower.
BURST = Voice(
    name="aerial burst", level_db=4, spectrum_db=(-1, 0, -1, -4, -8, -14), rise_ms=1.4,
    decay_ms=11, level_sd=4, each_sd=2.5,
)  # fmt: skip
LIFT = Voice(
    name="mortar lift", level_db=-12, spectrum_db=(0, -2, -7, -12, -18, -26), rise_ms=3.5,
    decay_ms=14, level_sd=3, each_sd=2,
)  # fmt: skip
CRACKER = Voice(
    name="firecracker", level_db=-13, spectrum_db=(-14, -8, -3, 0, -1, -5), rise_ms=0.7,
    decay_ms=4, level_sd=4, each_sd=3,
)  # fmt: skip
SALUTE = Voice(  # a large banger on the ground: by one pulse nobody tells it from a handgun
    name="salute", level_db=-1, spectrum_db=(-4, -1, 0, -2, -5, -10), rise_ms=1.0,
    decay_ms=6.5, level_sd=4, each_sd=3,
)  # fmt: skip
BACKFIRE = Voice(
    name="backfire", level_db=-11, spectrum_db=(-1, 0, -3, -8, -14, -22), rise_ms=2.5,
    decay_ms=10, level_sd=4, each_sd=3,
)  # fmt: skip
NAIL_GUN = Voice(
    name="nail gun", level_db=-17, spectrum_db=(-16, -10, -4, 0, 0, -3), rise_ms=0.9,
    decay_ms=5, level_sd=3, each_sd=1,
)  # fmt: skip
PILE_DRIVER = Voice(
    name="pile driver", level_db=-5, spectrum_db=(-2, 0, -1, -4, -7, -12), rise_ms=2.0,
    decay_ms=35, level_sd=3, each_sd=0.7,
)  # fmt: skip
THUNDER = Voice(
    name="thunder", level_db=8, spectrum_db=(0, -4, -11, -20, -30, -42), rise_ms=30.0,
    decay_ms=120, level_sd=5, each_sd=5,
)  # fmt: skip


def noise(kind: str, at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """The events of one scene without gunfire that begins at `at_s`."""
    return _SCENES[kind](at_s, somewhere, rng)


def show(
    at_s: float, at: XY, seconds: float, per_s: float, rng: np.random.Generator
) -> list[Event]:
    """Aerial shells from one spot: a thump on the ground, 2–4 s later a burst 60–150 m up that
    has drifted. Every shell bursts elsewhere: 10–40 m to a side."""
    lifts, bursts = [], []
    for lift_s in at_s + np.sort(rng.uniform(0, seconds, max(1, rng.poisson(per_s * seconds)))):
        lifts.append(Bang(at_s=float(lift_s), x_m=at[0], y_m=at[1]))
        drift, angle = rng.uniform(10, 40), rng.uniform(0, 2 * math.pi)
        bursts.append(
            Bang(
                at_s=float(lift_s + rng.uniform(2, 4)),
                x_m=at[0] + drift * math.cos(angle),
                y_m=at[1] + drift * math.sin(angle),
                z_m=float(rng.uniform(60, 150)),
                louder_db=float(rng.normal(0, BURST.each_sd)),
            )
        )
    bursts.sort(key=lambda bang: bang.at_s)
    return [
        Event(kind=SoundKind.FIREWORK, what="mortar lifts", voice=LIFT, bangs=tuple(lifts)),
        Event(kind=SoundKind.FIREWORK, what="aerial shells", voice=BURST, bangs=tuple(bursts)),
    ]


def blows(
    kind: SoundKind, voice: Voice, times: np.ndarray, at: XY, rng: np.random.Generator
) -> Event:
    """Impulses of one voice from one place."""
    return Event(
        kind=kind,
        what=voice.name,
        voice=voice,
        bangs=tuple(
            Bang(at_s=float(t), x_m=at[0], y_m=at[1], louder_db=float(rng.normal(0, voice.each_sd)))
            for t in times
        ),
    )


def _aerial(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    return show(at_s, somewhere(), 5.0, rng.uniform(0.2, 1.0), rng)


def _stadium(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """A piece of a show by professionals: larger shells, several a second."""
    return show(at_s, somewhere(), 6.0, rng.uniform(1.5, 4.0), rng)


def _crackers(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    count = int(rng.integers(16, 60))
    times = at_s + np.cumsum(rng.exponential(0.07, count) + 0.005)
    return [blows(SoundKind.FIREWORK, CRACKER, times, somewhere(), rng)]


def _salutes(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    count = int(rng.integers(1, 6))
    times = at_s + np.cumsum(rng.exponential(1.2, count) + 0.2) - 0.2
    return [blows(SoundKind.FIREWORK, SALUTE, times, somewhere(), rng)]


def _backfire(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """One to three from a car that drives on meanwhile."""
    (x, y), count = somewhere(), int(rng.integers(1, 4))
    speed, angle = rng.uniform(5, 20), rng.uniform(0, 2 * math.pi)
    gone_s = np.cumsum(rng.uniform(0.15, 1.5, count)) - 0.15
    bangs = tuple(
        Bang(
            at_s=at_s + float(t),
            x_m=x + float(t) * speed * math.cos(angle),
            y_m=y + float(t) * speed * math.sin(angle),
            louder_db=float(rng.normal(0, BACKFIRE.each_sd)),
        )
        for t in gone_s
    )
    return [Event(kind=SoundKind.VEHICLE, what="backfire", voice=BACKFIRE, bangs=bangs)]


def _nail_gun(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """A roofer's row: a nail each 0.4–1.2 s, steady to a tenth."""
    pace = rng.uniform(0.4, 1.2)
    count = int(rng.integers(5, 1 + max(6, int(8 / pace))))
    times = at_s + np.cumsum(pace * rng.normal(1, 0.1, count).clip(0.6, 1.4))
    return [blows(SoundKind.CONSTRUCTION, NAIL_GUN, times, somewhere(), rng)]


def _pile_driver(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """Diesel hammer: 40–60 blows a minute, steady to a hundredth."""
    pace = rng.uniform(1.0, 1.5)
    times = at_s + pace * np.arange(int(8 / pace)) + rng.normal(0, 0.01, int(8 / pace))
    return [blows(SoundKind.CONSTRUCTION, PILE_DRIVER, times, somewhere(), rng)]


def _thunder(at_s: float, somewhere: Somewhere, rng: np.random.Generator) -> list[Event]:
    """A channel of kilometres, all of it at one moment: no place explains its arrivals."""
    x, y = somewhere()
    far, angle = rng.uniform(500, 5000), rng.uniform(0, 2 * math.pi)
    count = int(rng.integers(15, 50))
    way = np.cumsum(rng.normal(0, 220, (count, 2)), axis=0)
    bangs = tuple(
        Bang(
            at_s=at_s,
            x_m=x + far * math.cos(angle) + float(dx),
            y_m=y + far * math.sin(angle) + float(dy),
            z_m=float(z),
            louder_db=float(rng.normal(0, THUNDER.each_sd)),
        )
        for (dx, dy), z in zip(way, np.linspace(0, rng.uniform(3000, 6000), count), strict=True)
    )
    return [Event(kind=SoundKind.OTHER, what="thunder", voice=THUNDER, bangs=bangs)]


_SCENES: Mapping[str, Callable[[float, Somewhere, np.random.Generator], list[Event]]] = {
    "aerial_shells": _aerial,
    "stadium_show": _stadium,
    "firecrackers": _crackers,
    "salutes": _salutes,
    "backfire": _backfire,
    "nail_gun": _nail_gun,
    "pile_driver": _pile_driver,
    "thunder": _thunder,
}
NOISE_SCENES = tuple(_SCENES)
