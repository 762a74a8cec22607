"""Agreements: read, drafted, tried, signed, ended; and an incident opened to a partner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console.agreements import Agreements, card, signed_card
from farolito.console.routes.admin import HttpRequest, admin_ask
from farolito.console.routes.owner import Window
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import Ask
from farolito.model import (
    AgencyId,
    Agreement,
    AgreementId,
    Answering,
    Because,
    Declaration,
    IncidentId,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    Thing,
    Zone,
)

CHARACTERS_MAX = 20_000  # of the text that people wrote
ITEMS_MAX = 64  # of any list in the terms
DAYS = 30  # that a trial looks back

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=CHARACTERS_MAX)]
Short = msgspec.Meta(max_length=ITEMS_MAX)


class NewTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person fills in; who gives is this node's agency, always."""

    grantee: str
    title: Title
    text: Text
    classes: Mapping[ShareClass, Answering]
    sharing: Annotated[tuple[Sharing, ...], Short]
    purposes: Annotated[tuple[Purpose, ...], Short]
    roles: Annotated[tuple[Role, ...], Short]
    starts: datetime
    expires: datetime
    keep_days: int
    record_days: int = 30
    zones: Annotated[tuple[Zone, ...], Short] = ()
    hours: Annotated[tuple[Window, ...], Short] = ()
    on_behalf_of: Annotated[tuple[str, ...], Short] = ()
    declaration: Declaration | None = None
    supersedes: UUID | None = None

    def agreement(self, agreement_id: UUID, grantor: AgencyId) -> Agreement:
        """Raises Invalid."""
        told = {name: getattr(self, name) for name in self.__struct_fields__}
        told["hours"] = tuple(one.hours() for one in self.hours)
        return Agreement(agreement_id=AgreementId(agreement_id), grantor=grantor, **told)


class Signature(msgspec.Struct, frozen=True):
    """The browser's answer; None for a persona of a demo."""

    credential: dict[str, Any] | None = None


class End(msgspec.Struct, frozen=True):
    because: Because


class Open(msgspec.Struct, frozen=True):
    partner: str
    hours: float


def _ask(asker: Asker, query: str) -> Ask:
    """Administration where no purpose is named and it is this person's work."""
    office = asker.person.role in {Role.SUPERVISOR, Role.AGENCY_ADMIN}
    return asker.ask(Thing.AGREEMENT, query, usual=Purpose.ADMINISTRATION if office else None)


def _rooms(services: Services) -> Agreements:
    return services.its_agreements


async def _all(services: Services, ask: Ask) -> dict[str, Any]:
    rooms = _rooms(services)
    answer = await rooms.desk.all(ask)
    own, names = services.agency.agency_id, rooms.names()
    cards = [card(one, names) for one in answer.value]
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "given": [one for one in cards if one["grantor"] == own],
        "received": [one for one in cards if one["grantor"] != own],
    }


async def _drafted(services: Services, ask: Ask, terms: NewTerms) -> dict[str, Any]:
    rooms = _rooms(services)
    agreement = terms.agreement(services.ids(), services.agency.agency_id)
    answer = await rooms.desk.draft(ask, agreement)
    return signed_card(answer.value, rooms.names()) | {"permit": answer.permit}


