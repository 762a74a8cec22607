"""Signing in and out: passkeys, invitations, and the demo's personas."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker, SignedOut, asker_of
from farolito.gate import Ask
from farolito.identity import SignedIn
from farolito.model import Act, Thing

HttpRequest = Request[Any, Any, Any]


class Persona(msgspec.Struct, frozen=True):
    persona: str


class Code(msgspec.Struct, frozen=True):
    code: str


class Credential(msgspec.Struct, frozen=True):
    credential: dict[str, Any]
    code: str | None = None


@get("/api/session", opt=OPEN)
async def whoami(
    request: HttpRequest, services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    """Who is signed in; where nobody is, what there is to sign in with."""
    try:
        asker = await asker_of(request, services.identity)
    except SignedOut as why:
        offered = services.identity.personas() if is_local(request, services) else []
        providers = services.people.elsewhere.offered() if services.people else []
        return Response(
            {"error": "signed_out", "says": why.says, "do": why.do, "passkeys": True,
             "demo": offered, "providers": providers, "node": _node(services),
             "tour": bool(offered) and services.tour() is not None},
            status_code=401,
        )  # fmt: skip
    told = _session(asker.signed_in, services)
    if services.people is not None and asker.signed_in.provider is not None:
        told["has_passkey"] = await services.people.proving.has_passkey(asker.signed_in)
    return Response(told)


@post("/api/session/demo", status_code=200, opt=OPEN)
async def demo(
    data: JSONBody[Persona], request: HttpRequest, services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    signed_in, cookie = await services.identity.demo_sign_in(
        data.persona, peer_is_loopback=is_local(request, services)
    )
    return await _welcome(signed_in, cookie, services)


@post("/api/session/passkey/begin", status_code=200, opt=OPEN)
async def begin_passkey(services: NamedDependency[Services]) -> dict[str, Any]:
    return dict(await services.identity.begin_sign_in())


@post("/api/session/passkey/finish", status_code=200, opt=OPEN)
async def finish_passkey(
    data: JSONBody[Credential], services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    signed_in, cookie = await services.identity.finish_sign_in(data.credential)
    return await _welcome(signed_in, cookie, services)


@post("/api/session/register/begin", status_code=200, opt=OPEN)
async def begin_register(
    data: JSONBody[Code], services: NamedDependency[Services]
) -> dict[str, Any]:
    return dict(await services.identity.begin_registration(data.code))


@post("/api/session/register/finish", status_code=200, opt=OPEN)
async def finish_register(
    data: JSONBody[Credential], services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    signed_in, cookie = await services.identity.finish_registration(
        data.code or "", data.credential
    )
    return await _welcome(signed_in, cookie, services)


@delete("/api/session", status_code=200)
async def sign_out(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    await services.identity.sign_out(asker.cookie)
    await services.gate.note(signed_in_deed(asker.signed_in, "sign out"), Act.ACT, "sign_out")
    return Response({"says": "signed out"}, headers={"Set-Cookie": services.identity.clear_cookie})


async def _welcome(
    signed_in: SignedIn, cookie: str, services: Services
) -> Response[dict[str, Any]]:
    await services.gate.note(signed_in_deed(signed_in, "sign in"), Act.ACT, "sign_in")
    return Response(_session(signed_in, services), headers={"Set-Cookie": cookie})


def signed_in_deed(signed_in: SignedIn, what: str) -> Ask:
    """For the ledger: what a person did about the own sign-in."""
    return Ask(
        person=signed_in.person,
        thing=Thing.PERSON,
        purpose=None,
        query=what,
        signed_in_at=signed_in.signed_in_at,
        session=signed_in.session,
    )


def _session(signed_in: SignedIn, services: Services) -> dict[str, Any]:
    return {
        "person": signed_in.person,
        "csrf": signed_in.csrf,
        "signed_in_at": signed_in.signed_in_at,
        "proved_at": signed_in.proved_at,
        "provider": signed_in.provider,
        "node": _node(services),
    }


def _node(services: Services) -> dict[str, Any]:
    return {
        "agency": services.agency,
        "name": services.node_name,
        "demo": services.demo,
        "version": services.version,
    }


def is_local(request: HttpRequest, services: Services) -> bool:
    """Loopback by the socket itself, with no proxy speaking for somebody else."""
    peer = request.client.host if request.client else ""
    if not services.demo or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


ROUTES = [
    whoami,
    demo,
    begin_passkey,
    finish_passkey,
    begin_register,
    finish_register,
    sign_out,
]
