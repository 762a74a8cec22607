"""A day of a town without one shot: what must not become gunfire.

One town, one net, its building sites where they are all day. How often each sound comes is
ASSUMED (no measured set exists): a holiday's fireworks in the evening with a stadium's show, cars
that backfire, two roofs and a pile driver in working hours, a thunderstorm in the afternoon.
The day is told in pieces, each with all that is heard from before its first sound to after the
last; between pieces nothing but strays is heard, and of that a sample is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from farolito.model import SoundKind
from farolito.simulator.bang import Event
from farolito.simulator.gunfire import XY
from farolito.simulator.noises import NAIL_GUN, PILE_DRIVER, blows, noise, show
from farolito.simulator.sound import PITTSBURGH_LIKE, Character, Heard, Town, hexagonal, sound

DAY_S = 86_400.0
STARTS_S = 1_798_675_200.0  # seconds since 1970: 31 December 2026
LEAD_S, AFTER_S = 3.0, 10.0
EDGE_M = 500.0
APART_S = 15.0  # sounds that follow each other sooner are in one piece
HOURLY: tuple[tuple[str, int, float, float], ...] = (  # scene, how often, from hour, to hour
    ("backfire", 60, 6, 24),
    ("firecrackers", 12, 18, 24),
    ("salutes", 25, 18, 24),
    ("aerial_shells", 20, 19, 24),
    ("thunder", 25, 15, 16),
)
ROOFS, ROWS_A_ROOF = 2, 110  # rows of nails, a working day
STINTS, STINT_S = 4, 120.0  # of the pile driver
SHOW_S, SHELLS_PER_S = 300.0, 1.5
STRAYS_PIECE_S = 60.0


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """`events` are the truth; none is a gun."""

    span_s: tuple[float, float]
    events: tuple[Event, ...]
    heard: Heard


class QuietDay:
    """`share` of the day's pieces, drawn evenly; 1 is all of them. The same seed and share give
    the same pieces. `strays_s`: how much of the rest of the day is told."""

    def __init__(
        self, seed: int, share: float = 1.0, strays_s: float = 3_600.0,
        character: Character = PITTSBURGH_LIKE,
    ) -> None:  # fmt: skip
        self._rng = np.random.default_rng([seed, 24])
        self.town: Town = hexagonal(self._rng, character)
        events = sorted(self._events(), key=lambda event: event.bangs[0].at_s)
        groups = _groups(events)
        self.pieces_a_day = len(groups)
        self.strays_s = strays_s
        kept = self._rng.random(len(groups)) < share
        self._groups = [group for group, keep in zip(groups, kept, strict=True) if keep]

    @property
    def sounds(self) -> int:
        """Events that are told."""
        return sum(len(group) for group in self._groups)

    def pieces(self) -> Iterator[Piece]:
        """In order of time, the pieces of strays alone at the end."""
        for group in self._groups:
            first = min(event.bangs[0].at_s for event in group)
            last = max(event.bangs[-1].at_s for event in group)
            yield self._piece((first - LEAD_S, last + AFTER_S), group)
        at_s = STARTS_S + DAY_S
        for number in range(round(self.strays_s / STRAYS_PIECE_S)):
            start = at_s + number * STRAYS_PIECE_S
            yield self._piece((start, start + STRAYS_PIECE_S), ())

    def _piece(self, span_s: tuple[float, float], group: Sequence[Event]) -> Piece:
        heard = sound(group, self.town, span_s, self._rng)
        return Piece(span_s=span_s, events=tuple(group), heard=heard)

    def _events(self) -> Iterator[Event]:
        rng = self._rng
        for scene, count, since_h, until_h in HOURLY:
            for at_s in STARTS_S + 3600 * rng.uniform(since_h, until_h, count):
                yield from noise(scene, float(at_s), self._somewhere, rng)
        for _ in range(ROOFS):
            yield from self._roof(self._somewhere())
        site = self._somewhere()
        for at_s in STARTS_S + 3600 * np.sort(rng.uniform(8, 16, STINTS)):
            pace_s = rng.uniform(1.0, 1.5)
            times = at_s + pace_s * np.arange(int(STINT_S / pace_s))
            times = times + rng.normal(0, 0.01, len(times))
            yield blows(SoundKind.CONSTRUCTION, PILE_DRIVER, times, site, rng)
        yield from show(STARTS_S + 21 * 3600, self._somewhere(), SHOW_S, SHELLS_PER_S, rng)

    def _roof(self, at: XY) -> Iterator[Event]:
        """Rows of nails at one house."""
        for at_s in STARTS_S + 3600 * self._rng.uniform(7, 16, ROWS_A_ROOF):
            pace_s = self._rng.uniform(0.4, 1.2)
            gaps = pace_s * self._rng.normal(1, 0.1, int(self._rng.integers(4, 20))).clip(0.6, 1.4)
            yield blows(SoundKind.CONSTRUCTION, NAIL_GUN, at_s + np.cumsum(gaps), at, self._rng)

    def _somewhere(self) -> XY:
        net = self.town.net
        x = self._rng.uniform(net.x_m.min() + EDGE_M, net.x_m.max() - EDGE_M)
        y = self._rng.uniform(net.y_m.min() + EDGE_M, net.y_m.max() - EDGE_M)
        return float(x), float(y)


def _groups(events: Sequence[Event]) -> list[list[Event]]:
    """Events whose sounds follow each other within `APART_S`."""
    groups: list[list[Event]] = []
    until_s = -np.inf
    for event in events:
        if event.bangs[0].at_s > until_s + APART_S:
            groups.append([])
        groups[-1].append(event)
        until_s = max(until_s, event.bangs[-1].at_s)
    return groups
