"""Signing in by an agency's own identity provider, and passkeys of those who are signed in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.elsewhere import People
from farolito.console.routes.session import signed_in_deed
from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker, cookie_of
from farolito.desk import NotFound
from farolito.identity import ProviderAnswer
from farolito.model import Act, Away, FarolitoError, Refused

VALUE_CHARACTERS_MAX = 4_096
HttpRequest = Request[Any, Any, Any]


class Begin(msgspec.Struct, frozen=True):
    """`code`: of an invitation, for who comes by this provider for the first time."""

    code: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class Credential(msgspec.Struct, frozen=True):
    credential: dict[str, Any]


def its_people(services: Services) -> People:
    """Raises NotFound."""
    if services.people is None:
        raise NotFound("this node has no people's desk")
    return services.people


@post("/api/session/oidc/{provider:str}/begin", status_code=200, opt=OPEN)
async def begin(
    provider: FromPath[str], data: JSONBody[Begin], services: NamedDependency[Services]
) -> Response[dict[str, Any]]:
    """Where the browser goes from here."""
    address, cookie = await its_people(services).elsewhere.begin(provider, data.code or None)
    return Response({"address": address}, headers={"Set-Cookie": cookie})


@get("/api/session/oidc/{provider:str}/callback", opt=OPEN)
async def callback(
    provider: FromPath[str], request: HttpRequest, services: NamedDependency[Services]
) -> Response[bytes]:
    """The browser comes back from the provider, and goes on to the page: signed in, or with the
    reason in a word. Nothing of the answer is shown or kept."""
    elsewhere = its_people(services).elsewhere
    try:
        answer = _answer(request)
        signed_in, cookie = await elsewhere.finish(provider, answer, cookie_of(request))
    except FarolitoError as why:
        return _onward(f"/?sign-in={_word(why)}", elsewhere.clear_cookie)
    deed = signed_in_deed(signed_in, f"sign in by {provider}")
    await services.gate.note(deed, Act.ACT, "sign_in")
    return _onward("/", cookie)  # the other cookie is of no use any more, and ends by itself


@post("/api/session/proof/begin", status_code=200)
async def begin_proof(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    return await its_people(services).proving.begin(asker.signed_in)


@post("/api/session/proof/finish", status_code=200)
async def finish_proof(
    data: JSONBody[Credential], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    at = await its_people(services).proving.finish(asker.signed_in, data.credential)
    await services.gate.note(signed_in_deed(asker.signed_in, "show a passkey"), Act.ACT, "proof")
    return {"proved_at": at}


@post("/api/session/passkeys/begin", status_code=200)
async def begin_adding(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    return await its_people(services).proving.begin_adding(asker.signed_in)


@post("/api/session/passkeys/finish", status_code=200)
async def finish_adding(
    data: JSONBody[Credential], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    at = await its_people(services).proving.finish_adding(asker.signed_in, data.credential)
    await services.gate.note(signed_in_deed(asker.signed_in, "add a passkey"), Act.ACT, "passkey")
    return {"proved_at": at}


def _answer(request: HttpRequest) -> ProviderAnswer:
    """Raises Refused."""
    told = {name: request.query_params.get(name) for name in ("state", "code", "error", "iss")}
    if any(value and len(value) > VALUE_CHARACTERS_MAX for value in told.values()):
        raise Refused("malformed", "an answer that is too long", "sign in again")
    return ProviderAnswer(
        state=told["state"] or "",
        code=told["code"] or "",
        error=told["error"] or "",
        issuer=told["iss"],
    )


def _word(why: FarolitoError) -> str:
    if isinstance(why, Refused):
        return why.reason
    return "away" if isinstance(why, Away) else "setup"


def _onward(to: str, cookie: str) -> Response[bytes]:
    headers = {"Location": to, "Cache-Control": "no-store", "Set-Cookie": cookie}
    return Response(b"", status_code=303, headers=headers)


ROUTES = [begin, callback, begin_proof, finish_proof, begin_adding, finish_adding]
