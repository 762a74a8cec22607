"""What made a sound: a probability for each kind, and what spoke for and against.

Each maker (a pistol's string, automatic fire, an aerial shell, a nail gun …) is a Gaussian over
the traits of `traits.py`, with the scatter of its own and the correlations of all; a trait that
the sensors do not tell is left out of the sum exactly. The likelihood is tempered, since the
traits were learnt from a simulator, and no kind is ever surer than `SURE_MAX`.

Fitted on the practice city by `python -m farolito.simulator.fit_kinds`; guns are checked on real
live fire as well, **fireworks never were: no usable recordings with places exist**. A single
large banger on the ground sounds as a pistol does, and the odds say so. A kind decides nothing
by itself: a person listens first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.acoustics.kind_weights import CORRELATION, MAKERS, TEMPER
from farolito.acoustics.net import Air, Net, Pulse
from farolito.acoustics.source import Source
from farolito.acoustics.traits import STOCK, TRAITS, Setting, Traits, traits
from farolito.model.shot import SoundKind

Floats = npt.NDArray[np.float64]

EVEN: Mapping[SoundKind, float] = {
    SoundKind.GUNSHOT: 0.5,
    SoundKind.FIREWORK: 0.2,
    SoundKind.VEHICLE: 0.1,
    SoundKind.CONSTRUCTION: 0.1,
    SoundKind.OTHER: 0.1,
}
"""As likely a gun as not, before anything was heard."""

SURE_MAX = 0.99  # what a simulator taught is never surer than this
SPEAKS = 0.7  # nats for or against a gun before a group of traits gets a sentence
FAR_OFF = 4.0  # standard deviations: beyond, an odd value counts no more (a Gaussian would)
UNTESTED = "fireworks were never tested on real ones: listen before you decide"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "rhythm": ("rounds", "interval", "variation"),
    "power": ("power",),
    "front": ("rise", "decay"),
    "colour": ("low_tilt", "high_tilt"),
    "reach": ("reach", "far"),
    "company": ("pace", "company"),
}


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """One way to make a sound of a kind: its share of the kind, and mean and sd of each trait in
    the order of `TRAITS`."""

    name: str
    kind: SoundKind
    share: float
    mean: tuple[float, ...]
    sd: tuple[float, ...]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    makers: tuple[Maker, ...]
    correlation: tuple[tuple[float, ...], ...]
    temper: float


def _stock() -> Model:
    return Model(
        makers=tuple(
            Maker(name=name, kind=SoundKind(kind), share=share, mean=mean, sd=sd)
            for name, kind, share, mean, sd in MAKERS
        ),
        correlation=CORRELATION,
        temper=TEMPER,
    )


MODEL = _stock()


def odds(
    source: Source, pulses: Sequence[Pulse], net: Net, air: Air, setting: Setting = STOCK
) -> tuple[dict[SoundKind, float], tuple[str, ...]]:
    """The probability of each kind, given that there was a source at all, and the sentences."""
    shown = traits(source, pulses, net, air, setting)
    return judged(shown, setting.prior)


def judged(
    shown: Traits, prior: Mapping[SoundKind, float] | None = None, model: Model = MODEL
) -> tuple[dict[SoundKind, float], tuple[str, ...]]:
    """The same from the traits alone."""
    numbers = shown.numbers()
    told = kinds(likelihoods(numbers, model), prior or EVEN)
    return told, _because(shown, numbers, model)


def kinds(
    likelihood: Mapping[SoundKind, float], prior: Mapping[SoundKind, float]
) -> dict[SoundKind, float]:
    """Posterior of every kind, from log-likelihoods; never above `SURE_MAX`, never quite 0."""
    weights = {kind: max(0.0, prior.get(kind, 0.0)) for kind in SoundKind}
    assert sum(weights.values()) > 0, "a prior without any kind in it"
    top = max(likelihood[kind] for kind in SoundKind if weights[kind] > 0)
    raw = {
        kind: weights[kind] * math.exp(max(-60.0, likelihood[kind] - top)) if weights[kind] else 0.0
        for kind in SoundKind
    }
    total = sum(raw.values())
    spared = (1.0 - SURE_MAX) / (len(SoundKind) - 1)
    scale = 1.0 - spared * len(SoundKind)
    return {kind: spared + scale * raw[kind] / total for kind in SoundKind}


def likelihoods(numbers: Mapping[str, float], model: Model = MODEL) -> dict[SoundKind, float]:
    """Tempered log-likelihood of the traits under each kind."""
    return {
        kind: model.temper * value
        for kind, value in _mixture(numbers, tuple(numbers), model).items()
    }


def _mixture(
    numbers: Mapping[str, float], names: Sequence[str], model: Model
) -> dict[SoundKind, float]:
    at = np.array([TRAITS.index(name) for name in names], dtype=np.intp)
    value = np.array([numbers[name] for name in names])
    correlation = np.array(model.correlation)
    parts: dict[SoundKind, list[float]] = {kind: [] for kind in SoundKind}
    for maker in model.makers:
        mean, sd = np.array(maker.mean)[at], np.array(maker.sd)[at]
        log = _gaussian(value, mean, sd, correlation[np.ix_(at, at)])
        parts[maker.kind].append(math.log(maker.share) + log)
    return {kind: float(np.logaddexp.reduce(logs)) for kind, logs in parts.items()}


def _gaussian(value: Floats, mean: Floats, sd: Floats, correlation: Floats) -> float:
    if not len(value):
        return 0.0
    z = np.clip((value - mean) / sd, -FAR_OFF, FAR_OFF)
    factor = np.linalg.cholesky(correlation)
    whitened = np.linalg.solve(factor, z)
    return float(-0.5 * whitened @ whitened - np.log(np.diag(factor)).sum() - np.log(sd).sum())


def for_gun(numbers: Mapping[str, float], group: str, model: Model = MODEL) -> float:
    """Nats for a gun (negative: against) in one group of traits, all other kinds as in `EVEN`."""
    names = [name for name in GROUPS[group] if name in numbers]
    if not names:
        return 0.0
    told = _mixture(numbers, names, model)
    rest = [
        math.log(share) + told[kind]
        for kind, share in EVEN.items()
        if kind is not SoundKind.GUNSHOT
    ]
    share = sum(share for kind, share in EVEN.items() if kind is not SoundKind.GUNSHOT)
    against = float(np.logaddexp.reduce(rest)) - math.log(share)
    return model.temper * (told[SoundKind.GUNSHOT] - against)


def _because(shown: Traits, numbers: Mapping[str, float], model: Model) -> tuple[str, ...]:
    """What was heard, the weightiest first, each with the side it takes."""
    sayings = {
        "rhythm": _rhythm_says(shown),
        "power": _power_says(shown),
        "front": _front_says(shown),
        "colour": _colour_says(shown),
        "reach": _reach_says(shown),
        "company": _company_says(shown),
    }
    weights = {group: for_gun(numbers, group, model) for group in GROUPS}
    order = sorted(GROUPS, key=lambda group: -abs(weights[group]))
    said = [
        f"{_side(weights[group])}: {sayings[group]}"
        for group in order
        if sayings[group] and (abs(weights[group]) >= SPEAKS or group in ("rhythm", "power"))
    ]
    untold = "the sensors tell no level: its power is unknown" if shown.power_db is None else ""
    return tuple(one for one in (*said, untold, UNTESTED) if one)


def _side(nats: float) -> str:
    if abs(nats) < SPEAKS:
        return "for neither"
    return "for a gun" if nats > 0 else "against a gun"


def _rhythm_says(shown: Traits) -> str:
    resembles = shown.rhythm.resembles()
    return shown.rhythm.says() + (f", {resembles}" if resembles else "")


def _power_says(shown: Traits) -> str:
    if shown.power_db is None:
        return ""
    power = shown.power_db
    if abs(power) < 3:
        loud = "about as loud as a pistol at these ranges"
    else:
        loud = f"{abs(power):.0f} dB {'louder' if power > 0 else 'weaker'} than a pistol there"
    if shown.uneven_db is not None:
        loud += f", each round within {shown.uneven_db:.1f} dB of the next"
    return loud


def _front_says(shown: Traits) -> str:
    if shown.rise_ms is None:
        return ""
    decay = f" and fades in {shown.decay_ms:.0f} ms" if shown.decay_ms is not None else ""
    return f"rises in {shown.rise_ms:.1f} ms{decay}"


def _colour_says(shown: Traits) -> str:
    if shown.low_tilt_db is None or shown.high_tilt_db is None:
        return ""
    low = "below 250 Hz" if shown.low_tilt_db < 0 else "above 500 Hz"
    return (
        f"most of its sound lies {low}; from 500 Hz to 4 kHz it changes by "
        f"{shown.high_tilt_db:+.0f} dB"
    )


def _reach_says(shown: Traits) -> str:
    heard = f"{shown.reached} sensors heard it, {shown.to_reach:.0f} were to be expected"
    if shown.far is not None and shown.far > shown.far_strays + 1:
        heard += f", and {shown.far} beyond a pistol's range"
    return heard


def _company_says(shown: Traits) -> str:
    if shown.company:
        return f"{shown.company} more beside it within seconds, as launch and burst of shells"
    if shown.pace_mps is not None:
        return f"it moved at {shown.pace_mps:.0f} m/s"
    return ""
