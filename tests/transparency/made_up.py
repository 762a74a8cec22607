"""Records of shots as a small or a large city has them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from farolito.desk.shot_record import record_of
from farolito.model import Level, ShotOutcome, ShotRecord, SoundKind

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=365)


class Case(NamedTuple):
    discharged_at: datetime
    zone: str = "A1"
    level: Level = Level.P1
    reviewed_as: SoundKind | None = SoundKind.GUNSHOT
    outcome: ShotOutcome | None = None


def record(cases: Sequence[Case], misses: Sequence[tuple[datetime, str]] = ()) -> ShotRecord:
    return record_of(cases, misses, SINCE, UNTIL, UTC)


def made_up(rng: random.Random) -> ShotRecord:
    """A year of a city of any size, from no alert at all to hundreds."""
    zones = [f"{'ABCDEF'[n % 6]}{n // 6 + 1}" for n in range(rng.randint(1, 9))]
    hours = rng.sample(range(24), rng.randint(1, 24))

    def at() -> datetime:
        return SINCE + timedelta(days=rng.randrange(365), hours=rng.choice(hours))

    outcomes = [*rng.sample(list(ShotOutcome), rng.randint(1, 7)), None]
    kinds = [SoundKind.GUNSHOT] * 4 + [*rng.sample(list(SoundKind), 2), None]
    cases = [
        Case(
            at(), rng.choice(zones), rng.choice([Level.P1, Level.P2, Level.P3]),
            rng.choice(kinds), rng.choice(outcomes),
        )
        for _ in range(rng.choice([0, 1, 4, 9, 30, 120, 600]))
    ]  # fmt: skip
    missed = [(at(), rng.choice(zones)) for _ in range(rng.choice([0, 1, 5, 12, 60]))]
    return record(cases, missed)
