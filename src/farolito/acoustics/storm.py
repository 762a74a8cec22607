"""When the net hears something that is no single source: thunder, a show of fireworks.

A storm is declared from sources and impulse rates, and lifts by itself when they fall. Within its
zone the prior shifts to what it is; its sources are located and kept all the same, but go to the
queue only where a gun is still the likeliest then, and one card stands for the storm. So ten
thousand impulses an hour cost an operator one card and the shots that stand out of it.

What must never happen is that sustained gunfire counts as a show: it takes sources that look
like fireworks by themselves, with an even prior.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
import numpy as np

from farolito.acoustics.kind import EVEN
from farolito.acoustics.net import Net, Pulse
from farolito.model.shot import SoundKind

SHOW_RADIUS_M = 300.0
SHOW_SPAN_S = 600.0
SHOW_SOURCES, SHOW_ENDS_BELOW = 8, 3  # within the span
SHOW_KIND = 0.5  # median chance of a firework by the sound alone
HOLIDAY_SOURCES, HOLIDAY_ENDS_BELOW = 30, 10  # within the span, outside every show
THUNDER_WINDOW_S = 10.0
THUNDER_SHARE, THUNDER_ENDS_BELOW = 0.6, 0.3  # of the sensors that are up
THUNDER_SENSORS = 8  # a smaller net cannot tell thunder from one loud shot
THUNDER_RISE_MS = 15.0  # a muzzle blast rises in 1–5 ms
THUNDER_SPAN_S = 300.0
THUNDER_TIMES = 2  # such windows within the span
THUNDER_TIMES_BLIND = 4  # where sensors tell no rise: two loud strings excite most of a small net
LASTS_S = 300.0  # after the last sign of it
PRIOR_MAX = 20.0  # odds that a storm gives its kind, at most: a shot in it must stay audible
HEARD_MAX = 5000
PULSES_MAX = 50_000


class StormKind(StrEnum):
    THUNDER = "thunder"
    SHOW = "show"  # from one place
    HOLIDAY = "holiday"  # fireworks all over town


MAKES: Mapping[StormKind, SoundKind] = {
    StormKind.THUNDER: SoundKind.OTHER,
    StormKind.SHOW: SoundKind.FIREWORK,
    StormKind.HOLIDAY: SoundKind.FIREWORK,
}


class Sounded(msgspec.Struct, frozen=True, kw_only=True):
    """A located source as the storm sees it, with the odds of its kinds by an even prior."""

    track: int
    at_s: float
    x_m: float
    y_m: float
    kinds: dict[SoundKind, float]


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """One storm, and the card that stands for it. `number` is the same from one moment to the
    next. `radius_m`: None is everywhere."""

    number: int
    kind: StormKind
    since_s: float
    until_s: float  # of the last sign
    sources: int
    says: str
    x_m: float = 0.0
    y_m: float = 0.0
    radius_m: float | None = None
    impulses: int = 0

    def holds(self, x_m: float, y_m: float) -> bool:
        return self.radius_m is None or (
            math.hypot(x_m - self.x_m, y_m - self.y_m) <= self.radius_m
        )


def prior_in(storms: Sequence[Storm], x_m: float, y_m: float) -> dict[SoundKind, float]:
    """The prior at a place now: even-handed, unless a storm holds the place."""
    odds = dict(EVEN)
    for storm in storms:
        if storm.holds(x_m, y_m):
            odds[MAKES[storm.kind]] *= min(PRIOR_MAX, 1.0 + storm.sources / 2)
    total = sum(odds.values())
    return {kind: value / total for kind, value in odds.items()}


def within(
    kinds: Mapping[SoundKind, float], prior: Mapping[SoundKind, float]
) -> dict[SoundKind, float]:
    """Odds that were made with an even prior, under another."""
    raw = {kind: kinds.get(kind, 0.0) * prior[kind] / EVEN[kind] for kind in SoundKind}
    total = sum(raw.values())
    return {kind: value / total for kind, value in raw.items()}


def heard_in(
    storms: Sequence[Storm], x_m: float, y_m: float, kinds: Mapping[SoundKind, float]
) -> tuple[dict[SoundKind, float], str]:
    """The odds of a source while these storms last, and what holds its place, as a sentence;
    empty where none does."""
    holding = [one for one in storms if one.holds(x_m, y_m)]
    if not holding:
        return dict(kinds), ""
    odds = within(kinds, prior_in(holding, x_m, y_m))
    return odds, "; ".join(one.says for one in holding)


class Sky:
    """Keeps what was heard of late and says which storms there are. The clock is the caller's."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._sources: dict[int, Sounded] = {}
        self._pulses: deque[Pulse] = deque(maxlen=PULSES_MAX)
        self._alike: deque[float] = deque()  # moments when most sensors were excited at once
        self._storms: list[Storm] = []
        self._declared = 0

    def use(self, net: Net) -> None:
        self.net = net

    def hear(self, pulses: Sequence[Pulse]) -> None:
        self._pulses.extend(pulses)

    def source(self, sounded: Sounded) -> None:
        """A source, or a better revision of one."""
        self._sources[sounded.track] = sounded
        while len(self._sources) > HEARD_MAX:
            del self._sources[next(iter(self._sources))]

    def storms(self, now_s: float) -> tuple[Storm, ...]:
        """The storms there are now, after forgetting what is too old; call it each second."""
        self._forget(now_s)
        self._thunder(now_s)
        self._shows(now_s)
        self._storms = [one for one in self._storms if now_s - one.until_s <= LASTS_S]
        return tuple(self._storms)

    def _forget(self, now_s: float) -> None:
        span = max(SHOW_SPAN_S, THUNDER_SPAN_S)
        self._sources = {t: s for t, s in self._sources.items() if now_s - s.at_s <= span}
        while self._pulses and now_s - self._pulses[0].at_s > THUNDER_SPAN_S:
            self._pulses.popleft()
        while self._alike and now_s - self._alike[0] > THUNDER_SPAN_S:
            self._alike.popleft()

    def _thunder(self, now_s: float) -> None:
        """Most sensors excited within seconds, and slowly or again and again."""
        share, rise_ms = self._excited(now_s)
        last = self._alike[-1] if self._alike else -math.inf
        is_slow = rise_ms is None or rise_ms >= THUNDER_RISE_MS
        if is_slow and share >= THUNDER_SHARE and now_s - last >= THUNDER_WINDOW_S:
            self._alike.append(now_s)
        standing = next((s for s in self._storms if s.kind is StormKind.THUNDER), None)
        needed = THUNDER_TIMES if rise_ms is not None else THUNDER_TIMES_BLIND
        if standing is None and len(self._alike) < needed:
            return
        if standing is not None and share < THUNDER_ENDS_BELOW:
            return
        since_s = standing.since_s if standing else self._alike[0]
        until_s = now_s if standing is None or share >= THUNDER_SHARE else standing.until_s
        heard = [one for one in self._sources.values() if one.at_s >= since_s - THUNDER_WINDOW_S]
        impulses = sum(pulse.at_s >= since_s - THUNDER_WINDOW_S for pulse in self._pulses)
        says = (
            f"thunder: {len(self._alike)} times within 5 min most of "
            f"{int(self.net.is_up.sum())} sensors heard something at once"
            + (f", rising in {rise_ms:.0f} ms" if rise_ms is not None else "")
        )
        self._put(
            standing,
            Storm(
                number=standing.number if standing else self._next(),
                kind=StormKind.THUNDER,
                since_s=since_s,
                until_s=until_s,
                sources=max(len(heard), standing.sources if standing else 0),
                impulses=max(impulses, standing.impulses if standing else 0),
                says=says,
            ),
        )

    def _excited(self, now_s: float) -> tuple[float, float | None]:
        """The share of sensors with a slow pulse (or one of unknown rise) in the last seconds,
        and the median rise."""
        up = int(self.net.is_up.sum())
        if up < THUNDER_SENSORS:
            return 0.0, None
        recent = [p for p in self._pulses if now_s - THUNDER_WINDOW_S <= p.at_s <= now_s]
        rises = [p.rise_ms for p in recent if p.rise_ms is not None]
        share = len({pulse.sensor for pulse in recent}) / up
        return share, float(np.median(rises)) if rises else None

    def _shows(self, now_s: float) -> None:
        """Many sources within 300 m of each other over minutes that sound like fireworks."""
        for storm in [one for one in self._storms if one.kind is StormKind.SHOW]:
            near = [s for s in self._sources.values() if storm.holds(s.x_m, s.y_m)]
            fresh = [s for s in near if s.at_s > storm.until_s]
            if len(near) >= SHOW_ENDS_BELOW and fresh:
                self._put(storm, _show(storm.number, storm, near, storm.sources + len(fresh)))
        free = [
            one
            for one in self._sources.values()
            if not any(
                storm.kind is StormKind.SHOW and storm.holds(one.x_m, one.y_m)
                for storm in self._storms
            )
        ]
        near = _densest(free)
        if len(near) >= SHOW_SOURCES and _firework(near) >= SHOW_KIND:
            self._put(None, _show(self._next(), None, near, len(near)))
            return
        self._holiday(free)

    def _holiday(self, free: Sequence[Sounded]) -> None:
        """Fireworks from everywhere, as at midnight of the year."""
        standing = next((s for s in self._storms if s.kind is StormKind.HOLIDAY), None)
        fresh = [s for s in free if standing is None or s.at_s > standing.until_s]
        enough = HOLIDAY_ENDS_BELOW if standing else HOLIDAY_SOURCES
        if len(free) < enough or not fresh or _firework(free) < SHOW_KIND:
            return
        sources = (standing.sources if standing else 0) + len(fresh)
        since_s = standing.since_s if standing else min(one.at_s for one in free)
        until_s = max(one.at_s for one in free)
        self._put(
            standing,
            Storm(
                number=standing.number if standing else self._next(),
                kind=StormKind.HOLIDAY,
                since_s=since_s,
                until_s=until_s,
                sources=sources,
                says=f"fireworks all over: {sources} sources in {(until_s - since_s) / 60:.0f} min",
            ),
        )

    def _put(self, old: Storm | None, new: Storm) -> None:
        self._storms = [one for one in self._storms if one is not old] + [new]

    def _next(self) -> int:
        self._declared += 1
        return self._declared


