"""Where was this plate, in our own reads and those of owners that are asked by name; and which cars
passed this place, in our own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk import NotFound
from farolito.desk.place_search import Place
from farolito.desk.search import PlateSearch
from farolito.gate import Ask, Records
from farolito.model import (
    AgencyId,
    Invalid,
    PersonId,
    Point,
    Thing,
    normalise_plate,
    state_code,
)
from farolito.model.search import (
    OWNERS_APPROVED_MAX,
    OWNERS_MAX,
    RADIUS_M_MAX,
    SPAN_MAX,
    PlaceQuestion,
    PlateQuestion,
)

DAYS_SHOWN_MAX = 400
HOURS_MAX = SPAN_MAX // timedelta(hours=1)

OwnerIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=OWNERS_APPROVED_MAX + 1)]
Name = Annotated[str, msgspec.Meta(max_length=100)]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """`owners`: agencies by their ids; our own reads are always looked at. `on_behalf_of`: whom
    the asker types for, `on_behalf_agency`: that one's agency."""

    plate: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    since_h: Annotated[float, msgspec.Meta(gt=0, le=HOURS_MAX)]
    state: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    owners: OwnerIds = ()
    on_behalf_of: Name | None = None
    on_behalf_agency: Name | None = None
    approved_by: UUID | None = None


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """`at`: a place in degrees, or `address`: as the map has it. `since`, `until`: at most a day
    apart."""

    radius_m: Annotated[float, msgspec.Meta(gt=0, le=RADIUS_M_MAX)]
    since: datetime
    until: datetime
    at: Point | None = None
    address: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Approve(msgspec.Struct, frozen=True, kw_only=True):
    owners: OwnerIds
    person_id: UUID


def _desk(services: Services) -> PlateSearch:
    if services.search is None:
        raise NotFound("this node answers no searches", "see docs/searching.md")
    return services.search


@post("/api/search/plate", status_code=200)
async def plate(
    data: JSONBody[Search], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """An answer of each owner, the own agency first. What one of them could not answer is told as
    that, beside what others found. `looked`: that this person asked for it on other days too."""
    now = services.clock()
    state = state_code(data.state)
    if data.state and state is None:
        raise Invalid(f"no state is called {data.state!r}", "give two letters, or leave it out")
    question = PlateQuestion(
        plate=normalise_plate(data.plate),
        state=state,
        since=now - timedelta(hours=data.since_h),
        until=now,
        owners=tuple(AgencyId(owner) for owner in dict.fromkeys(data.owners)),
        on_behalf_agency=AgencyId(data.on_behalf_agency) if data.on_behalf_agency else None,
        approved_by=data.approved_by,
    )
    ask = asker.ask(Thing.PLATE_READ, "plate")  # the desk says all of it
    ask = msgspec.structs.replace(ask, on_behalf_of=data.on_behalf_of or None)
    looked = services.reviews.looked(ask, question.plate) if services.reviews else None
    answer = await _desk(services).plate(ask, question)
    return {
        "at": now,
        "permit": answer.permit,
        "plate": question.plate,
        "state": question.state,
        "since": question.since,
        "owners": answer.value,
        "looked": looked,
    }


@post("/api/search/place", status_code=200)
async def place(
    data: JSONBody[Near], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """The own reads around a place. `place`: where that is, and `within_m` of it what an address
    may mean; the circle stays the one that was asked for. `readers`: those that stand in it."""
    desk = services.places
    if desk is None:
        raise NotFound("this node answers no searches", "see docs/searching.md")
    if (data.at is None) == (not data.address.strip()):
        raise Invalid("a place or an address", "send one of them")
    taken = Place(data.at, 0.0) if data.at else desk.place_of(data.address.strip())
    question = PlaceQuestion(
        place=taken.at, radius_m=data.radius_m, since=data.since, until=data.until
    )
    ask = asker.ask(Thing.PLATE_READ, "place")  # the desk says all of it
    looked = services.reviews.looked(ask, taken.at) if services.reviews else None
    answer = await desk.near(ask, question)
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "place": taken.at,
        "within_m": taken.within_m,
        "words": desk.words(taken.at),
        "radius_m": question.radius_m,
        "since": question.since,
        "until": question.until,
        "readers": desk.readers(question),
        "owners": [answer.value],
        "looked": looked,
    }


@get("/api/search/owners")
async def owners(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """Who can be asked, by which agreement, for which purposes. No record of anybody."""
    desk = _desk(services)

    async def work(records: Records, permit: int) -> list[Any]:
        return list(await desk.owners.whom()) if desk.owners else []

    answer = await services.gate.read(asker.ask(Thing.PARTNER, "whom one may ask"), work)
    own = {"agency_id": services.agency.agency_id, "name": services.agency.name, "own": True}
    return {
        "permit": answer.permit,
        "owners_max": OWNERS_MAX,
        "own": own,
        "owners": answer.value,
    }


@post("/api/search/approvals", status_code=201)
async def approve(
    data: JSONBody[Approve], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """A supervisor lets somebody ask more owners than five, once, for the case of the header."""
    ask = asker.ask(Thing.PLATE_READ, "approve a wide search")
    named = [AgencyId(owner) for owner in dict.fromkeys(data.owners)]
    answer = await _desk(services).approve(ask, named, PersonId(data.person_id))
    return {"approval": answer.value, "permit": answer.permit}


@get("/api/search/asked")
async def asked(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    days: FromQuery[int] = 7,
) -> dict[str, Any]:
    """How often other agencies asked us, by day and by what came of it. Counts alone."""
    days = max(1, min(days, DAYS_SHOWN_MAX))
    ask: Ask = asker.ask(Thing.REPORT, f"who asked us in {days} days")

    async def work(records: Records, permit: int) -> list[Any]:
        return list(await services.asked(days))

    answer = await services.gate.read(ask, work)
    return {"at": services.clock(), "permit": answer.permit, "asked": answer.value}


ROUTES = [plate, place, owners, approve, asked]
