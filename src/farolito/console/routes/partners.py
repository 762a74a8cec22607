"""Partners: who they are, compared, confirmed, left; and the open route by which one joins."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.partners import Partners
from farolito.console.routes.admin import admin_ask
from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker
from farolito.desk import NotFound
from farolito.gate import Ask
from farolito.model import AgencyId, Purpose, Role, Thing

OFFER_BYTES_MAX = 2**18
_ADMINISTERS = {Role.AGENCY_ADMIN, Role.SUPERVISOR}

HttpRequest = Request[Any, Any, Any]


class Invite(msgspec.Struct, frozen=True):
    """`address`: where their node reaches our web; empty: our origin."""

    address: str = ""


class Join(msgspec.Struct, frozen=True):
    code: str


class Compared(msgspec.Struct, frozen=True):
    """`fingerprint`: theirs, as it was read out by them."""

    fingerprint: str


def _its(services: Services) -> Partners:
    """Raises NotFound."""
    if services.partners is None:
        raise NotFound("this node knows no other agencies", "see the health page")
    return services.partners


def _ask(asker: Asker, query: str) -> Ask:
    usual = Purpose.ADMINISTRATION if asker.person.role in _ADMINISTERS else None
    return asker.ask(Thing.PARTNER, query, usual=usual)


def _admin(request: HttpRequest, services: Services, query: str) -> Ask:
    return admin_ask(request, services, Thing.PARTNER, query)


@post("/api/federation/join", status_code=200, opt=OPEN, request_max_body_size=OFFER_BYTES_MAX)
async def take(request: HttpRequest, services: NamedDependency[Services]) -> Response[bytes]:
    """Whoever has a code says who it is, and hears who we are. No sign-in: the code is the proof,
    and nothing is open to it before a person here has compared the fingerprints."""
    answer = await _its(services).take(await request.body())
    return Response(answer, media_type="application/json")


@get("/api/partners")
async def partners(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    answer = await _its(services).view(_ask(asker, "partners"))
    return {"at": services.clock(), "permit": answer.permit, **answer.value}


@post("/api/partners/{partner:str}/confirm", status_code=200)
async def confirm(
    partner: FromPath[str],
    data: JSONBody[Compared],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"confirm {partner} by {data.fingerprint}")
    answer = await _its(services).confirm(ask, AgencyId(partner), data.fingerprint)
    return {"partner": answer.value, "permit": answer.permit}


@post("/api/partners/{partner:str}/leave", status_code=200)
async def leave(
    partner: FromPath[str], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """It ends for both; the answer has the receipts of what both deleted."""
    answer = await _its(services).leave(_ask(asker, f"leave {partner}"), AgencyId(partner))
    return {"partner": answer.value, "permit": answer.permit}


# ---- the node's own command line


@get("/api/admin/partners")
async def admin_partners(
    request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    its = _its(services)
    answer = await its.view(_admin(request, services, "partners"))
    hosted = await its.hosted(_admin(request, services, "hosted agencies"))
    return {"permit": answer.permit, **answer.value, "hosted": hosted.value}


@post("/api/admin/partners/invite", status_code=200)
async def admin_invite(
    data: JSONBody[Invite], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    its = _its(services)
    ask = _admin(request, services, "invite an agency")
    answer = await its.invite(ask, data.address or services.origin)
    code, expires = answer.value
    return {"code": code, "expires": expires, "own": its.own(), "permit": answer.permit}


@post("/api/admin/partners/join", status_code=200)
async def admin_join(
    data: JSONBody[Join], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    its = _its(services)
    answer = await its.join(_admin(request, services, "join with a code"), data.code)
    return {"partner": answer.value, "own": its.own(), "permit": answer.permit}


@post("/api/admin/partners/{partner:str}/confirm", status_code=200)
async def admin_confirm(
    partner: FromPath[str],
    data: JSONBody[Compared],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _admin(request, services, f"confirm {partner} by {data.fingerprint}")
    answer = await _its(services).confirm(ask, AgencyId(partner), data.fingerprint)
    return {"partner": answer.value, "permit": answer.permit}


@post("/api/admin/partners/{partner:str}/leave", status_code=200)
async def admin_leave(
    partner: FromPath[str], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = _admin(request, services, f"leave {partner}")
    answer = await _its(services).leave(ask, AgencyId(partner))
    return {"partners": [answer.value], "permit": answer.permit}


@post("/api/admin/partners/leave-all", status_code=200)
async def admin_leave_all(
    request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    answers = await _its(services).leave_all(_admin(request, services, "leave all"))
    return {"partners": [one.value for one in answers], "permits": [one.permit for one in answers]}


@post("/api/admin/hosted", status_code=200)
async def admin_host(
    data: JSONBody[dict[str, Any]], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """A small agency gets a node of its own on this machine."""
    ask = _admin(request, services, f"host {data.get('agency_id')}")
    answer = await _its(services).host(ask, data)
    return {"hosted": answer.value, "permit": answer.permit}


@post("/api/admin/hosted/{agency_id:str}/retire", status_code=200)
async def admin_retire(
    agency_id: FromPath[str], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """Stop a hosted agency's node, to be packed."""
    ask = _admin(request, services, f"stop hosted {agency_id}")
    answer = await _its(services).retire(ask, AgencyId(agency_id))
    return {"hosted": answer.value, "permit": answer.permit}


ROUTES = [
    take,
    partners,
    confirm,
    leave,
    admin_partners,
    admin_invite,
    admin_join,
    admin_confirm,
    admin_leave,
    admin_leave_all,
    admin_host,
    admin_retire,
]
