"""Which cameras see a place, an incident, or where a vehicle can be seen next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from farolito.console import cameras as told
from farolito.console.routes.cameras import ask_of
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk import NotFound
from farolito.gate import Ask, Records
from farolito.model import Incident, IncidentId, Invalid, Person, Point, Role, UnitStatus
from farolito.viewing import LastSeen

BEST_SHOWN = 4
NEXT_SHOWN = 12
AROUND_M = 8.0  # a place is hardly ever known better
AROUND_M_MAX = 150.0
UNCERTAIN_M = 30.0  # of where a vehicle was last seen


@get("/api/pictures/near")
async def near(  # noqa: PLR0913 - one parameter of the question each
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    lat: FromQuery[float],
    lon: FromQuery[float],
    at: FromQuery[datetime | None] = None,
    count: FromQuery[int] = BEST_SHOWN,
) -> dict[str, Any]:
    place = Point(lat, lon)
    ask = await _about(asker, services, place, f"cameras that show {lat:.5f}, {lon:.5f}")

    async def work(records: Records, permit: int) -> None:
        return None

    answer = await services.gate.read(ask, work)
    seeing = await _seeing(services, place, _when(at, services), count)
    return {"at": services.clock(), "permit": answer.permit, "place": place, **seeing}


@get("/api/incidents/{incident_id:uuid}/pictures")
async def of_incident(
    incident_id: FromPath[UUID],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    count: FromQuery[int] = BEST_SHOWN,
) -> dict[str, Any]:
    found: list[Incident] = []

    async def facts(records: Records) -> Mapping[str, str | int | bool]:
        incident = await records.incidents.get(IncidentId(incident_id))
        found.extend([incident] if incident is not None else [])
        return _facts_of(incident, asker.person)

    async def work(records: Records, permit: int) -> None:
        if not found:
            raise NotFound("there is no such incident", "reload the list")

    ask = ask_of(asker, f"cameras that show incident {incident_id}")
    answer = await services.gate.read(ask, work, facts)
    place = found[0].place
    if place is None:
        raise NotFound("nobody knows where this is", "ask for a place")
    around = min(found[0].within_m or AROUND_M, AROUND_M_MAX)
    now = services.clock()
    seeing = await _seeing(services, place, now, count, around)
    return {"at": now, "permit": answer.permit, "place": place, **seeing}


@get("/api/pictures/next")
async def next_ones(  # noqa: PLR0913 - one parameter of the question each
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    lat: FromQuery[float],
    lon: FromQuery[float],
    at: FromQuery[datetime | None] = None,
    bearing: FromQuery[float | None] = None,
    count: FromQuery[int] = NEXT_SHOWN,
) -> dict[str, Any]:
    """Cameras along the roads from where a vehicle was last seen, the soonest first."""
    place = Point(lat, lon)
    if bearing is not None and not 0 <= bearing <= 360:
        raise Invalid(f"a bearing of {bearing}°", "give 0 to 360 from north")
    ask = await _about(asker, services, place, f"next cameras from {lat:.5f}, {lon:.5f}")

    async def work(records: Records, permit: int) -> None:
        return None

    answer = await services.gate.read(ask, work)
    seen = LastSeen(place=place, at=_when(at, services), heading_deg=bearing, within_m=UNCERTAIN_M)
    cameras = await services.its_cameras.sights.next(seen, count)
    now = services.clock()
    return {
        "at": now,
        "permit": answer.permit,
        "cameras": [told.next_camera(one, now) for one in cameras],
    }


async def _about(asker: Asker, services: Services, place: Point, query: str) -> Ask:
    """An officer asks about places of the own unit's incidents alone."""
    ask, unit = ask_of(asker, query), asker.person.unit
    if asker.person.role is not Role.OFFICER or unit is None:
        return ask
    book = services.its_cameras.book
    await book.refresh()
    near_ = book.is_units_place(place, unit)
    return msgspec.structs.replace(ask, facts={"assigned_unit": unit, "near_assigned": near_})


def _facts_of(incident: Incident | None, person: Person) -> Mapping[str, str | int | bool]:
    if person.unit is None:
        return {}
    units = incident.units if incident is not None else ()
    sent = any(u.unit == person.unit and u.status is not UnitStatus.CLEARED for u in units)
    return {"assigned_unit": person.unit, "near_assigned": sent}


async def _seeing(
    services: Services, place: Point, at: datetime, count: int, around: float = AROUND_M
) -> dict[str, Any]:
    have = services.its_cameras
    found = await have.sights.near(place, at, count, around)
    return {
        "cameras": [told.ranked(one, have.book) for one in found.cameras],
        "not": [told.ranked(one, have.book) for one in found.blind],
    }


def _when(at: datetime | None, services: Services) -> datetime:
    """Raises Invalid."""
    if at is not None and at.tzinfo is None:
        raise Invalid("a time without a zone", "send UTC or an offset")
    return at or services.clock()


ROUTES = [near, of_incident, next_ones]