def _firework(sources: Sequence[Sounded]) -> float:
    return float(np.median([one.kinds.get(SoundKind.FIREWORK, 0.0) for one in sources]))


def _densest(sources: Sequence[Sounded]) -> list[Sounded]:
    """The sources around the one with the most others within the radius of a show."""
    if len(sources) < SHOW_SOURCES:
        return []
    x, y = np.array([s.x_m for s in sources]), np.array([s.y_m for s in sources])
    near = np.hypot(x[:, None] - x, y[:, None] - y) <= SHOW_RADIUS_M
    at = int(np.argmax(near.sum(axis=1)))
    return [sources[int(one)] for one in np.flatnonzero(near[at])]


def _show(number: int, before: Storm | None, near: Sequence[Sounded], sources: int) -> Storm:
    x = before.x_m if before else float(np.median([one.x_m for one in near]))
    y = before.y_m if before else float(np.median([one.y_m for one in near]))
    since = before.since_s if before else min(one.at_s for one in near)
    until = max(one.at_s for one in near)
    firework = _firework(near)
    return Storm(
        number=number,
        kind=StormKind.SHOW,
        since_s=since,
        until_s=until,
        sources=sources,
        says=(
            f"fireworks: {sources} sources within {SHOW_RADIUS_M:.0f} m over "
            f"{(until - since) / 60:.0f} min, half of them at least {100 * firework:.0f} % "
            "firework by their sound"
        ),
        x_m=x,
        y_m=y,
        radius_m=SHOW_RADIUS_M + 100.0,
    )
