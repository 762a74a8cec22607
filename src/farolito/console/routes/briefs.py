"""The phone page: the own unit's briefs, receipts, and the one-tap answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.routes.alerts import picture_response
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import PictureName, Records
from farolito.model import AnswerKind, BriefId, Invalid, Outcome, Purpose, ReceiptKind, Thing

REPLY_CHARACTERS_MAX = 200


class Received(msgspec.Struct, frozen=True):
    version: int
    kind: ReceiptKind


class Answered(msgspec.Struct, frozen=True):
    outcome: Outcome


class Replied(msgspec.Struct, frozen=True):
    """`answer_id` is made by the phone, so that an answer sent twice is kept once."""

    answer_id: UUID
    kind: AnswerKind
    says: Annotated[str, msgspec.Meta(max_length=REPLY_CHARACTERS_MAX)] = ""
    tapped_at: datetime | None = None


@get("/api/briefs/mine")
async def mine(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    unit = asker.person.unit or ""
    answer = await services.briefing.mine(asker.ask(Thing.BRIEF, f"briefs of {unit}"))
    seq, briefs = answer.value
    return {
        "seq": seq,
        "at": services.clock(),
        "permit": answer.permit,
        "briefs": [
            {"brief": brief, "versions": versions, "receipts": receipts}
            for brief, receipts, versions in briefs
        ],
    }


@post("/api/briefs/{brief_id:uuid}/receipt", status_code=200)
async def receipt(
    brief_id: FromPath[UUID],
    data: JSONBody[Received],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = asker.ask(Thing.BRIEF, f"{data.kind.value} brief {brief_id} v{data.version}")
    answer = await services.briefing.receive(ask, BriefId(brief_id), data.version, data.kind)
    return {"receipt": answer.value, "permit": answer.permit}


@post("/api/briefs/{brief_id:uuid}/outcome", status_code=200)
async def outcome(
    brief_id: FromPath[UUID],
    data: JSONBody[Answered],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = asker.ask(Thing.BRIEF, f"outcome of brief {brief_id}: {data.outcome.value}")
    answer = await services.briefing.answer(ask, BriefId(brief_id), data.outcome)
    return {"brief": answer.value, "permit": answer.permit}


@post("/api/briefs/{brief_id:uuid}/answer", status_code=200)
async def reply(
    brief_id: FromPath[UUID],
    data: JSONBody[Replied],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    if data.tapped_at is not None and data.tapped_at.tzinfo is None:
        raise Invalid("a time without a zone", "send UTC or an offset")
    ask = asker.ask(
        Thing.BRIEF, f"{data.kind.value} to brief {brief_id}", usual=Purpose.IN_PROGRESS_CALL
    )
    answer = await services.briefing.reply(
        ask, BriefId(brief_id), data.answer_id, data.kind, data.says.strip(), data.tapped_at
    )
    return {"answer": answer.value, "permit": answer.permit}


@get("/api/briefs/{brief_id:uuid}/picture")
async def picture(
    brief_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> Response[bytes]:
    """The scene where there is one, else the vehicle, else the plate."""

    async def find(records: Records) -> PictureName | None:
        brief = await records.briefs.latest(BriefId(brief_id))
        alert = await records.alerts.get(brief.alert_id) if brief and brief.alert_id else None
        if alert is None:
            return None
        read = alert.newest if alert.newest.pictures else alert.match.read
        order = ("scene", "vehicle", "plate")
        pictures = sorted(read.pictures, key=lambda p: order.index(p.shows))
        day = read.captured_at.astimezone(UTC).date()
        return PictureName(day, pictures[0].sha256) if pictures else None

    async def facts(records: Records) -> Mapping[str, str | int | bool]:
        brief = await records.briefs.latest(BriefId(brief_id))
        return {"assigned_unit": brief.unit if brief else "", "confirmed": brief is not None}

    ask = asker.ask(Thing.PICTURE, f"picture of brief {brief_id}")
    answer = await services.gate.picture(ask, find, facts)
    return picture_response(answer.value, answer.permit)


ROUTES = [mine, receipt, outcome, reply, picture]
