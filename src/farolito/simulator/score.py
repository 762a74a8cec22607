"""What the node raised, held against what truly happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import msgspec

from farolito.model import DeviceId, Standing
from farolito.simulator.cad_message import CallTruth
from farolito.simulator.world import Truth

SAME_CAR = timedelta(seconds=3)  # a reader's time may differ by this much and still mean the car


class Raised(msgspec.Struct, frozen=True):
    """An alert as the node raised it: the listed plate, and where and when it was read."""

    plate: str
    reader: DeviceId
    at: datetime
    standing: Standing


class Score(msgspec.Struct, frozen=True):
    """`right`, `false`: leads and possible leads by whether the car was the listed one.

    `missed`: listed cars that a reader reported and nobody raised; `unread`: those it reported
    under a text of another length or did not see. Stopped matches count as not raised.
    """

    right: int
    false: int
    missed: int
    unread: int
    leads_false: int  # of the false ones, those with the standing of a full lead
    listed: int


class CallScore(msgspec.Struct, frozen=True):
    """Pairs of calls: those of one true event that were joined and that were not, and those of
    different events that were joined nevertheless."""

    joined: int
    missed: int
    wrong: int


class _Line(msgspec.Struct):
    what: str = "passage"


def read_truth(path: Path) -> list[Truth]:
    """The passages of a truth file."""
    decoder = msgspec.json.Decoder(Truth)
    return [decoder.decode(line) for line in _lines(path, "passage")]


def read_calls(path: Path) -> list[CallTruth]:
    """The calls of a truth file."""
    decoder = msgspec.json.Decoder(CallTruth)
    return [decoder.decode(line) for line in _lines(path, "call")]


def _lines(path: Path, what: str) -> list[bytes]:
    """The whole lines of one kind; the last one may still be being written."""
    kind = msgspec.json.Decoder(_Line)
    with path.open("rb") as book:
        return [x for x in book if x.endswith(b"\n") and kind.decode(x).what == what]


def pairs_of(groups: Iterable[Collection[str]]) -> set[frozenset[str]]:
    """Every two numbers of each group: of each incident's calls, or of each true event's."""
    return {frozenset(pair) for group in groups for pair in combinations(set(group), 2)}


def score_calls(truths: Iterable[CallTruth], joined: Collection[frozenset[str]]) -> CallScore:
    """`joined`: pairs of call numbers that the node put into one incident (`pairs_of`)."""
    events: dict[str, set[str]] = defaultdict(set)
    for truth in truths:
        events[truth.event].add(truth.number)
    true = pairs_of(events.values())
    known = set().union(*events.values()) if events else set()
    told = {pair for pair in joined if pair <= known}
    return CallScore(joined=len(true & told), missed=len(true - told), wrong=len(told - true))


def score(truths: Iterable[Truth], alerts: Iterable[Raised]) -> Score:
    """An alert is right when the listed car itself passed that reader within SAME_CAR."""
    passed: dict[tuple[DeviceId, str], list[Truth]] = defaultdict(list)
    for truth in truths:
        if truth.listed:
            passed[truth.reader, truth.plate].append(truth)
    found: set[int] = set()
    right = false = leads_false = 0
    for alert in alerts:
        if alert.standing is Standing.STOPPED:
            continue
        here = [t for t in passed[alert.reader, alert.plate] if _is_same(t, alert)]
        found.update(id(t) for t in here)
        right += bool(here)
        false += not here
        leads_false += not here and alert.standing is Standing.LEAD
    left = [t for each in passed.values() for t in each if id(t) not in found]
    unread = sum(t.read is None or len(t.read) != len(t.plate) for t in left)
    return Score(
        right=right,
        false=false,
        missed=len(left) - unread,
        unread=unread,
        leads_false=leads_false,
        listed=sum(map(len, passed.values())),
    )


def _is_same(truth: Truth, alert: Raised) -> bool:
    times = (truth.at, truth.reader_at or truth.at)
    return any(abs(alert.at - at) <= SAME_CAR for at in times)
