"""The practice city's share of `bench shots`: scenes of gunfire on seeds kept for judging.

Each trial draws its own town, air and scene; the locator gets sensors, pulses and what is known
of the air. The whole window is seen at once. The rival gets the same, of one shooter's scenes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from farolito.acoustics import Air, Net, Pulse, Source
from farolito.acoustics.bound import bound_m
from farolito.acoustics.evaluate import (
    NEAR_M,
    REACHES_PROBABILITY,
    Scene,
    Shooting,
    judge,
    percent,
    rank,
)
from farolito.acoustics.kind import odds
from farolito.acoustics.locate import locate
from farolito.acoustics.traits import Setting
from farolito.cli.bench_shots_baseline import nearest_six
from farolito.model import SoundKind
from farolito.simulator.bang import Event
from farolito.simulator.sound import HARSH, JUDGE_SEEDS, PITTSBURGH_LIKE, Character
from farolito.simulator.sound_trial import Trial, trial

Progress = Callable[[float], None]
P1, P2 = 0.5, 0.2  # of P(gunshot), as the desk's levels
SEEDS_APART = 10_000  # one bench seed's trials from the next one's
ALONE = ("single", "string")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How many trials of each scene, by character."""

    like: Mapping[str, int]
    harsh: Mapping[str, int]


QUICK = Size(
    like={
        "single": 12, "string": 8, "full_auto": 6, "two_shooters": 6, "five_strings": 2,
        "moving": 3, "none": 4,
    },
    harsh={"single": 6},
)  # fmt: skip
FULL = Size(
    like={
        "single": 400, "string": 400, "full_auto": 200, "two_shooters": 200, "five_strings": 80,
        "moving": 100, "none": 120,
    },
    harsh={"single": 100, "string": 100, "two_shooters": 50, "none": 60},
)  # fmt: skip


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One trial, judged."""

    scene: str
    character: str
    judged: Scene
    seconds: float
    bound_m: float | None = None  # with one shooter
    rival_error_m: float | None = None  # of the rival; None: it found no place
    gunshot: tuple[float, ...] = ()  # P(gunshot) of each answer, by the odds of kinds


def asked(size: Size, seed: int) -> list[tuple[str, int, Character]]:
    """Every trial of a run: scene, judging seed, character. Scenes take turns, so that a run
    that is cut short has some of each."""
    first = JUDGE_SEEDS + seed * SEEDS_APART
    return [
        (scene, first + number, character)
        for number in range(max((*size.like.values(), *size.harsh.values())))
        for character, scenes in ((PITTSBURGH_LIKE, size.like), (HARSH, size.harsh))
        for scene, count in scenes.items()
        if number < count
    ]


def try_one(question: tuple[str, int, Character]) -> Tried:
    """One trial through the locator and, with one shooter, through the rival."""
    scene, seed, character = question
    made = trial(scene, seed, character)
    net, air, pulses = made.town.net, made.town.air, made.heard.pulses
    begun = time.perf_counter()
    sources = locate(net, pulses, air)
    seconds = time.perf_counter() - begun
    truths = [shooting(event) for event in made.events]
    reach = [source for source in sources if source.probability >= REACHES_PROBABILITY]
    told = Tried(
        scene=scene,
        character=character.name,
        judged=judge(truths, sources),
        seconds=seconds,
        gunshot=tuple(gunshot(source, sources, pulses, net, air) for source in reach),
    )
    if scene not in ALONE:
        return told
    rival = nearest_six(net, pulses, air)
    error = None
    if rival is not None:
        error = ((rival[0] - truths[0].x_m) ** 2 + (rival[1] - truths[0].y_m) ** 2) ** 0.5
    return msgspec.structs.replace(told, bound_m=_bound_m(made), rival_error_m=error)


def gunshot(
    source: Source, sources: Sequence[Source], pulses: Sequence[Pulse], net: Net, air: Air
) -> float:
    """P(gunshot): that there was such a source, and that it was a gun."""
    others = tuple(other for other in sources if other.track != source.track)
    kinds, _ = odds(source, pulses, net, air, Setting(others=others))
    return source.probability * kinds[SoundKind.GUNSHOT]


def shooting(event: Event) -> Shooting:
    """The truth of an event, as the judge takes it."""
    places = tuple((bang.x_m, bang.y_m) for bang in event.bangs)
    return Shooting(
        x_m=event.x_m,
        y_m=event.y_m,
        rounds=len(event.bangs),
        times_s=tuple(bang.at_s for bang in event.bangs),
        places=places if len(set(places)) > 1 else (),
    )


def _bound_m(made: Trial) -> float:
    """What the sensors that truly heard it straight could tell at best."""
    heard = {
        pulse.sensor
        for pulse, by in zip(made.heard.pulses, made.heard.made, strict=True)
        if by.event == 0 and not by.is_echo
    }
    net = made.town.net
    where = [(net.sensors[net.index[one]].x_m, net.sensors[net.index[one]].y_m) for one in heard]
    return bound_m(sorted(where), (made.events[0].x_m, made.events[0].y_m), made.town.air)


def figures(tried: Sequence[Tried]) -> dict[str, Any]:
    """The keys that start with `sim_`, the bound's ratio, and one row a scene under `scenes`."""
    like = [one for one in tried if one.character == PITTSBURGH_LIKE.name]
    found: dict[str, Any] = {}
    for character in (PITTSBURGH_LIKE.name, HARSH.name):
        mine = [one for one in tried if one.character == character]
        start = "sim" if character == PITTSBURGH_LIKE.name else "harsh"
        for scene in dict.fromkeys(one.scene for one in mine):
            row = _row([one for one in mine if one.scene == scene])
            found.update({f"{start}_{scene}_{key}": value for key, value in row.items()})
    found["sim_two_shooters_percent"] = found.get("sim_two_shooters_all_within_25m_percent")
    found["sim_full_auto_percent"] = found.get("sim_full_auto_within_25m_percent")
    found["sim_five_strings_percent"] = found.get("sim_five_strings_within_25m_percent")
    found["sim_ghosts_per_100"] = _per_100(like)
    found["crlb_ratio_median"] = rank(
        (
            one.judged.verdicts[0].error_m / one.bound_m
            for one in like
            if one.bound_m is not None and one.judged.verdicts[0].error_m is not None
        ),
        0.5,
    )
    guns = [p for one in like for p in one.gunshot]
    found["kind_gun_p1_percent"] = percent(p >= P1 for p in guns)
    found["kind_gun_queued_percent"] = percent(p >= P2 for p in guns)
    found["sim_trials"] = len(tried)
    return found


