"""Hot lists: their age, imports, and the recall of a row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.routes.admin import admin_ask
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.model import EntryId, Invalid, ListId, Thing

HttpRequest = Request[Any, Any, Any]
REASON_CHARACTERS_MAX = 200
IMPORT_BYTES_MAX = 256 * 2**20  # a file of some 1.5 million rows, in base64


class Recall(msgspec.Struct, frozen=True):
    reason: str


@get("/api/lists")
async def lists(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    answer = await services.lists(asker.ask(Thing.HOT_LIST, "ages of the lists", records=False))
    return {"lists": answer.value, "permit": answer.permit}


@post("/api/lists/{list_id:str}/entries/{entry_id:uuid}/recall", status_code=200)
async def recall(
    list_id: FromPath[str],
    entry_id: FromPath[UUID],
    data: JSONBody[Recall],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """Withdraw a row: it stops matching at once, and everybody who was told is told."""
    reason = data.reason.strip()[:REASON_CHARACTERS_MAX]
    if not reason:
        raise Invalid("a recall without a reason", "say why: the officer reads it")
    ask = asker.ask(Thing.HOT_LIST, f"recall row {entry_id}")
    answer = await services.recall(ask, ListId(list_id), EntryId(entry_id), reason)
    return {"alerts_recalled": answer.value, "permit": answer.permit}


@post(
    "/api/admin/lists/{list_id:str}/import",
    status_code=200,
    request_max_body_size=IMPORT_BYTES_MAX,
)
async def import_list(
    list_id: FromPath[str],
    data: JSONBody[dict[str, Any]],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """From the node's own command line: the list file and its mapping."""
    answer = await services.import_list(
        admin_ask(request, services, Thing.HOT_LIST, f"import list {list_id}"),
        ListId(list_id),
        data,
    )
    return {"imported": answer.value, "permit": answer.permit}


@post("/api/admin/lists/{list_id:str}/entries/{entry_id:uuid}/recall", status_code=200)
async def admin_recall(
    list_id: FromPath[str],
    entry_id: FromPath[UUID],
    data: JSONBody[Recall],
    request: HttpRequest,
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = admin_ask(request, services, Thing.HOT_LIST, f"recall row {entry_id}")
    answer = await services.recall(ask, ListId(list_id), EntryId(entry_id), data.reason)
    return {"alerts_recalled": answer.value, "permit": answer.permit}


ROUTES = [lists, recall, import_list, admin_recall]
