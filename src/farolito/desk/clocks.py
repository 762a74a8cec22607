"""The honest clocks: from what was written down, how long each step took. Plain functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil

from farolito.model import P1Delay, Spread, Timings, UnitTiming, WaitingCall

# Each step by the two times it lies between.
STEPS: Mapping[str, tuple[str, str]] = {
    "call_to_here": ("call_at", "here_at"),
    "here_to_assigned": ("here_at", "assigned_at"),
    "assigned_to_composed": ("assigned_at", "composed_at"),
    "composed_to_delivered": ("composed_at", "delivered_at"),
    "delivered_to_opened": ("delivered_at", "opened_at"),
    "composed_to_heard": ("composed_at", "heard_at"),
    "composed_to_on_scene": ("composed_at", "on_scene_at"),
    "here_to_opened": ("here_at", "opened_at"),  # until the facts were before the officer's eyes
    "call_to_on_scene": ("call_at", "on_scene_at"),
}

Interval = tuple[datetime, datetime]


def timings(
    rows: Sequence[UnitTiming], calls: Sequence[WaitingCall], since: datetime, until: datetime
) -> Timings:
    """`rows`: every unit on every incident that began between; `calls`: its priority-1 calls."""
    return Timings(
        since=since,
        until=until,
        steps={name: spread(_between(rows, *ends)) for name, ends in STEPS.items()},
        p1_delay=p1_delay(rows, calls, until),
        rows=tuple(rows),
    )


def spread(seconds: Iterable[float]) -> Spread:
    """Median and 95th percentile by nearest rank."""
    ordered = sorted(seconds)
    if not ordered:
        return Spread(n=0)
    return Spread(n=len(ordered), p50_s=_rank(ordered, 0.5), p95_s=_rank(ordered, 0.95))


def p1_delay(rows: Sequence[UnitTiming], calls: Sequence[WaitingCall], until: datetime) -> P1Delay:
    """How long priority-1 calls waited while a machine's alert bound a unit."""
    bound = _union(
        (row.assigned_at, max(row.freed_at or until, row.assigned_at))
        for row in rows
        if row.by_alert and row.assigned_at is not None
    )
    waits = [(call.here_at, max(call.assigned_at or until, call.here_at)) for call in calls]
    overlaps = [_overlap_s(wait, bound) for wait in waits]
    answered = [w for w, call in zip(waits, calls, strict=True) if call.assigned_at is not None]
    busy = [w for w in answered if _is_within(w[0], bound)]
    free = [w for w in answered if not _is_within(w[0], bound)]
    return P1Delay(
        calls=len(calls),
        waited=sum(1 for seconds in overlaps if seconds > 0),
        waited_s=sum(overlaps),
        busy=spread(map(_length_s, busy)),
        free=spread(map(_length_s, free)),
    )


def _between(rows: Iterable[UnitTiming], start: str, end: str) -> list[float]:
    """Seconds where both are known. A negative one is two clocks that differ: it is kept out."""
    found = []
    for row in rows:
        a, b = getattr(row, start), getattr(row, end)
        if a is not None and b is not None and b >= a:
            found.append((b - a).total_seconds())
    return found


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _overlap_s(wait: Interval, bound: Sequence[Interval]) -> float:
    return sum(
        max(0.0, (min(wait[1], end) - max(wait[0], start)).total_seconds()) for start, end in bound
    )


def _is_within(at: datetime, bound: Sequence[Interval]) -> bool:
    return any(start <= at < end for start, end in bound)


def _length_s(wait: Interval) -> float:
    return (wait[1] - wait[0]).total_seconds()
