"""People of the agency: who there is, and who is suspended, here and at every partner."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.routes.admin import admin_ask
from farolito.console.routes.oidc import its_people
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import Answer, Ask
from farolito.model import PersonId, Purpose, Thing
from farolito.model.suspension import Because

HttpRequest = Request[Any, Any, Any]


class Suspend(msgspec.Struct, frozen=True):
    because: Because


def _ask(asker: Asker, query: str) -> Ask:
    return asker.ask(Thing.PERSON, query, usual=Purpose.ADMINISTRATION)


@get("/api/people")
async def people(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    return await _view(services, _ask(asker, "people"))


@post("/api/people/{person_id:uuid}/suspend", status_code=200)
async def suspend(
    person_id: FromPath[UUID],
    data: JSONBody[Suspend],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """Every sign-in, screen, picture and push of the person ends; partners refuse them."""
    ask = _ask(asker, f"suspend {person_id}: {data.because}")
    return await _suspended(services, ask, person_id, data.because)


@post("/api/people/{person_id:uuid}/restore", status_code=200)
async def restore(
    person_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    return await _restored(services, _ask(asker, f"restore {person_id}"), person_id)


# ---- the node's own command line


@get("/api/admin/people")
async def admin_people(request: HttpRequest, services: NamedDependency[Services]) -> dict[str, Any]:
    return await _view(services, admin_ask(request, services, Thing.PERSON, "people"))


@post("/api/admin/people/{person_id:uuid}/suspend", status_code=200)
async def admin_suspend(
    person_id: FromPath[UUID],
    data: JSONBody[Suspend],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> dict[str, Any]:
    query = f"suspend {person_id}: {data.because}"
    ask = admin_ask(request, services, Thing.PERSON, query)
    return await _suspended(services, ask, person_id, data.because)


@post("/api/admin/people/{person_id:uuid}/restore", status_code=200)
async def admin_restore(
    person_id: FromPath[UUID], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = admin_ask(request, services, Thing.PERSON, f"restore {person_id}")
    return await _restored(services, ask, person_id)


async def _view(services: Services, ask: Ask) -> dict[str, Any]:
    answer = await its_people(services).view(ask)
    return {"people": answer.value, "permit": answer.permit}


async def _suspended(
    services: Services, ask: Ask, person_id: UUID, because: Because
) -> dict[str, Any]:
    answer = await its_people(services).suspend(ask, PersonId(person_id), because)
    await services.units_changed()
    return _said(answer)


async def _restored(services: Services, ask: Ask, person_id: UUID) -> dict[str, Any]:
    answer = await its_people(services).restore(ask, PersonId(person_id))
    await services.units_changed()
    return _said(answer)


def _said(answer: Answer[Any]) -> dict[str, Any]:
    return {**answer.value, "permit": answer.permit}


ROUTES = [people, suspend, restore, admin_people, admin_suspend, admin_restore]
