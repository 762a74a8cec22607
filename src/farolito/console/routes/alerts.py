"""The queue and the alert's panel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk import ACTIONS, NotFound, RejectReason
from farolito.gate import PictureName, Records
from farolito.model import (
    Alert,
    AlertId,
    Brief,
    Invalid,
    Receipt,
    Thing,
    UnitId,
)

NOTE_CHARACTERS_MAX = 300

Shows = Literal["plate", "vehicle", "scene"]


class Confirm(msgspec.Struct, frozen=True):
    """`crop_compared` is the person's statement; without it nothing is confirmed."""

    version: int
    crop_compared: bool
    state_confirmed: bool = False


class Reject(msgspec.Struct, frozen=True):
    version: int
    reason: RejectReason
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARACTERS_MAX)] = ""


class ToUnit(msgspec.Struct, frozen=True):
    unit: str


@get("/api/alerts")
async def queue(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> tuple[int, list[Alert]]:
        seq = await records.feed.end()
        return seq, await records.alerts.queue()

    answer = await services.gate.read(asker.ask(Thing.ALERT, "queue"), work)
    seq, alerts = answer.value
    return {
        "seq": seq,
        "at": services.clock(),
        "permit": answer.permit,
        "alerts": alerts,
        "counts": Counter(alert.state.value for alert in alerts),
        "actions": {int(level): says for level, says in ACTIONS.items()},
    }


@get("/api/alerts/{alert_id:uuid}")
async def one(
    alert_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> dict[str, Any]:
        alert = await records.alerts.get(AlertId(alert_id))
        if alert is None:
            raise NotFound("there is no such alert", "it may have ended; reload the queue")
        briefs = await records.briefs.of_alert(alert.alert_id)
        receipts: list[Receipt] = []
        for brief in briefs:
            receipts += await records.briefs.receipts(brief.brief_id)
        newest: Brief | None = max(briefs, key=lambda b: b.composed_at, default=None)
        history = await records.alerts.history(alert.alert_id)
        return {
            "alert": alert, "brief": newest, "briefs": briefs, "receipts": receipts,
            "history": history,
        }  # fmt: skip

    answer = await services.gate.read(asker.ask(Thing.ALERT, f"alert {alert_id}"), work)
    return {**answer.value, "permit": answer.permit}


@get("/api/alerts/{alert_id:uuid}/picture/{shows:str}")
async def picture(
    alert_id: FromPath[UUID],
    shows: FromPath[Shows],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> Response[bytes]:
    async def find(records: Records) -> PictureName | None:
        alert = await records.alerts.get(AlertId(alert_id))
        if alert is None:
            return None
        read = alert.match.read
        day = read.captured_at.astimezone(UTC).date()
        names = [PictureName(day, p.sha256) for p in read.pictures if p.shows == shows]
        return names[0] if names else None

    async def no_facts(records: Records) -> Mapping[str, str | int | bool]:
        return {}

    ask = asker.ask(Thing.PICTURE, f"{shows} of alert {alert_id}")
    answer = await services.gate.picture(ask, find, no_facts)
    return picture_response(answer.value, answer.permit)


def picture_response(content: bytes | None, permit: int) -> Response[bytes]:
    if content is None:
        raise NotFound("no such picture was sent, or its keeping has ended")
    return Response(
        content,
        media_type=_media_type(content),
        headers={"X-Farolito-Permit": str(permit), "Cache-Control": "private, no-store"},
    )


def _media_type(content: bytes) -> str:
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"


@post("/api/alerts/{alert_id:uuid}/take", status_code=200)
async def take(
    alert_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = asker.ask(Thing.ALERT, f"take alert {alert_id}")
    answer = await services.desk.take(ask, AlertId(alert_id))
    return {"alert": answer.value, "permit": answer.permit}


@post("/api/alerts/{alert_id:uuid}/confirm", status_code=200)
async def confirm(
    alert_id: FromPath[UUID],
    data: JSONBody[Confirm],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    if not data.crop_compared:
        raise Invalid("the crop was not compared with the row", "compare them, then tick it")
    ask = asker.ask(Thing.ALERT, f"confirm alert {alert_id}")
    answer = await services.desk.confirm(
        ask, AlertId(alert_id), data.version, state_confirmed=data.state_confirmed
    )
    return {"alert": answer.value, "permit": answer.permit}


@post("/api/alerts/{alert_id:uuid}/reject", status_code=200)
async def reject(
    alert_id: FromPath[UUID],
    data: JSONBody[Reject],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = asker.ask(Thing.ALERT, f"reject alert {alert_id}: {data.reason.value}")
    answer = await services.desk.reject(
        ask, AlertId(alert_id), data.version, data.reason, data.note
    )
    return {"alert": answer.value, "permit": answer.permit}


@post("/api/alerts/{alert_id:uuid}/brief", status_code=200)
async def brief(
    alert_id: FromPath[UUID],
    data: JSONBody[ToUnit],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = asker.ask(Thing.BRIEF, f"brief {data.unit} on alert {alert_id}")
    answer = await services.briefing.send(ask, AlertId(alert_id), UnitId(data.unit))
    return {"brief": answer.value, "permit": answer.permit}


@get("/api/stopped")
async def stopped(
    asker: NamedDependency[Asker], services: NamedDependency[Services], limit: FromQuery[int] = 100
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> list[dict[str, Any]]:
        found = await records.alerts.stopped(limit)
        return [{"at": at, "match": match} for at, match in found]

    answer = await services.gate.read(asker.ask(Thing.ALERT, "stopped candidates"), work)
    return {"matches": answer.value, "permit": answer.permit}


@get("/api/find")
async def find(
    q: FromQuery[str], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """Alerts and rows by the beginning of a plate, a case or a unit."""
    text = q.strip().upper()
    if not text or not text.isprintable():
        raise Invalid("nothing to find", "type a plate, a case or a unit")

    async def work(records: Records, permit: int) -> list[Alert]:
        return await records.alerts.find(text)

    answer = await services.gate.read(asker.ask(Thing.ALERT, f"find {text}"), work)
    rows = await services.find_entries(asker.ask(Thing.HOT_LIST, f"find {text}"), text)
    return {"alerts": answer.value, "entries": rows.value, "permit": answer.permit}


@get("/api/units")
async def units(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> Any:
        return await records.units.all()

    answer = await services.gate.read(asker.ask(Thing.UNIT, "units"), work)
    return {"units": answer.value, "permit": answer.permit}


ROUTES = [queue, one, picture, take, confirm, reject, brief, stopped, find, units]
