"""The auditor's page: entries, the checkpoint, the bundle that proves them, fields opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import Records
from farolito.model import Invalid, Thing

PAGE_ENTRIES_MAX = 200
AFTER_MAX = 2**62  # no ledger is longer; a larger number would not fit its column
FIELDS = ("user", "query", "case", "on_behalf_of")


class Open(msgspec.Struct, frozen=True):
    field: str
    reason: str  # a word of the policy's closed list


@get("/api/ledger")
async def entries(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    after: FromQuery[int] = -1,
    limit: FromQuery[int] = 50,
) -> dict[str, Any]:
    ask = asker.ask(Thing.LEDGER, f"entries after {after}")
    after = max(-1, min(after, AFTER_MAX))
    answer = await services.gate.ledger_entries(ask, after, min(limit, PAGE_ENTRIES_MAX))
    page = answer.value
    return {
        "entries": page.entries,
        "checkpoint": page.checkpoint,
        "size": page.status.size,
        "status": page.status,
        "permit": answer.permit,
    }


@get("/api/ledger/bundle")
async def bundle(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    first: FromQuery[int] = 0,
    last: FromQuery[int | None] = None,
) -> Response[bytes]:
    ask = asker.ask(Thing.LEDGER, f"bundle {first} to {last}")
    answer = await services.gate.ledger_bundle(ask, first, last)
    name = f"{services.agency.agency_id}-ledger-{first}.farolito-ledger"
    return Response(
        answer.value,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Farolito-Permit": str(answer.permit),
        },
    )


@get("/api/ledger/alarms")
async def alarms(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """What stands against our ledger and our partners', and who cosigns ours."""
    ask = asker.ask(Thing.LEDGER, "alarms and witnesses")

    async def work(_: Records, permit: int) -> Mapping[str, Any]:
        return await services.witnesses()

    answer = await services.gate.read(ask, work)
    return {**answer.value, "permit": answer.permit}


@post("/api/ledger/{index:int}/open", status_code=200)
async def open_field(
    index: FromPath[int],
    data: JSONBody[Open],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    if data.field not in FIELDS:
        raise Invalid(f"no personal field {data.field!r}", f"use {', '.join(FIELDS)}")
    ask = asker.ask(
        Thing.LEDGER_FIELD, f"open {data.field} of entry {index}", reason_code=data.reason
    )
    answer = await services.gate.open_field(ask, index, data.field)
    value = await _named(answer.value, services) if data.field == "user" else answer.value
    return {"value": value, "permit": answer.permit}


async def _named(person_id: str | None, services: Services) -> str | None:
    """The person's name beside the id that the ledger holds, where the person is known here."""
    for standing in await services.identity.people():
        if str(standing.person.person_id) == person_id:
            return f"{standing.person.name}, {standing.person.role.value} ({person_id})"
    return person_id


ROUTES = [entries, bundle, alarms, open_field]
