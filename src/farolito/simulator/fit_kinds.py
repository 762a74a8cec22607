"""Fits the kinds of sound on the practice city: `python -m farolito.simulator.fit_kinds`.

Scenes of the tuning seeds go through the locator; every source it finds is labelled by the event
that made most of its pulses, and each maker's traits give a mean and a scatter. Fit on seeds
below `TUNING_SEEDS`, report on others (`report`). Prints `acoustics/kind_weights.py`.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

from farolito.acoustics.kind import EVEN, Maker, Model, kinds, likelihoods
from farolito.acoustics.locate import locate
from farolito.acoustics.source import Source
from farolito.acoustics.traits import TRAITS, Setting, traits
from farolito.model.shot import SoundKind
from farolito.simulator.sound import HARSH, PITTSBURGH_LIKE
from farolito.simulator.sound_trial import Trial, trial

SCENES: Mapping[str, float] = {
    "single": 1.6, "string": 0.8, "full_auto": 0.8, "two_shooters": 0.4, "five_strings": 0.1,
    "moving": 0.4, "aerial_shells": 0.5, "stadium_show": 0.05, "firecrackers": 0.8,
    "salutes": 1.2, "backfire": 1.6, "nail_gun": 1.6, "pile_driver": 0.6, "thunder": 0.1,
    "none": 0.5,
}  # fmt: skip
"""Trials of each scene, of every hundred seeds: fewer where one gives many sources."""

SHARES: Mapping[str, tuple[SoundKind, float]] = {
    "gun, one": (SoundKind.GUNSHOT, 0.40),
    "gun, several": (SoundKind.GUNSHOT, 0.45),
    "gun, automatic": (SoundKind.GUNSHOT, 0.15),
    "aerial burst": (SoundKind.FIREWORK, 0.40),
    "mortar lift": (SoundKind.FIREWORK, 0.05),
    "firecracker": (SoundKind.FIREWORK, 0.25),
    "salute, one": (SoundKind.FIREWORK, 0.15),
    "salute, several": (SoundKind.FIREWORK, 0.15),
    "backfire": (SoundKind.VEHICLE, 1.0),
    "nail gun": (SoundKind.CONSTRUCTION, 0.5),
    "pile driver": (SoundKind.CONSTRUCTION, 0.5),
    "thunder": (SoundKind.OTHER, 0.6),
    "stray": (SoundKind.OTHER, 0.4),
}
"""Makers and their share of a kind (ASSUMED: nobody has counted)."""

NAMES = {"aerial shells": "aerial burst", "mortar lifts": "mortar lift"}
DOUBT: Mapping[str, float] = {
    "rounds": 0.25, "interval": 0.5, "variation": 0.5, "power": 5.0,
    "rise": 0.5, "decay": 0.5, "low_tilt": 3.0, "high_tilt": 3.0, "reach": 0.4, "far": 0.5,
    "pace": 0.3, "company": 0.35,
}  # fmt: skip
"""What a simulator cannot know of a real city, 1 sd, added to the scatter of each trait."""

FEWEST = 8  # sources before a maker's own scatter counts; below, that of all
PURE = 0.5  # of a source's pulses made by one event
TEMPERS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Never 1: the city is ours, and a real one will differ more than its seeds do."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One located source: who made it, and what it showed."""

    maker: str
    kind: SoundKind
    scene: str
    seed: int
    numbers: dict[str, float]


def gather(seeds: Iterable[int], shares: Mapping[str, float] = SCENES) -> Iterator[Shown]:
    """Located sources of the practice city, one seed in four in a harsh one."""
    for seed in seeds:
        for scene, share in shares.items():
            times = math.floor(share * (seed + 1)) - math.floor(share * seed)
            for number in range(times):
                one = seed + 5000 * number
                made = trial(scene, one, HARSH if one % 4 == 3 else PITTSBURGH_LIKE)
                sources = locate(made.town.net, made.heard.pulses, made.town.air)
                yield from shown(made, sources)


