"""What everybody may see without a name; reports on demand; the answer to the owner of a plate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console.public import Public
from farolito.console.routes.admin import admin_ask
from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker
from farolito.desk import NotFound
from farolito.gate import Ask
from farolito.model import Invalid, Thing, normalise_plate, state_code
from farolito.model.figures import OwnPlateQuestion

LANGUAGES = ("en", "es")
KEPT_S = 60
USUAL_DAYS = 365
NAME_CHARACTERS_MAX = 60
PROOF = ".farolito-figures"

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OwnPlate(msgspec.Struct, frozen=True, kw_only=True):
    """`owner`: who asks; `checked`: which papers of the person and the car were seen, by whom."""

    plate: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    state: Annotated[str, msgspec.Meta(min_length=2, max_length=30)]
    owner: Line
    checked: Line
    since: datetime | None = None
    until: datetime | None = None


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """`period`: a month as 2026-10; "so-far" in a demo."""

    period: Annotated[str, msgspec.Meta(max_length=NAME_CHARACTERS_MAX)]


class Yearly(msgspec.Struct, frozen=True, kw_only=True):
    year: Annotated[int, msgspec.Meta(ge=2000, le=2999)]


def _public(services: Services) -> Public:
    if services.public is None:
        raise NotFound("this node publishes nothing", "see docs/transparency.md")
    return services.public


@get("/public", opt=OPEN)
async def newest(services: NamedDependency[Services], lang: FromQuery[str] = "en") -> Response[Any]:
    """The account of the newest month, and the way to all others."""
    return await _page(services, "", lang)


@get("/public/{name:str}", opt=OPEN)
async def one(
    name: FromPath[str], services: NamedDependency[Services], lang: FromQuery[str] = "en"
) -> Response[Any]:
    """2026-10, 2026-10.json, 2026-10.txt, 2026-10.farolito-figures, 2026, witnesses.txt."""
    if len(name) > NAME_CHARACTERS_MAX:
        raise NotFound("no such page", "see /public")
    return await _page(services, name, lang)


async def _page(services: Services, name: str, lang: str) -> Response[Any]:
    language = lang if lang in LANGUAGES else LANGUAGES[0]
    media_type, content = await _public(services).page(name, language)
    headers = {"Cache-Control": f"public, max-age={KEPT_S}"}
    if name.endswith(PROOF):
        agency = services.agency.agency_id
        headers["Content-Disposition"] = f'attachment; filename="{agency}-{name}"'
    return Response(content, media_type=media_type, headers=headers)


@post("/api/reports/own-plate", status_code=200)
async def own_plate(
    data: JSONBody[OwnPlate], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """Counts by month, agency and purpose, and the letter. It wants a sign-in just now."""
    return await _answer(data, services, lambda query: asker.ask(Thing.REPORT, query))


@post("/api/admin/reports/own-plate", status_code=200)
async def admin_own_plate(
    data: JSONBody[OwnPlate], request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> dict[str, Any]:
    def ask(query: str) -> Ask:
        return admin_ask(request, services, Thing.REPORT, query)

    return await _answer(data, services, ask)


async def _answer(data: OwnPlate, services: Services, ask: Callable[[str], Ask]) -> dict[str, Any]:
    state = state_code(data.state)
    if state is None:
        raise Invalid(f"no state is called {data.state!r}", "give its two letters")
    until = data.until or services.clock()
    question = OwnPlateQuestion(
        plate=normalise_plate(data.plate),
        state=state,
        since=data.since or until - timedelta(days=USUAL_DAYS),
        until=until,
        owner=data.owner.strip(),
        checked=data.checked.strip(),
    )
    public = _public(services)
    answer = await public.own_plate(ask("own plate"), question)
    letters = {one: public.letter(answer.value, answer.permit, one) for one in LANGUAGES}
    return {"answer": answer.value, "letters": letters, "permit": answer.permit}


@post("/api/admin/reports/figures", status_code=200)
async def publish(data: JSONBody[Publish], services: NamedDependency[Services]) -> dict[str, Any]:
    """Publish a month that is over now, if the node has not done it yet by itself."""
    return dict(await _public(services).publish(data.period))


@post("/api/admin/reports/yearly", status_code=200)
async def yearly(
    data: JSONBody[Yearly], request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = admin_ask(request, services, Thing.REPORT, f"publish the yearly report of {data.year}")
    return dict(await _public(services).yearly(ask, f"{data.year:04d}"))


ROUTES = [newest, one, own_plate, admin_own_plate, publish, yearly]
