"""Reviews of searches for those who look at them, and what explains a search for those who made
it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console.routes.admin import admin_ask
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk import NotFound
from farolito.gate import Ask
from farolito.model import Invalid, Point, ReviewDecision, ReviewId, Thing
from farolito.review.desk import ReviewDesk, Shown

HttpRequest = Request[Any, Any, Any]

FIELDS = ("user", "query", "case", "on_behalf_of")
DAYS_MAX = 400
ROSTER_BYTES_MAX = 16 * 2**20

Plate = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
Case = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Open(msgspec.Struct, frozen=True):
    entry: int
    field: str
    reason: str  # a word of the policy's closed list


class Decide(msgspec.Struct, frozen=True):
    decision: ReviewDecision


class Protect(msgspec.Struct, frozen=True):
    plate: Plate
    on: bool = True


class RosterFile(msgspec.Struct, frozen=True):
    """`file`: CSV of person, starts, ends. `add`: beside what is known, not in its place."""

    file: str
    add: bool = False


class Explain(msgspec.Struct, frozen=True):
    """What a case is about: a plate, or a place."""

    case: Case
    plate: Plate | None = None
    place: Point | None = None


class Confirm(msgspec.Struct, frozen=True):
    case: Case


def _desk(services: Services) -> ReviewDesk:
    if services.reviews is None:
        raise NotFound("this node reviews no searches", "see docs/reviews.md")
    return services.reviews


def _shown(one: Shown, services: Services, now: Any) -> dict[str, Any]:
    """Whom it is about stays behind: that is opened, with a reason."""
    review = one.review
    told = msgspec.to_builtins(review)
    for name in ("about", "receipts", "decided_by"):
        del told[name]
    return {
        **told,
        "own": review.agency == services.agency.agency_id,
        "overdue": review.decision is None and review.due <= now,
        "count": len(review.entries),
        "searches": one.searches,
    }


@get("/api/reviews")
async def reviews(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    decided: FromQuery[bool] = False,
) -> dict[str, Any]:
    """What this person is to look at, the most urgent first; or what was decided lately."""
    ask = asker.ask(Thing.REVIEW, "decided reviews" if decided else "open reviews")
    answer = await _desk(services).queue(ask, decided=decided)
    now = services.clock()
    return {
        "at": now,
        "permit": answer.permit,
        "reviews": [_shown(one, services, now) for one in answer.value],
    }


@get("/api/reviews/digest")
async def digest(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    days: FromQuery[int] = 7,
) -> dict[str, Any]:
    days = max(1, min(days, DAYS_MAX))
    ask = asker.ask(Thing.REVIEW, f"counts of reviews in {days} days")
    answer = await _desk(services).digest(ask, days)
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "days": days,
        "rules": answer.value,
    }


@post("/api/reviews/{review_id:uuid}/open", status_code=200)
async def open_field(
    review_id: FromPath[UUID],
    data: JSONBody[Open],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """One personal field of one search, opened; the opening is an entry of its own."""
    if data.field not in FIELDS:
        raise Invalid(f"no personal field {data.field!r}", f"use {', '.join(FIELDS)}")
    query = f"open {data.field} of entry {data.entry} for review {review_id}"
    ask = asker.ask(Thing.LEDGER_FIELD, query, reason_code=data.reason)
    desk = _desk(services)
    answer = await desk.open_field(ask, ReviewId(review_id), data.entry, data.field)
    value = answer.value
    if data.field == "user" and value is not None:
        value = await _named(value, services)
    return {"value": value, "permit": answer.permit}


@post("/api/reviews/{review_id:uuid}/decide", status_code=200)
async def decide(
    review_id: FromPath[UUID],
    data: JSONBody[Decide],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = asker.ask(Thing.REVIEW, f"decide review {review_id}")
    answer = await _desk(services).decide(ask, ReviewId(review_id), data.decision)
    shown = Shown(review=answer.value, searches=())
    return {"review": _shown(shown, services, services.clock()), "permit": answer.permit}


@post("/api/reviews/protected", status_code=200)
async def protect(
    data: JSONBody[Protect],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """A plate that nobody looks for unnoticed without a case about it; how many there are."""
    answer = await _desk(services).protect(
        asker.ask(Thing.REVIEW, "protected plates"), data.plate, on=data.on
    )
    return {"count": answer.value, "permit": answer.permit}


@post("/api/admin/roster", status_code=200, request_max_body_size=ROSTER_BYTES_MAX)
async def roster(
    data: JSONBody[RosterFile], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """From the node's own command line: who is on duty when. All of the file, or nothing."""
    ask = admin_ask(request, services, Thing.PERSON, "roster")
    people = [account.person for account in await services.identity.people()]
    answer = await _desk(services).keep_roster(ask, data.file, people, add=data.add)
    kept = answer.value
    return {
        "shifts": len(kept.shifts),
        "people": kept.people,
        "first": kept.first,
        "last": kept.last,
        "permit": answer.permit,
    }


@get("/api/search/explained")
async def explained(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    plate: FromQuery[str] = "",
    lat: FromQuery[float | None] = None,
    lon: FromQuery[float | None] = None,
) -> dict[str, Any]:
    """Whether the case of the header explains looking for this plate, or this place."""
    place = Point(lat, lon) if lat is not None and lon is not None else None
    ask = asker.ask(Thing.PLATE_READ, "explained")
    answer = await _desk(services).explains(ask, _about(plate, place))
    return {**msgspec.to_builtins(answer.value), "permit": answer.permit}


@post("/api/search/explain", status_code=201)
async def explain(
    data: JSONBody[Explain], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """Put on record that a case is about a plate or a place; it counts once somebody else
    confirms it."""
    about = _about(data.plate, data.place)
    answer = await _desk(services).explain(_of_case(asker, data.case), about)
    return {"explanation": answer.value, "permit": answer.permit}


@post("/api/search/explanations/{explanation_id:uuid}/confirm", status_code=200)
async def confirm(
    explanation_id: FromPath[UUID],
    data: JSONBody[Confirm],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    answer = await _desk(services).confirm(_of_case(asker, data.case), explanation_id)
    return {"explanation": answer.value, "permit": answer.permit}


def _about(plate: str | None, place: Point | None) -> str | Point:
    if bool(plate) == (place is not None):
        raise Invalid("a plate or a place", "name one of them")
    return place or plate or ""


def _of_case(asker: Asker, case: str) -> Ask:
    return msgspec.structs.replace(asker.ask(Thing.PLATE_READ, "explain"), case=case.strip())


async def _named(person_id: str, services: Services) -> str:
    """The person's name beside the id that the ledger holds, where the person is known here."""
    for standing in await services.identity.people():
        if str(standing.person.person_id) == person_id:
            return f"{standing.person.name}, {standing.person.role.value} ({person_id})"
    return person_id


ROUTES = [reviews, digest, open_field, decide, protect, roster, explained, explain, confirm]