def shown(made: Trial, sources: Sequence[Source]) -> Iterator[Shown]:
    by_id = dict(zip((p.pulse_id for p in made.heard.pulses), made.heard.made, strict=True))
    for source in sources:
        events = [by_id[pulse].event for ear in source.ears for pulse in ear.pulses]
        most = max(set(events), key=events.count)
        if events.count(most) < PURE * len(events):
            most = -1
        what = made.events[most].what if most >= 0 else "stray"
        setting = Setting(others=tuple(sources))
        told = traits(source, made.heard.pulses, made.town.net, made.town.air, setting)
        is_gun = most >= 0 and made.events[most].kind is SoundKind.GUNSHOT
        automatic = made.scene == "full_auto" and told.rhythm.rounds > 1
        maker = _maker(what, is_gun, told.rhythm.rounds, automatic)
        yield Shown(
            maker=maker,
            kind=SHARES[maker][0],
            scene=made.scene,
            seed=made.seed,
            numbers=told.numbers(),
        )


def _maker(what: str, is_gun: bool, rounds: int, automatic: bool) -> str:
    number = "one" if rounds == 1 else "several"
    if is_gun:
        return "gun, automatic" if automatic else f"gun, {number}"
    return f"salute, {number}" if what == "salute" else NAMES.get(what, what)


def fit(rows: Sequence[Shown]) -> Model:
    """A Gaussian a maker, one correlation for all, and the temper that tells the truth best."""
    columns = np.array([[row.numbers.get(name, np.nan) for name in TRAITS] for row in rows])
    doubt = np.array([DOUBT[name] for name in TRAITS])
    of_all, sd_of_all, _ = _spread(columns)
    makers, z = [], np.full_like(columns, np.nan)
    for name, (kind, share) in SHARES.items():
        at = np.array([row.maker == name for row in rows])
        own = columns[at]
        mean, sd, count = _spread(own)
        mean = np.where(count >= FEWEST, mean, of_all)
        sd = np.where(count >= FEWEST, sd, sd_of_all)
        sd = np.hypot(sd, doubt)
        z[at] = (own - mean) / sd
        makers.append(Maker(name=name, kind=kind, share=share, mean=_round(mean), sd=_round(sd)))
    model = Model(makers=tuple(makers), correlation=_correlation(z), temper=1.0)
    tempered = [msgspec.structs.replace(model, temper=temper) for temper in TEMPERS]
    return min(tempered, key=lambda one: loss(one, rows))