def rival(tried: Sequence[Tried]) -> dict[str, Any]:
    """The rival's figures where there was one shooter, Pittsburgh-like."""
    mine = [one for one in tried if one.scene in ALONE and one.character == PITTSBURGH_LIKE.name]
    errors = [one.rival_error_m for one in mine if one.rival_error_m is not None]
    return {
        "sim_within_25m_percent": percent(
            one.rival_error_m is not None and one.rival_error_m <= NEAR_M for one in mine
        ),
        "sim_p95_m": rank(errors, 0.95),
    }


def _row(mine: Sequence[Tried]) -> dict[str, Any]:
    verdicts = [verdict for one in mine for verdict in one.judged.verdicts]
    row: dict[str, Any] = {"ghosts_per_100": _per_100(mine), "trials": len(mine)}
    row["locate_p95_ms"] = rank((1000 * one.seconds for one in mine), 0.95)
    if not verdicts:
        return row
    errors = [verdict.error_m for verdict in verdicts if verdict.error_m is not None]
    row.update(
        missed_percent=percent(not verdict.located for verdict in verdicts),
        within_25m_percent=percent(verdict.is_near for verdict in verdicts),
        all_within_25m_percent=percent(
            all(verdict.is_near for verdict in one.judged.verdicts) for one in mine
        ),
        near_or_said_so_percent=percent(verdict.is_near_or_said_so for verdict in verdicts),
        median_m=rank(errors, 0.5),
        p95_m=rank(errors, 0.95),
        rounds_exact_percent=percent(v.rounds_found == v.rounds_true for v in verdicts),
        rounds_interval_percent=percent(
            v.rounds_low <= v.rounds_true <= v.rounds_high for v in verdicts if v.located
        ),
        ellipse95_percent=percent(bool(v.ellipse95_holds) for v in verdicts if v.located),
    )
    return row


def _per_100(mine: Iterable[Tried]) -> float | None:
    counts = [one.judged.extra_events for one in mine]
    return 100 * sum(counts) / len(counts) if counts else None
