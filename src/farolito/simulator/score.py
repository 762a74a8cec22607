"""What the node raised, held against what truly happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from farolito.model import DeviceId, Standing
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


def read_truth(path: Path) -> list[Truth]:
    decoder = msgspec.json.Decoder(Truth)
    with path.open("rb") as book:
        return [decoder.decode(line) for line in book if line.endswith(b"\n")]


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
