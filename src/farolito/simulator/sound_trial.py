"""One trial of the practice city: a seed makes a town, its air, one scene and what was heard."""

from __future__ import annotations

import msgspec
import numpy as np

from farolito.simulator.bang import Event
from farolito.simulator.gunfire import GUN_SCENES, guns
from farolito.simulator.noises import NOISE_SCENES, noise
from farolito.simulator.sound import PITTSBURGH_LIKE, Character, Heard, Town, hexagonal, sound

SCENES = GUN_SCENES + NOISE_SCENES
STARTS_S = 1_792_000_000.0  # seconds since 1970: 14 October 2026
WINDOW_S = 14.0
FIRST_S = (2.5, 4.0)  # after the window's start the scene begins
EDGE_M = 500.0  # nearer to the edge no scene is made


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """`events` is the truth and is not for a locator; `town.net`, `town.air` and `heard.pulses`
    are."""

    scene: str
    seed: int
    town: Town
    events: tuple[Event, ...]
    heard: Heard
    span_s: tuple[float, float]


def trial(scene: str, seed: int, character: Character = PITTSBURGH_LIKE) -> Trial:
    """The same scene, seed and character give the same pulses."""
    rng = np.random.default_rng([SCENES.index(scene), seed])
    town = hexagonal(rng, character)
    side_m = float(np.ceil(max(town.net.x_m.max(), town.net.y_m.max())))

    def somewhere() -> tuple[float, float]:
        x, y = rng.uniform(EDGE_M, side_m - EDGE_M, 2)
        return float(x), float(y)

    at_s = STARTS_S + float(rng.uniform(*FIRST_S))
    make = guns if scene in GUN_SCENES else noise
    events = make(scene, at_s, somewhere, rng)
    span_s = (STARTS_S, STARTS_S + WINDOW_S)
    heard = sound(events, town, span_s, rng)
    return Trial(
        scene=scene,
        seed=seed,
        town=town,
        events=tuple(events),
        heard=heard,
        span_s=span_s,
    )
