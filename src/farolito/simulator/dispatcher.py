"""The practice metro's dispatch centre: takes calls, sends cars, and tells its system's messages.

It plays the whole shift by itself, moment by moment: `until` gives everything that its CAD has
said by then, and `Patrol` drives accordingly. The same events give the same messages.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import msgspec

from farolito.geo.street_map import LatLon
from farolito.model import Level, Point, UnitId, UnitStatus
from farolito.model.call import CalledUnit, CallNote, CallState, CallVehicle
from farolito.simulator import caller_words
from farolito.simulator.cad_message import CadMessage, CallTruth
from farolito.simulator.calls import Event, Later, Telling
from farolito.simulator.patrol import Patrol
from farolito.simulator.story import Story

WAIT_S = {Level.P1: (2.0, 9.0), Level.P2: (8.0, 45.0), Level.P3: (25.0, 120.0)}
STORY_WAIT_S = 2.0
ROLLS_S = (2.0, 9.0)  # from assigned to en route
LOOKS_AGAIN_S = 15.0  # where no car is free
TRIES_MAX = 40  # ten minutes without a free car: the call is closed for a report by telephone
TRANSFERS_S = (15.0, 40.0)
REOPENS_S = (40.0, 120.0)

Step = Callable[[datetime], None]
Said = CadMessage | CallTruth


class Errand(NamedTuple):
    """The call that a unit is on, and how far it is with it."""

    number: str
    status: UnitStatus


class _Call:
    """One event number while the dispatcher works on it."""

    def __init__(self, number: str, event: Event) -> None:
        self.number, self.event = number, event
        self.units: dict[UnitId, CalledUnit] = {}
        self.sent_at: dict[UnitId, datetime] = {}
        self.vehicles: tuple[CallVehicle, ...] = ()
        self.notes = 0
        self.is_open = True
        self.reopened = False
        self.others: list[_Call] = []  # further tellings of the same event

    @property
    def at_work(self) -> list[UnitId]:
        return [u for u, one in self.units.items() if one.status is not UnitStatus.CLEARED]


class Dispatcher:
    """Drives `patrol` and speaks for the CAD. Ask `until` with times that grow."""

    def __init__(
        self, patrol: Patrol, events: Iterable[Event], story: Story | None, ori: str, seed: int
    ) -> None:
        self._patrol, self._story, self._ori = patrol, story, ori
        self._chance = random.Random(f"dispatcher {seed}")  # noqa: S311 - practice, no secret
        self._events: Iterator[Event] = iter(events)
        self._next = next(self._events, None)
        self._steps: list[tuple[datetime, int, Step]] = []
        self._count = 0
        self._said: list[Said] = []
        self._last_number = 0
        self._errands: dict[UnitId, Errand] = {}

    def until(self, at: datetime) -> list[Said]:
        """What was said since the last time it was asked, in order."""
        self.play(at)
        said, self._said = self._said, []
        return said

    def play(self, at: datetime) -> None:
        """Let it happen; what is said is kept for `until`. Whoever asks where cars are plays
        first: a car that nobody has sent yet would plan its patrol otherwise."""
        while (moment := self._due()) is not None and moment <= at:
            if self._next is not None and moment == self._next.at:
                event, self._next = self._next, next(self._events, None)
                self._open(event, event.at)
            else:
                moment, _, step = heapq.heappop(self._steps)
                step(moment)

    def errand(self, unit: UnitId) -> Errand | None:
        """What the unit is doing; None on patrol."""
        return self._errands.get(unit)

    def _due(self) -> datetime | None:
        waiting = [self._next.at] if self._next is not None else []
        if self._steps:
            waiting.append(self._steps[0][0])
        return min(waiting, default=None)

    def _later(self, at: datetime, seconds: float, step: Step) -> None:
        self._count += 1
        due = at + timedelta(milliseconds=round(seconds * 1000))
        heapq.heappush(self._steps, (due, self._count, step))

    # A call comes in

    def _open(self, event: Event, at: datetime) -> None:
        call = self._tell_first(event, event.tellings[0], at)
        for telling in event.tellings[1:]:
            self._later(at, telling.after_s, partial(self._open_other, call, telling))
        if event.transferred_to:
            self._later(at, self._chance.uniform(*TRANSFERS_S), partial(self._transfer, call))
            return
        for later in event.later:
            self._later(at, later.after_s, partial(self._learn, call, later))
        wait_s = STORY_WAIT_S
        if event.for_unit is None:
            wait_s = self._chance.uniform(*WAIT_S[event.kind.level])
        wait_s += event.located_after_s
        self._later(at, wait_s, partial(self._assign, call, event.kind.units, 0))
        if event.more_unit_after_s is not None:
            self._later(at, event.more_unit_after_s, partial(self._back_up, call))

    def _open_other(self, main: _Call, telling: Telling, at: datetime) -> None:
        other = self._tell_first(main.event, telling, at)
        if not main.is_open:
            self._later(at, 20.0, partial(self._close, other))
            return
        main.others.append(other)
        if telling.marked_after_s is not None:
            self._later(at, telling.marked_after_s, partial(self._mark, other, main.number))

    def _tell_first(self, event: Event, telling: Telling, at: datetime) -> _Call:
        call = _Call(self._number(at), event)
        if telling.vehicle is not None:
            call.vehicles = (telling.vehicle,)
        self._say(
            call,
            at,
            ori=self._ori,
            taken_at=at - timedelta(milliseconds=round(telling.talk_s * 1000)),
            kind=event.kind.kind,
            kind_says=telling.kind_says,
            priority=event.kind.level,
            state=CallState.OPEN,
            address=telling.address,
            place=telling.place,
            within_m=telling.within_m,
            notes=self._note(call, at, telling.says),
            vehicles=call.vehicles or None,
            people=telling.people,
        )
        self._said.append(
            CallTruth(
                number=call.number,
                event=event.event_id,
                at=at,
                kind=event.kind.kind,
                place=Point(*event.spot.at),
                told=telling.place,
                plate=event.car.plate if event.car else None,
                state=event.car.state if event.car else None,
            )
        )
        return call

    def _number(self, at: datetime) -> str:
        """`26-` and eight digits that grow with time, over restarts too."""
        utc = at.astimezone(UTC)
        seconds = utc.hour * 3600 + utc.minute * 60 + utc.second
        number = utc.timetuple().tm_yday * 100_000 + seconds
        self._last_number = max(number, self._last_number + 1)
        return f"{utc:%y}-{self._last_number:08d}"

    def _learn(self, call: _Call, later: Later, at: datetime) -> None:
        if not call.is_open:
            return
        if later.vehicle is not None:
            call.vehicles = (later.vehicle,)
        self._say(
            call,
            at,
            address=later.address,
            place=later.place,
            notes=self._note(call, at, later.says) if later.says else (),
            hazards=(later.hazard,) if later.hazard else (),
            vehicles=call.vehicles if later.vehicle else None,
            going=later.going(at),
        )

    def _mark(self, other: _Call, number: str, at: datetime) -> None:
        if other.is_open:
            note = self._note(other, at, f"DUPLICATE OF {number}")
            other.is_open = False
            self._say(other, at, state=CallState.CLOSED, duplicate_of=number, notes=note)

    def _transfer(self, call: _Call, at: datetime) -> None:
        call.is_open = False
        to = call.event.transferred_to
        note = self._note(call, at, f"TRANSFERRED TO {to}".upper())
        self._say(call, at, state=CallState.TRANSFERRED, transferred_to=to, notes=note)

    # Cars

    def _assign(self, call: _Call, count: int, tries: int, at: datetime) -> None:
        if not call.is_open:
            return
        wanted = call.event.for_unit
        chosen = self._nearest(call, at, count)
        if wanted is not None:
            chosen = [UnitId(wanted)] if self._patrol.is_free(UnitId(wanted), at) else []
        if not chosen:
            if tries < TRIES_MAX:
                self._later(at, LOOKS_AGAIN_S, partial(self._assign, call, count, tries + 1))
            else:
                self._close(call, at)
            return
        for unit in chosen:
            self._send(call, unit, at)
        self._say(call, at, units=tuple(call.units.values()))

    def _back_up(self, call: _Call, at: datetime) -> None:
        chosen = self._nearest(call, at, 1) if call.is_open and call.at_work else []
        for unit in chosen:
            self._send(call, unit, at)
            note = self._note(call, at, f"{unit} BACKING UP")
            self._say(call, at, units=tuple(call.units.values()), notes=note)

    def _nearest(self, call: _Call, at: datetime, count: int) -> list[UnitId]:
        """The free units that are there soonest by road; the story's unit is kept for its own."""
        own = self._story.unit if self._story is not None else None
        free = [u for u in self._patrol.free(at) if u != own and u not in call.units]
        starts = [self._patrol.where(u, at).at for u in free]
        graph = self._patrol.streets.graph
        return [free[i] for i, _ in graph.nearest(self._goal(call), starts, count)]

    def _goal(self, call: _Call) -> LatLon:
        return call.event.spot.at

    def _send(self, call: _Call, unit: UnitId, at: datetime) -> None:
        urgent = call.event.kind.level is Level.P1 or call.event.for_unit is not None
        arrives = self._patrol.send(unit, self._goal(call), at, urgent=urgent)
        self._set(call, unit, UnitStatus.ASSIGNED, at)
        call.sent_at[unit] = at
        rolls_s = self._chance.uniform(*ROLLS_S)
        drives_s = max(rolls_s + 1, (arrives - at) / timedelta(seconds=1))
        self._later(at, rolls_s, partial(self._roll, call, unit, at))
        self._later(at, drives_s, partial(self._arrive, call, unit, at))

    def _is_on(self, call: _Call, unit: UnitId, sent_at: datetime) -> bool:
        """Still on the errand of that moment: not cleared since, and not sent anew."""
        return unit in call.at_work and call.sent_at.get(unit) == sent_at

    def _roll(self, call: _Call, unit: UnitId, sent_at: datetime, at: datetime) -> None:
        if self._is_on(call, unit, sent_at):
            self._tell(call, unit, UnitStatus.EN_ROUTE, at)

    def _arrive(self, call: _Call, unit: UnitId, sent_at: datetime, at: datetime) -> None:
        if not self._is_on(call, unit, sent_at):
            return
        self._tell(call, unit, UnitStatus.ON_SCENE, at)
        first = sum(u.status is UnitStatus.ON_SCENE for u in call.units.values()) == 1
        if first:
            says = f"{unit} {self._chance.choice(caller_words.ARRIVED)}"
            self._later(at, self._chance.uniform(10, 30), partial(self._remark, call, says))
            self._later(at, call.event.scene_s, partial(self._finish, call))

    def _remark(self, call: _Call, says: str, at: datetime) -> None:
        if call.is_open:
            self._say(call, at, notes=self._note(call, at, says))

    def _finish(self, call: _Call, at: datetime) -> None:
        for unit in call.at_work:
            self._patrol.clear(unit, at)
            self._set(call, unit, UnitStatus.CLEARED, at)
            self._errands.pop(unit, None)
        self._say(call, at, units=tuple(call.units.values()))
        self._later(at, 3.0, partial(self._close, call))

    def _close(self, call: _Call, at: datetime) -> None:
        for one in (call, *call.others):
            if one.is_open:
                one.is_open = False
                self._say(one, at, state=CallState.CLOSED)
        event = call.event
        if event.reopens and not call.reopened:
            self._later(at, self._chance.uniform(*REOPENS_S), partial(self._reopen, call))
        if self._story is not None and event.for_unit == self._story.unit:
            self._later(at, self._story.rest_s(), self._tell_story)

    def _reopen(self, call: _Call, at: datetime) -> None:
        call.is_open = call.reopened = True
        call.others, call.units = [], {}
        note = self._note(call, at, caller_words.CAME_BACK)
        self._say(call, at, state=CallState.OPEN, notes=note)
        call.event = msgspec.structs.replace(call.event, scene_s=60.0)
        self._later(at, self._chance.uniform(*WAIT_S[Level.P2]), partial(self._assign, call, 1, 0))

    def _tell_story(self, at: datetime) -> None:
        assert self._story is not None, "only a story's own call comes here"
        self._open(self._story.next(at), at)

    # Telling

    def _tell(self, call: _Call, unit: UnitId, status: UnitStatus, at: datetime) -> None:
        self._set(call, unit, status, at)
        self._say(call, at, units=tuple(call.units.values()))

    def _set(self, call: _Call, unit: UnitId, status: UnitStatus, at: datetime) -> None:
        call.units[unit] = CalledUnit(unit=unit, status=status, at=at)
        self._errands[unit] = Errand(call.number, status)

    def _note(self, call: _Call, at: datetime, says: str) -> tuple[CallNote, ...]:
        call.notes += 1
        return (CallNote(note_id=str(call.notes), at=at, says=says),)

    def _say(self, call: _Call, at: datetime, **more: object) -> None:
        message = CadMessage(number=call.number, sent_at=at)
        self._said.append(msgspec.structs.replace(message, **more))
