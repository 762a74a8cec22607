"""The practice metro's neighbours: readers of the sheriff and of the pueblo, on their own roads.

The cars are the same ones: whoever leaves the city by the interstate is read again beyond it, so
that a question to a neighbour has an answer. One reader of the city's hangs on the pueblo's land;
what it reads belongs to the pueblo.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.geo.street_map import LatLon, StreetMap
from farolito.model import AgencyId, Device, DeviceId, Point
from farolito.simulator.metro import NORTH_PUEBLO, metres
from farolito.simulator.readers import Quality, Reader
from farolito.simulator.routes import Block, Roads, along
from farolito.simulator.scenario import Cue, Scene
from farolito.simulator.traffic import Passage, Watched

SHERIFF = AgencyId("cuesta-so")
PUEBLO = AgencyId("agua-serena-pd")
_SHARE = 0.6  # how far along its block a reader looks
# When a listed car of the drill passes the sheriff and the pueblo, from its read in the city.
_ECHO_S = (20.0, 95.0)
_ECHOED = frozenset({Cue.LEAD, Cue.CALLED})


class NeighbourReader(msgspec.Struct, frozen=True):
    """`agency` owns the device and its node takes the reads in."""

    agency: AgencyId
    reader: Reader


def pueblo_land(street_map: StreetMap) -> tuple[LatLon, ...]:
    """The ring of the northern pueblo's land."""
    return next(a.ring for a in street_map.areas if a.name.startswith(NORTH_PUEBLO))


def place_neighbours(
    roads: Roads, street_map: StreetMap, city: AgencyId, taken: Sequence[Reader]
) -> tuple[NeighbourReader, ...]:
    """For the sheriff two on the interstate that runs east and west, at the county's ends; on the
    pueblo's piece of the other one the pueblo's own northbound, and the city's southbound."""
    used = {r.block for r in taken}
    free = [b for b in roads.blocks if b.number not in used and _is_motorway(roads, b)]
    ring = [metres(at) for at in pueblo_land(street_map)]
    by_east = sorted(
        (b for b in free if "Interstate 48" in _name(roads, b)), key=lambda b: _middle(roads, b)[0]
    )
    within = [b for b in free if _inside(_middle(roads, b), ring)]
    north = next(b for b in within if _name(roads, b).endswith("North"))
    south = next(b for b in within if _name(roads, b).endswith("South"))
    chosen = [(SHERIFF, by_east[0]), (SHERIFF, by_east[-1]), (PUEBLO, north), (city, south)]
    return tuple(
        NeighbourReader(agency, _reader(roads, block, agency, number))
        for number, (agency, block) in enumerate(chosen, 1)
    )


def echoes(scenes: Iterator[Scene], readers: Sequence[NeighbourReader]) -> Iterator[Passage]:
    """Where else the drill's listed cars pass, in order of time."""
    there = [next(n.reader for n in readers if n.agency == agency) for agency in (SHERIFF, PUEBLO)]
    waiting: list[tuple[datetime, int, Passage]] = []
    for count, scene in enumerate(s for s in scenes if s.cue in _ECHOED):
        for which, (seconds, reader) in enumerate(zip(_ECHO_S, there, strict=True)):
            at = scene.passage.at + timedelta(seconds=seconds)
            passed = msgspec.structs.replace(
                scene.passage,
                at=at,
                reader=reader.device.device_id,
                heading_deg=reader.sight.heading_deg,
            )
            heapq.heappush(waiting, (at, 2 * count + which, passed))
        # A later scene echoes no earlier than this.
        settled = scene.passage.at + timedelta(seconds=min(_ECHO_S))
        while waiting and waiting[0][0] <= settled:
            yield heapq.heappop(waiting)[2]


def _reader(roads: Roads, block: Block, agency: AgencyId, number: int) -> Reader:
    at, heading = along(roads.line(block), _SHARE)
    device_id = DeviceId(f"{agency}-lpr-{number}")
    way, sense = _name(roads, block).replace("Interstate ", "I-").rsplit(" ", 1)
    name = f"{way} {sense[0]}B, {'Agua Serena' if agency == PUEBLO else 'county line'}"
    device = Device(
        device_id=device_id,
        agency=agency,
        kind="plate_reader",
        name=name,
        format="farolito",
        place=Point(*at),
        heading_deg=heading,
    )
    lanes = roads.segments[block.segment].lanes
    return Reader(
        device=device,
        block=block.number,
        sight=Watched(device_id, _SHARE, heading, lanes),
        quality=Quality(misread=0.03, blind=0.03),
    )


def _is_motorway(roads: Roads, block: Block) -> bool:
    segment = roads.segments[block.segment]
    return segment.kind == "motorway" and "Interstate" in segment.name


def _name(roads: Roads, block: Block) -> str:
    return roads.segments[block.segment].name


def _middle(roads: Roads, block: Block) -> tuple[float, float]:
    at, _ = along(roads.line(block), 0.5)
    return metres(at)


def _inside(at: tuple[float, float], ring: Sequence[tuple[float, float]]) -> bool:
    """By the rule of crossings; the ring's last point may be its first again."""
    crossings = 0
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > at[1]) != (y2 > at[1]):
            crossings += at[0] < x1 + (at[1] - y1) / (y2 - y1) * (x2 - x1)
    return bool(crossings % 2)
