"""Calls and incidents: the list, the panel, join and split, a fact pushed, a unit sent."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import Ask
from farolito.model import CallKind, IncidentId, LineKind, Point, Purpose, Thing, UnitId

FACT_CHARACTERS_MAX = 200

Says = Annotated[str, msgspec.Meta(min_length=1, max_length=FACT_CHARACTERS_MAX)]


class Split(msgspec.Struct, frozen=True):
    part_id: UUID


class Join(msgspec.Struct, frozen=True):
    other: UUID


class PushFact(msgspec.Struct, frozen=True):
    """The line of the brief that it goes to, and the words."""

    line: LineKind
    says: Says


class ToUnit(msgspec.Struct, frozen=True):
    unit: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Close(msgspec.Struct, frozen=True):
    says: Says


class MakeReport(msgspec.Struct, frozen=True):
    says: Says
    kind: CallKind = CallKind.OTHER
    place: Point | None = None
    incident_id: UUID | None = None


def _ask(asker: Asker, query: str, thing: Thing = Thing.INCIDENT) -> Ask:
    return asker.ask(thing, query, usual=Purpose.IN_PROGRESS_CALL)


@get("/api/incidents")
async def incidents(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    answer = await services.dispatch.all(_ask(asker, "incidents"))
    shown = answer.value
    return {
        "seq": shown.seq,
        "at": services.clock(),
        "permit": answer.permit,
        "incidents": shown.incidents,
        "asks": shown.asks,
    }


@get("/api/incidents/{incident_id:uuid}")
async def one(
    incident_id: FromPath[UUID],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """Everything that is known of an incident: one question, one permit."""
    ask = _ask(asker, f"incident {incident_id}")
    answer = await services.dispatch.one(ask, IncidentId(incident_id))
    ways = await services.ways_to(answer.value["incident"])
    return {"at": services.clock(), "permit": answer.permit, **answer.value, **ways}


@post("/api/incidents/{incident_id:uuid}/split", status_code=200)
async def split(
    incident_id: FromPath[UUID],
    data: JSONBody[Split],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"split {data.part_id} off incident {incident_id}")
    answer = await services.dispatch.split(ask, IncidentId(incident_id), data.part_id)
    return {"incident": answer.value, "permit": answer.permit}


@post("/api/incidents/{incident_id:uuid}/join", status_code=200)
async def join(
    incident_id: FromPath[UUID],
    data: JSONBody[Join],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"join incident {data.other} to {incident_id}")
    answer = await services.dispatch.join(ask, IncidentId(incident_id), IncidentId(data.other))
    return {"incident": answer.value, "permit": answer.permit}


@post("/api/incidents/{incident_id:uuid}/fact", status_code=200)
async def push_fact(
    incident_id: FromPath[UUID],
    data: JSONBody[PushFact],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"fact for {data.line.value} of incident {incident_id}")
    answer = await services.dispatch.add_fact(
        ask, IncidentId(incident_id), data.line, data.says.strip()
    )
    return {"incident": answer.value, "permit": answer.permit}


@post("/api/incidents/{incident_id:uuid}/brief", status_code=200)
async def brief(
    incident_id: FromPath[UUID],
    data: JSONBody[ToUnit],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"brief {data.unit} on incident {incident_id}", Thing.BRIEF)
    answer = await services.briefing.send_incident(ask, IncidentId(incident_id), UnitId(data.unit))
    return {"brief": answer.value, "permit": answer.permit}


@post("/api/incidents/report", status_code=200)
async def report(
    data: JSONBody[MakeReport],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    to = None if data.incident_id is None else IncidentId(data.incident_id)
    ask = _ask(asker, f"report {data.kind.value}")
    answer = await services.dispatch.report(ask, data.says.strip(), data.kind, data.place, to)
    return {"incident": answer.value, "permit": answer.permit}


@post("/api/incidents/{incident_id:uuid}/close", status_code=200)
async def close(
    incident_id: FromPath[UUID],
    data: JSONBody[Close],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """An incident that no dispatch system will close."""
    ask = _ask(asker, f"close incident {incident_id}")
    answer = await services.dispatch.close(ask, IncidentId(incident_id), data.says.strip())
    return {"incident": answer.value, "permit": answer.permit}


ROUTES = [incidents, one, split, join, push_fact, brief, report, close]
