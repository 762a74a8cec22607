"""Sources as a locator without error would tell them, from what the practice city made."""

from __future__ import annotations

import math
from collections.abc import Sequence

from farolito.acoustics import Ear, Net, Place, Pulse, Round, Source
from farolito.simulator.bang import Event
from farolito.simulator.sound import Heard

RANGE_M = 1000.0
SENSORS_MIN = 5


def perfect(events: Sequence[Event], net: Net, heard: Heard, *, each: bool = False) -> list[Source]:
    """A source for each event that enough sensors heard (with `each`: for each of its bangs)."""
    told: dict[tuple[int, int], list[Pulse]] = {}
    for pulse, made in zip(heard.pulses, heard.made, strict=True):
        if made.event >= 0 and not made.is_echo:
            told.setdefault((made.event, made.bang), []).append(pulse)
    strings: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event, bang in sorted(told):
        strings.setdefault((event, bang if each else 0), []).append((event, bang))
    found = []
    for number, bangs in enumerate(strings.values()):
        source = _source(number, bangs, events, net, told)
        if source is not None:
            found.append(source)
    return sorted(found, key=lambda source: source.rounds[0].at_s)


def _source(
    number: int,
    bangs: Sequence[tuple[int, int]],
    events: Sequence[Event],
    net: Net,
    told: dict[tuple[int, int], list[Pulse]],
) -> Source | None:
    event = events[bangs[0][0]]
    x, y = event.bangs[bangs[0][1]].x_m, event.bangs[bangs[0][1]].y_m
    by_sensor: dict[str, list[Pulse]] = {}
    rounds = []
    for one in bangs:
        near = [p for p in told[one] if _metres(net, p, x, y) < RANGE_M]
        if len(near) >= SENSORS_MIN:
            rounds.append(Round(at_s=event.bangs[one[1]].at_s, sensors=len(near)))
            for pulse in near:
                by_sensor.setdefault(pulse.sensor, []).append(pulse)
    if not rounds:
        return None
    ears = tuple(
        Ear(
            sensor=sensor, at_s=pulses[0].at_s, rounds=len(pulses), residual_s=0.0,
            metres=_metres(net, pulses[0], x, y), level_db=pulses[0].level_db,
            pulses=tuple(pulse.pulse_id for pulse in pulses),
        )
        for sensor, pulses in by_sensor.items()
    )  # fmt: skip
    return Source(
        track=number, revision=1, places=(Place(x_m=x, y_m=y, xx=9.0, xy=0.0, yy=9.0),),
        rounds=tuple(rounds), rounds_low=len(rounds), rounds_high=len(rounds), score=50.0,
        expected=50.0, probability=0.99, ears=ears,
    )  # fmt: skip


def _metres(net: Net, pulse: Pulse, x_m: float, y_m: float) -> float:
    at = net.index[pulse.sensor]
    return math.hypot(net.x_m[at] - x_m, net.y_m[at] - y_m)