@get("/api/agreements")
async def agreements(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    return await _all(services, _ask(asker, "agreements"))


@post("/api/agreements", status_code=201)
async def draft(
    data: JSONBody[NewTerms], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = _ask(asker, f"draft an agreement with {data.grantee[:80]}")
    return await _drafted(services, ask, data)


@get("/api/agreements/{agreement_id:uuid}/simulation")
async def simulation(
    agreement_id: FromPath[UUID],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    days: FromQuery[int] = DAYS,
) -> dict[str, Any]:
    """Who would gain or lose, before anybody signs."""
    ask = _ask(asker, f"try agreement {agreement_id} on {days} days")
    answer = await _rooms(services).desk.simulate(ask, AgreementId(agreement_id), days)
    return dict(answer.value) | {"permit": answer.permit}


@post("/api/agreements/{agreement_id:uuid}/sign-options", status_code=200)
async def sign_options(
    agreement_id: FromPath[UUID],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"what to sign of agreement {agreement_id}")
    answer = await _rooms(services).desk.sign_options(ask, AgreementId(agreement_id))
    return dict(answer.value)


@post("/api/agreements/{agreement_id:uuid}/sign", status_code=200)
async def sign(
    agreement_id: FromPath[UUID],
    data: JSONBody[Signature],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"sign agreement {agreement_id}")
    rooms = _rooms(services)
    answer = await rooms.desk.sign(ask, AgreementId(agreement_id), data.credential)
    return signed_card(answer.value, rooms.names()) | {"permit": answer.permit}


@post("/api/agreements/{agreement_id:uuid}/revoke", status_code=200)
async def revoke(
    agreement_id: FromPath[UUID],
    data: JSONBody[End],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """One press: from now on nothing passes by it."""
    calls = data.because is Because.AID_OVER
    query = f"end agreement {agreement_id}: {data.because.value}"
    ask = _for_a_call(asker, query) if calls else _ask(asker, query)
    rooms = _rooms(services)
    answer = await rooms.desk.revoke(ask, AgreementId(agreement_id), data.because)
    return signed_card(answer.value, rooms.names()) | {"permit": answer.permit}


@post("/api/incidents/{incident_id:uuid}/aid", status_code=201)
async def aid(
    incident_id: FromPath[UUID],
    data: JSONBody[Open],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """Open one incident to one partner for hours."""
    ask = _for_a_call(asker, f"open incident {incident_id} to {data.partner[:80]}")
    rooms = _rooms(services)
    answer = await rooms.aid.open(ask, IncidentId(incident_id), AgencyId(data.partner), data.hours)
    return signed_card(answer.value, rooms.names()) | {"permit": answer.permit}


def _for_a_call(asker: Asker, query: str) -> Ask:
    return asker.ask(Thing.AGREEMENT, query, usual=Purpose.IN_PROGRESS_CALL)


@get("/api/admin/agreements")
async def admin_agreements(
    request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    return await _all(services, _admin(request, services, "agreements"))


@get("/api/admin/agreements/{agreement_id:uuid}/file")
async def admin_file(
    agreement_id: FromPath[UUID],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> Any:
    """All of it, signatures and all: what `farolito agreement verify` checks."""
    ask = _admin(request, services, f"the file of agreement {agreement_id}")
    return (await _rooms(services).desk.file(ask, AgreementId(agreement_id))).value


@post("/api/admin/agreements", status_code=201)
async def admin_draft(
    data: JSONBody[NewTerms],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _admin(request, services, f"draft an agreement with {data.grantee[:80]}")
    return await _drafted(services, ask, data)


@get("/api/admin/agreements/{agreement_id:uuid}/simulation")
async def admin_simulation(
    agreement_id: FromPath[UUID],
    request: HttpRequest,
    services: NamedDependency[Services],
    days: FromQuery[int] = DAYS,
) -> dict[str, Any]:
    ask = _admin(request, services, f"try agreement {agreement_id} on {days} days")
    answer = await _rooms(services).desk.simulate(ask, AgreementId(agreement_id), days)
    return dict(answer.value) | {"permit": answer.permit}


@post("/api/admin/agreements/{agreement_id:uuid}/revoke", status_code=200)
async def admin_revoke(
    agreement_id: FromPath[UUID],
    data: JSONBody[End],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _admin(request, services, f"end agreement {agreement_id}: {data.because.value}")
    rooms = _rooms(services)
    answer = await rooms.desk.revoke(ask, AgreementId(agreement_id), data.because)
    return signed_card(answer.value, rooms.names()) | {"permit": answer.permit}


def _admin(request: HttpRequest, services: Services, query: str) -> Ask:
    return admin_ask(request, services, Thing.AGREEMENT, query)


ROUTES = [
    agreements,
    draft,
    simulation,
    sign_options,
    sign,
    revoke,
    aid,
    admin_agreements,
    admin_file,
    admin_draft,
    admin_simulation,
    admin_revoke,
]
