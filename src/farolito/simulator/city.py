"""The practice metro's day: which event comes when, and which of them belong to the drill.

Most come by chance at the hour's rate. Some are of a car that will soon pass a reader, so that a
plate alert and a call are one incident. A few are what dispatch systems are feared for: no
place, wrong coordinates, another agency's land, an unrelated call next door.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.geo import bearing_deg
from farolito.model import CallKind
from farolito.simulator.addresses import Addresses, Spot, turned_deg
from farolito.simulator.calls import (
    BUSIEST_AN_HOUR,
    BY_KIND,
    HOURS,
    KINDS,
    TRIBAL,
    Draw,
    Event,
    Kind,
    Later,
    described,
    with_wrong_place,
    without_place,
)
from farolito.simulator.fleet import Vehicle
from farolito.simulator.readers import Reader
from farolito.simulator.scenario import Cue, Scene

FIRST_AFTER_S = 40.0  # the drill's own call comes before
BEFORE_READ_S = (45.0, 80.0)  # how long before the car passes the reader its call comes in
READER_M = (250.0, 900.0)  # from the place of the event to the reader
UPSTREAM_DEG = 65.0  # the reader lies about where its traffic goes, seen from the event
NEXT_DOOR_M = (150.0, 500.0)
_WITH_CARS = (CallKind.ROBBERY, CallKind.HIT_AND_RUN, CallKind.SHOTS_FIRED, CallKind.BURGLARY)
_QUIET = (CallKind.ALARM, CallKind.TRESPASS, CallKind.OTHER, CallKind.WELFARE_CHECK)
# Of sixteen ordinary events these are the odd ones.
_ODD_OF, _NO_PLACE, _WRONG_PLACE, _NOT_OURS, _REOPENS = 16, 2, 5, 9, 12


class City:
    """Events in order of their first message, without end."""

    def __init__(
        self,
        draw: Draw,
        scenes: Iterator[Scene],
        readers: Sequence[Reader],
        start: datetime,
        hour: float,
    ) -> None:
        self._draw, self._scenes, self._start, self._hour = draw, scenes, start, hour
        self._readers = {r.device.device_id: r for r in readers}

    def events(self, speed: float = 1.0) -> Iterator[Event]:
        return heapq.merge(self._ordinary(speed), self._of_the_drill(), key=lambda e: e.at)

    def _ordinary(self, speed: float) -> Iterator[Event]:
        chance = self._draw.chance
        after_s, number = FIRST_AFTER_S, 0
        last: Spot | None = None
        while True:
            at = self._start + timedelta(milliseconds=round(after_s * 1000))
            event = self._next(at, number, last)
            yield event
            last = event.spot
            number += 1
            rate = HOURS[int(self._hour + after_s / 3600) % 24] * BUSIEST_AN_HOUR * speed / 3600
            after_s += chance.expovariate(rate)

    def _next(self, at: datetime, number: int, last: Spot | None) -> Event:
        draw, chance, odd = self._draw, self._draw.chance, number % _ODD_OF
        kind = chance.choices(KINDS, [k.share for k in KINDS])[0]
        if odd == _NOT_OURS:
            spot = draw.addresses.on_tribal_land(chance)
            event = draw.event(at, kind, spot)
            return msgspec.structs.replace(
                event, tellings=event.tellings[:1], later=(), transferred_to=TRIBAL
            )
        if last is not None and chance.random() < 0.08:
            near = draw.addresses.near(last.at, NEXT_DOOR_M)
            if near:
                return draw.event(at, BY_KIND[chance.choice(_QUIET)], chance.choice(near))
        event = draw.event(at, kind, draw.addresses.any(chance))
        if odd == _REOPENS:
            return msgspec.structs.replace(event, reopens=True)
        if odd == _NO_PLACE:
            return without_place(event, chance)
        return with_wrong_place(event, chance) if odd == _WRONG_PLACE else event

    def _of_the_drill(self) -> Iterator[Event]:
        """Every second lead of the plate drill has an event before it, told with the car."""
        draw, leads = self._draw, 0
        for scene in self._scenes:
            if scene.cue is not Cue.LEAD:
                continue
            leads += 1
            if leads % 2 == 1:
                continue
            before_s = draw.chance.uniform(*BEFORE_READ_S)
            at = scene.passage.at - timedelta(milliseconds=round(before_s * 1000))
            reader = self._readers[scene.passage.reader]
            spots = upstream(draw.addresses, reader)
            if not spots:
                continue
            kind = BY_KIND[_WITH_CARS[leads // 2 % len(_WITH_CARS)]]
            yield with_plate(
                draw, at, kind, (draw.chance.choice(spots), reader), scene.passage.vehicle
            )


def upstream(addresses: Addresses, reader: Reader) -> list[Spot]:
    """Spots whose leaving cars the reader would see: it lies ahead of them, the way they go."""
    place = reader.device.place
    if place is None:
        return []
    at = (place.lat, place.lon)
    return [
        spot
        for spot in addresses.near(at, READER_M)
        if turned_deg(bearing_deg(spot.at, at), reader.sight.heading_deg) < UPSTREAM_DEG
    ]


def with_plate(
    draw: Draw, at: datetime, kind: Kind, where: tuple[Spot, Reader], car: Vehicle
) -> Event:
    """An event of a car whose plate the caller gives, and that leaves past the reader."""
    spot, reader = where
    event = draw.event(at, kind, spot, car)
    others = [one for one in event.later if one.vehicle is None and one.leaving is None]
    plate = Later(
        after_s=draw.chance.uniform(15, 35),
        says=f"PLATE PER RP {car.plate}",
        vehicle=described(car, car.colour, plate=True),
    )
    leaving = draw.addresses.leaving(spot.at, reader.sight.heading_deg, draw.chance)
    going = Later(
        after_s=plate.after_s + draw.chance.uniform(5, 20),
        says=f"LAST SEEN {leaving.says.upper()}",
        leaving=leaving,
    )
    later = sorted([*others, plate, going], key=lambda one: one.after_s)
    return msgspec.structs.replace(event, later=tuple(later))
