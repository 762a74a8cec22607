"""A small city with a river, a dispatch desk in it, and calls that are told to it."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from farolito.app.clock import ids
from farolito.audit import Ledger, Spool
from farolito.audit.key_file import load_or_create
from farolito.audit.records import origin_of
from farolito.desk import Desk, Dispatch
from farolito.gate import Ask, Gate
from farolito.geo import Geocoder, RoadGraph, Segment, StreetMap
from farolito.identity import system_person
from farolito.media import Pictures
from farolito.model import (
    Agency,
    AgencyId,
    CallKind,
    CallUpdate,
    DeviceId,
    Incident,
    IncidentId,
    Person,
    PersonId,
    Point,
    Purpose,
    Role,
    Thing,
    UnitId,
)
from farolito.policy import Policies
from farolito.store import Database, Records
from tests.geo.towns import at, town

AGENCY = Agency(agency_id=AgencyId("city-pd"), name="City Police", ori="NM9990100")
CAD = DeviceId("cad-1")
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BLOCK_M = 100.0
RIVER_X_M, RIVER_WIDTH_M, BRIDGE_Y_M = 1000.0, 80.0, 1000.0


def river_town() -> StreetMap:
    """Streets 1 to 11 and avenues A to K, 100 m apart, and across the river Bank Rd, which one
    bridge reaches, at the north end of town."""
    corners: dict[int, tuple[float, float]] = {}
    segments: list[Segment] = []

    def corner(x: float, y: float) -> int:
        number = next((n for n, xy in corners.items() if xy == (x, y)), len(corners) + 1)
        corners[number] = (x, y)
        return number

    def block(name: str, a: tuple[float, float], b: tuple[float, float], hundred: int) -> None:
        segments.append(
            Segment(
                segment_id=len(segments) + 1, name=name, kind="local", start=corner(*a),
                end=corner(*b), line=(at(*a), at(*b)), speed_mps=10.0,
                left=(hundred + 1, hundred + 99), right=(hundred + 2, hundred + 98),
            )
        )  # fmt: skip

    for i, j in itertools.product(range(11), range(11)):
        here, hundred = (i * BLOCK_M, j * BLOCK_M), (1 + max(i, j)) * 100
        if i < 10:
            block(f"{'ABCDEFGHIJK'[j]} Ave", here, (here[0] + BLOCK_M, here[1]), hundred)
        if j < 10:
            block(f"{i + 1}th St", here, (here[0], here[1] + BLOCK_M), hundred)
    east = RIVER_X_M + RIVER_WIDTH_M
    for j in range(10):
        block("Bank Rd", (east, j * BLOCK_M), (east, (j + 1) * BLOCK_M), (1 + j) * 100)
    block("Bridge", (RIVER_X_M, BRIDGE_Y_M), (east, BRIDGE_Y_M), 100)
    return town(*segments, corners=corners)


class MapStreets:
    """The map's own roads and addresses, as the app hands them to dispatch."""

    def __init__(self, street_map: StreetMap) -> None:
        self._graph, self._geocoder = RoadGraph(street_map), Geocoder(street_map)

    def road(self, a: Point, b: Point) -> tuple[float, float] | None:
        route = self._graph.route((a.lat, a.lon), (b.lat, b.lon))
        return None if route is None else (route.metres, route.seconds)

    def find(self, address: str) -> tuple[Point, float] | None:
        found = self._geocoder.find(address)
        return (Point(*found[0].at), 25.0) if found else None

    def describe(self, place: Point) -> str | None:
        words = self._geocoder.describe((place.lat, place.lon))
        return words.text if words else None


class NoMap:
    def road(self, a: Point, b: Point) -> None:
        return None

    def find(self, address: str) -> None:
        return None

    def describe(self, place: Point) -> None:
        return None


def spot(x: float, y: float) -> Point:
    """`x` metres east and `y` north of 1st and A."""
    return Point(*at(x, y))


