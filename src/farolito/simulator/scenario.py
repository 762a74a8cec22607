"""The drill: which planted car passes which reader when, and how it is read.

A stranger sees an honest lead within twenty seconds, then every 60–90 s another of the cases that
an operator must tell apart. The same seed gives the same drill.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from farolito.simulator.fleet import Vehicle
from farolito.simulator.hot_list import Plant, Row
from farolito.simulator.misread import CONFUSIONS, Reading, Scripted
from farolito.simulator.readers import Reader
from farolito.simulator.traffic import Passage

FIRST_LEAD_S = 12.0


class Cue(StrEnum):
    """What the operator should make of it."""

    LEAD = "lead"  # the listed car, rightly read: confirm
    AGAIN = "again"  # the first car at another reader: joins its alert
    MISREAD_HONEST = "misread_honest"  # an innocent car read as the listed plate, doubtfully
    MISREAD_CERTAIN = "misread_certain"  # the same, falsely certain: only the crop shows it
    TWIN = "twin"  # right characters, another state and kind of vehicle: stopped by the machine
    CANDIDATE = "candidate"  # the listed car misread; the reader offers its plate as a candidate
    STALE = "stale"  # an expired row: stopped by the machine
    CALLED = "called"  # the listed car of the first call (`story`): confirm, it is one incident


_ROUND = (
    Cue.MISREAD_HONEST, Cue.LEAD, Cue.TWIN, Cue.CANDIDATE, Cue.AGAIN, Cue.MISREAD_CERTAIN,
    Cue.LEAD, Cue.STALE,
)  # fmt: skip
_PLANTS = {
    Cue.LEAD: Plant.WANTED, Cue.AGAIN: Plant.WANTED, Cue.CANDIDATE: Plant.WANTED,
    Cue.MISREAD_HONEST: Plant.LOOK_ALIKE, Cue.MISREAD_CERTAIN: Plant.LOOK_ALIKE,
    Cue.TWIN: Plant.TWIN, Cue.STALE: Plant.STALE,
}  # fmt: skip
# Formats whose messages carry what the case turns on: crop and state; or each character's
# confidence and candidates too.
_FULL = ("farolito", "genetec_sharpv")
_WITH_CANDIDATES = ("farolito",)
_WITHOUT_STATE = ("hikvision",)  # the operator must read the state off the crop


class Scene(msgspec.Struct, frozen=True):
    """One scripted passage and how its reader shall read it."""

    cue: Cue
    passage: Passage
    scripted: Scripted
    row: Row


def drill(
    seed: int,
    start: datetime,
    cast: tuple[Sequence[Vehicle], Mapping[Plant, Sequence[Row]]],
    readers: Sequence[Reader],
) -> Iterator[Scene]:
    """Without end, in order of time. `cast`: the fleet, and the planted rows by kind."""
    fleet, rows = cast
    chance = random.Random(f"drill {seed}")  # noqa: S311 - practice, no secret
    after_s, number = FIRST_LEAD_S, 0
    taken = dict.fromkeys(Plant, 0)
    while True:
        cue = Cue.LEAD if number == 0 else _ROUND[(number - 1) % len(_ROUND)]
        plant = _PLANTS[cue]
        of_kind = rows[plant]
        row = of_kind[0] if cue is Cue.AGAIN else of_kind[taken[plant] % len(of_kind)]
        if cue is not Cue.AGAIN:
            taken[plant] += 1
        reader = _reader(cue, number, readers, chance)
        assert row.car is not None
        passage = Passage(
            vehicle=fleet[row.car],
            reader=reader.device.device_id,
            at=start + timedelta(milliseconds=round(after_s * 1000)),
            heading_deg=reader.sight.heading_deg,
            speed_mps=round(chance.uniform(11, 19), 1),
            lane=chance.randint(1, reader.sight.lanes),
        )
        yield Scene(cue, passage, _scripted(cue, row), row)
        number += 1
        after_s += chance.uniform(60, 90)


def _reader(cue: Cue, number: int, readers: Sequence[Reader], chance: random.Random) -> Reader:
    formats = _WITH_CANDIDATES if cue is Cue.CANDIDATE else _FULL
    if cue is Cue.LEAD and number % 3 == 2:
        formats = _WITHOUT_STATE
    able = [
        r for r in readers if r.device.format in formats and r.device.clock_trusted
        and r.quality.blur_px < 1.5
    ]  # fmt: skip
    return chance.choice(able or list(readers))


def _scripted(cue: Cue, row: Row) -> Scripted:
    if cue is Cue.MISREAD_HONEST:
        return Scripted(Reading.HONEST, row.plate)
    if cue is Cue.MISREAD_CERTAIN:
        return Scripted(Reading.CERTAIN, row.plate)
    if cue is Cue.CANDIDATE:
        return Scripted(Reading.HONEST, _misread_once(row.plate))
    return Scripted(Reading.RIGHT)


def _misread_once(plate: str) -> str:
    """The plate with its most confusable character read as what it looks like."""
    weights = [sum(w for _, w in CONFUSIONS.get(c, ())) for c in plate]
    i = weights.index(max(weights))
    likes = CONFUSIONS.get(plate[i], (("8", 1.0),))
    return plate[:i] + likes[0][0] + plate[i + 1 :]
