"""A day without gunfire through the running locator and the odds of kinds: who is troubled?

Counted are answers (strings), by what they would come to: P1 and P2 of the operators' queue, and
what would reach an officer if nobody listened, that is, if a reviewer only repeated the machine's
likeliest kind. What nobody listened to never reaches an officer in the product; this figure says
how much stands on the ear. The quick run takes a small share of the day and says which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from farolito.acoustics import Pulse, Source
from farolito.acoustics.evaluate import REACHES_PROBABILITY
from farolito.acoustics.kind import odds
from farolito.acoustics.listening import Listening
from farolito.acoustics.traits import Setting
from farolito.cli.bench_shots_city import P1, P2
from farolito.cli.bench_shots_stream import arrivals
from farolito.model import SoundKind
from farolito.simulator.quiet_day import Piece, QuietDay
from farolito.simulator.sound import JUDGE_SEEDS, Town

Progress = Callable[[float], None]
TICK_S = 1.0  # coarser than the product's: the day is long, and only what stands at the end counts
SETTLE_S = 6.0
OTHERS_S = 12.0  # sources so near in time are told to the odds
QUICK_SHARE, QUICK_STRAYS_S = 0.02, 60.0
FULL_STRAYS_S = 3_600.0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One string as it stood at last: what truly was about, P(gunshot), the likeliest kind."""

    about: str
    gunshot: float
    likeliest: SoundKind


def run(quick: bool, seed: int, progress: Progress) -> dict[str, Any]:
    share, strays_s = (QUICK_SHARE, QUICK_STRAYS_S) if quick else (1.0, FULL_STRAYS_S)
    day = QuietDay(JUDGE_SEEDS + seed, share, strays_s)
    rng = np.random.default_rng([JUDGE_SEEDS + seed, 2])
    answers: list[Answer] = []
    pieces = heard_s = 0.0
    expected = day.pieces_a_day * share + strays_s / 60
    for piece in day.pieces():
        answers += _answers(day.town, piece, rng)
        pieces += 1
        heard_s += piece.span_s[1] - piece.span_s[0]
        progress(min(1.0, pieces / expected))
    p1 = [one for one in answers if one.gunshot >= P1]
    p2 = [one for one in answers if P2 <= one.gunshot < P1]
    return {
        "figures": {
            "quiet_share_of_day_percent": 100.0 * share,
            "quiet_hours_heard": heard_s / 3600,
            "quiet_sounds": day.sounds,
            "quiet_located": len(answers),
            "quiet_p1": len(p1),
            "quiet_p2": len(p2),
            "quiet_officer_unheard": sum(one.likeliest is SoundKind.GUNSHOT for one in p1),
        },
        "quiet_queue_by_sound": dict(Counter(one.about for one in (*p1, *p2)).most_common()),
    }


def _answers(town: Town, piece: Piece, rng: np.random.Generator) -> Iterator[Answer]:
    newest = heard(town, piece.heard.pulses, piece.span_s, rng)
    for source in newest:
        if source.probability < REACHES_PROBABILITY:
            continue
        first_s = source.rounds[0].at_s
        near = [p for p in piece.heard.pulses if -1 < p.at_s - first_s < OTHERS_S + 6]
        others = tuple(
            other for other in newest
            if other.track != source.track and abs(other.rounds[0].at_s - first_s) <= OTHERS_S
        )  # fmt: skip
        kinds, _ = odds(source, near, town.net, town.air, Setting(others=others))
        yield Answer(
            about=_about(piece, source),
            gunshot=source.probability * kinds[SoundKind.GUNSHOT],
            likeliest=max(kinds, key=lambda kind: kinds[kind]),
        )


def heard(
    town: Town, pulses: tuple[Pulse, ...], span_s: tuple[float, float], rng: np.random.Generator
) -> list[Source]:
    """The newest revision of every track of a piece."""
    come = arrivals(pulses, rng)
    listening = Listening(town.net, town.air)
    told: dict[int, Source] = {}
    now_s, at = span_s[0], 0
    while now_s < span_s[1] + SETTLE_S:
        until = at
        while until < len(come) and come[until][0] <= now_s:
            until += 1
        listening.hear([pulse for _, pulse in come[at:until]])
        told.update((source.track, source) for source in listening.tick(now_s))
        at = until
        now_s += TICK_S
    return list(told.values())


def _about(piece: Piece, source: Source) -> str:
    """The sound whose impulse is nearest in time and place; "nothing" where none is near."""
    ends = [
        (abs(r.at_s - bang.at_s) * 340 + np.hypot(source.place.x_m - bang.x_m,
                                                  source.place.y_m - bang.y_m), event.what)
        for event in piece.events for bang in event.bangs for r in source.rounds[:3]
    ]  # fmt: skip
    nearest = min(ends, default=(np.inf, "nothing"))
    return nearest[1] if nearest[0] < 300 else "nothing"