class City:
    """A dispatch desk over a real database, gate and ledger, with a clock that the test winds."""

    def __init__(
        self, database: Database, gate: Gate, ledger: Ledger, spool: Spool, now: list[datetime]
    ) -> None:
        self.database, self.gate, self.ledger, self.spool = database, gate, ledger, spool
        self._now = now
        self.system = system_person(AGENCY.agency_id)
        self.streets: MapStreets | NoMap = MapStreets(_TOWN)
        self.operator = Person(
            person_id=PersonId(ids()), agency=AGENCY.agency_id, name="Rivera", role=Role.OPERATOR
        )
        self.desk = Desk(gate, self.system, self.clock, ids)
        self.use(self.streets)

    def use(self, streets: MapStreets | NoMap) -> None:
        self.dispatch = Dispatch(self.gate, self.system, streets, self.clock, ids)
        self.desk.followers[:] = [self.dispatch.follow_alert]

    def clock(self) -> datetime:
        return self._now[0]

    def later(self, seconds: float) -> datetime:
        self._now[0] += timedelta(seconds=seconds)
        return self._now[0]

    def ask(self, query: str = "test") -> Ask:
        return Ask(
            person=self.operator, thing=Thing.INCIDENT, purpose=Purpose.IN_PROGRESS_CALL,
            query=query, signed_in_at=self.clock(),
        )  # fmt: skip

    def update(self, number: str, **told: Any) -> CallUpdate:
        """What the CAD says of a call at this moment."""
        now = self.clock()
        return CallUpdate(
            agency=AGENCY.agency_id, source=CAD, number=number,
            **{"sent_at": now, "told_at": now, **told},
        )  # fmt: skip

    async def told(self, number: str, **told: Any) -> Incident:
        """The CAD says so; answers the incident that the call now belongs to."""
        assert await self.dispatch.hear([self.update(number, **told)])
        return await self.incident_of(number)

    async def shots(self, number: str, x: float, y: float, **told: Any) -> Incident:
        return await self.told(
            number, **{"kind": CallKind.SHOTS_FIRED, "place": spot(x, y), **told}
        )

    async def incident_of(self, number: str) -> Incident:
        async with self.records() as records:
            call = await records.calls.by_number(number)
            assert call is not None
            home = await records.incidents.of_part(call.call_id)
            assert home is not None
            assert home == call.incident, "a call and its part point to one incident"
            found = await records.incidents.get(home)
            assert found is not None
            return found

    async def incident(self, incident_id: IncidentId) -> Incident:
        async with self.records() as records:
            found = await records.incidents.get(incident_id)
            assert found is not None
            return found

    async def log(self, incident: Incident) -> list[tuple[str, str]]:
        async with self.records() as records:
            return [(x.what, x.says) for x in await records.incidents.log(incident.incident_id)]

    async def words(self, incident: Incident) -> list[str]:
        return [what for what, _ in await self.log(incident)]

    async def open_ones(self) -> Sequence[Incident]:
        return [i for i in (await self.dispatch.all(self.ask())).value[1] if i.state == "open"]

    @asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        async with self.database.transaction(AGENCY.agency_id) as connection:
            yield Records(connection, AGENCY.agency_id)


_TOWN = river_town()
UNIT = UnitId("2A14")


@asynccontextmanager
async def a_city(database: Database, folder: Path) -> AsyncIterator[City]:
    now = [START]

    def clock() -> datetime:
        return now[0]

    agency = AGENCY.agency_id
    ledger = await Ledger.open(database, agency, folder / "ledger.key", clock, os.urandom)
    key = load_or_create(folder / "spool.key", f"{origin_of(agency)}/spool", os.urandom)
    spool = Spool(folder / "spool", key, os.urandom)
    gate = Gate(
        Policies.load(AGENCY.law, [AGENCY]), ledger, spool, database,
        Pictures(folder / "pictures"), AGENCY, clock,
    )  # fmt: skip
    try:
        yield City(database, gate, ledger, spool, now)
    finally:
        await ledger.close()