def _spread(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, sd and count of what is told in each column; 0 and 1 where nothing is."""
    count = (~np.isnan(columns)).sum(axis=0)
    mean = np.nansum(columns, axis=0) / np.maximum(count, 1)
    sd = np.sqrt(np.nansum((columns - mean) ** 2, axis=0) / np.maximum(count, 1))
    return mean, np.where(count > 0, sd, 1.0), count


def _round(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(one), 3) for one in values)


def _correlation(z: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Of the scatter within makers, over pairs that both are told; drawn towards none until few
    rare pairs cannot make it singular."""
    known = ~np.isnan(z)
    filled = np.where(known, np.clip(z, -4, 4), 0.0)
    pairs = known.T.astype(float) @ known.astype(float)
    cross = filled.T @ filled / np.maximum(pairs, 1)
    spread = np.sqrt(np.maximum(np.diag(cross), 0.1))
    full = cross / spread[:, None] / spread[None, :] * (pairs >= FEWEST)
    for drawn in (0.8, 0.6, 0.4, 0.2):
        found = drawn * full
        np.fill_diagonal(found, 1.0)
        if np.linalg.eigvalsh(found).min() >= 0.1:
            break
    return tuple(_round(row) for row in found)


def weights(rows: Sequence[Shown]) -> np.ndarray:
    """Each row's weight, so that kinds weigh as `EVEN` and makers by their share."""
    count = {name: sum(row.maker == name for row in rows) for name in SHARES}
    told = [EVEN[row.kind] * SHARES[row.maker][1] / count[row.maker] for row in rows]
    return np.array(told) / sum(told)


def loss(model: Model, rows: Sequence[Shown]) -> float:
    """Mean log loss of the kind."""
    told = [kinds(likelihoods(row.numbers, model), EVEN)[row.kind] for row in rows]
    return float(-(weights(rows) * np.log(told)).sum())


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """`error`: expected calibration error of P(gun), ten bins. `recall`: of guns at the bar where
    2 % of the other sources pass; `at_half`: recall and false share at P(gun) ≥ 0.5."""

    sources: int
    error: float
    bins: tuple[tuple[float, float, float], ...]  # told, true, weight
    recall: float
    bar: float
    at_half: tuple[float, float]
    passing: dict[str, float]  # share of each maker's sources at or above 0.5


def report(rows: Sequence[Shown], model: Model, without: Sequence[str] = ()) -> Figures:
    rows = [row for row in rows if not row.maker.startswith(tuple(without) or ("-",))]
    gun = np.array([row.kind is SoundKind.GUNSHOT for row in rows])
    weight = weights(rows)
    told = np.array([kinds(likelihoods(r.numbers, model), EVEN)[SoundKind.GUNSHOT] for r in rows])
    part = np.minimum((told * 10).astype(int), 9)
    bins = []
    for number in range(10):
        at = part == number
        if at.any():
            mass = float(weight[at].sum())
            bins.append(
                (
                    float((weight[at] * told[at]).sum() / mass),
                    float((weight[at] * gun[at]).sum() / mass),
                    mass,
                )
            )
    order = np.argsort(-told)
    false = np.cumsum(weight[order] * ~gun[order]) / weight[~gun].sum()
    last = int(np.searchsorted(false, 0.02, side="right")) - 1
    bar = float(told[order[max(last, 0)]])
    return Figures(
        sources=len(rows),
        error=sum(mass * abs(said - true) for said, true, mass in bins),
        bins=tuple(bins),
        recall=float(weight[(told >= bar) & gun].sum() / weight[gun].sum()),
        bar=bar,
        at_half=(
            float(weight[(told >= 0.5) & gun].sum() / weight[gun].sum()),
            float(weight[(told >= 0.5) & ~gun].sum() / weight[~gun].sum()),
        ),
        passing={
            name: float(np.mean(told[[r.maker == name for r in rows]] >= 0.5))
            for name in SHARES
            if any(row.maker == name for row in rows)
        },
    )


def module(model: Model, sources: int, seeds: str) -> str:
    """The text of `acoustics/kind_weights.py`."""
    lines = [
        '"""Weights of `kind.py`, made by `python -m farolito.simulator.fit_kinds`; do not edit.',
        "",
        f"Fitted on {sources} sources that the locator found in the practice city, {seeds}.",
        "Makers: name, kind, share of the kind, mean and sd of each trait of `traits.TRAITS`.",
        '"""',
        "",
        f"TEMPER = {model.temper}",
        "",
        "MAKERS: tuple[tuple[str, str, float, tuple[float, ...], tuple[float, ...]], ...] = (",
    ]
    lines += [
        f'    ("{one.name}", "{one.kind}", {one.share}, {one.mean}, {one.sd}),'
        for one in model.makers
    ]
    lines += [")", "", "CORRELATION: tuple[tuple[float, ...], ...] = ("]
    lines += [f"    {row}," for row in model.correlation]
    return "\n".join([*lines, ")", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    chosen = parser.parse_args()
    span = range(chosen.first, chosen.first + chosen.seeds)
    rows = list(gather(span))
    sys.stdout.write(module(fit(rows), len(rows), f"seeds {span.start} to {span.stop - 1}"))


if __name__ == "__main__":
    main()
