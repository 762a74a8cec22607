"""Briefs in all their versions, receipts, and the answers of officers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import (
    AgencyId,
    AlertId,
    AnswerKind,
    Brief,
    BriefId,
    IncidentId,
    OfficerAnswer,
    PersonId,
    Receipt,
    ReceiptKind,
    UnitId,
)

MINE_SHOWN_MAX = 20
ASKS_SHOWN_MAX = 200

_encode = msgspec.json.Encoder().encode
_brief = msgspec.json.Decoder(Brief).decode


class Briefs:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def add(self, brief: Brief) -> None:
        """A new version; versions are never changed."""
        await self._connection.execute(
            "insert into briefs (brief_id, version, agency, alert_id, incident_id, unit,"
            " composed_at, body) values ($1,$2,$3,$4,$5,$6,$7,$8)",
            brief.brief_id,
            brief.version,
            brief.agency,
            brief.alert_id,
            brief.incident_id,
            brief.unit,
            brief.composed_at,
            _encode(brief).decode(),
        )

    async def latest(self, brief_id: BriefId) -> Brief | None:
        body = await self._connection.fetchval(
            "select body from briefs where brief_id = $1 order by version desc limit 1", brief_id
        )
        return None if body is None else _brief(body)

    async def of_alert(self, alert_id: AlertId) -> list[Brief]:
        """The newest version of each brief that tells of an alert."""
        briefs = await self._newest("alert_id = $1", alert_id)
        return [brief for brief in briefs if brief.alert_id == alert_id]

    async def of_incident(self, incident_id: IncidentId) -> list[Brief]:
        """The newest version of each brief of an incident; one that went over to another is not."""
        briefs = await self._newest("incident_id = $1", incident_id)
        return [brief for brief in briefs if brief.incident_id == incident_id]

    async def running_of(self, unit: UnitId, since: datetime) -> list[Brief]:
        """The unit's briefs that have not ended, in whatever incident."""
        briefs = await self._newest("unit = $1 and composed_at >= $2", unit, since)
        return [brief for brief in briefs if brief.ended_at is None]

    async def running(self, since: datetime) -> list[Brief]:
        """Every unit's briefs of an incident that have not ended, the oldest first."""
        briefs = await self._newest("incident_id is not null and composed_at >= $1", since)
        running = [brief for brief in briefs if brief.ended_at is None]
        return sorted(running, key=lambda brief: (brief.composed_at, brief.brief_id))

    async def _newest(self, of: str, *args: Any) -> list[Brief]:
        """The newest version of each brief that ever had a version with `of`, a fixed text."""
        rows = await self._connection.fetch(
            "select distinct on (brief_id) body from briefs"  # noqa: S608 - fixed texts
            f" where brief_id in (select brief_id from briefs where {of})"
            " order by brief_id, version desc",
            *args,
        )
        return [_brief(row["body"]) for row in rows]

    async def versions(self, brief_id: BriefId) -> list[Brief]:
        """Every version, the newest first."""
        rows = await self._connection.fetch(
            "select body from briefs where brief_id = $1 order by version desc", brief_id
        )
        return [_brief(row["body"]) for row in rows]

    async def of_unit(self, unit: UnitId, since: datetime) -> list[Brief]:
        briefs = await self._newest("unit = $1 and composed_at >= $2", unit, since)
        return sorted(briefs, key=lambda b: b.composed_at, reverse=True)[:MINE_SHOWN_MAX]

    async def receive(self, receipt: Receipt) -> bool:
        """Keep a receipt; False where it was there already."""
        return bool(
            await self._connection.fetchval(
                "insert into receipts (brief_id, version, kind, person, agency, at)"
                " values ($1,$2,$3,$4,$5,$6) on conflict do nothing returning true",
                receipt.brief_id,
                receipt.version,
                receipt.kind,
                receipt.person,
                self._agency,
                receipt.at,
            )
        )

    async def receipts(self, brief_id: BriefId) -> list[Receipt]:
        rows = await self._connection.fetch(
            "select version, kind, at, person from receipts where brief_id = $1 order by at",
            brief_id,
        )
        return [
            Receipt(
                brief_id=brief_id,
                version=row["version"],
                kind=ReceiptKind(row["kind"]),
                at=row["at"],
                person=PersonId(row["person"]),
            )
            for row in rows
        ]

    async def answer(self, answer: OfficerAnswer) -> bool:
        """Keep an officer's answer; False where it was there already."""
        return bool(
            await self._connection.fetchval(
                "insert into answers (answer_id, agency, brief_id, incident_id, unit, person, kind,"
                " at, tapped_at, says) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"
                " on conflict do nothing returning true",
                answer.answer_id,
                self._agency,
                answer.brief_id,
                answer.incident_id,
                answer.unit,
                answer.person,
                answer.kind,
                answer.at,
                answer.tapped_at,
                answer.says,
            )
        )

    async def answer_of(self, answer_id: UUID) -> OfficerAnswer | None:
        row = await self._connection.fetchrow(
            "select * from answers where answer_id = $1", answer_id
        )
        return None if row is None else _answer(row)

    async def answers(self, incident_id: IncidentId) -> list[OfficerAnswer]:
        rows = await self._connection.fetch(
            "select * from answers where incident_id = $1 order by at, answer_id", incident_id
        )
        return [_answer(row) for row in rows]

    async def asked(self) -> list[OfficerAnswer]:
        """What officers asked the RTCC about incidents that are still open, the oldest first."""
        rows = await self._connection.fetch(
            "select a.* from answers a join incidents i using (incident_id)"
            " where a.kind = $1 and i.state = 'open' order by a.at, a.answer_id limit $2",
            AnswerKind.ASK_RTCC,
            ASKS_SHOWN_MAX,
        )
        return [_answer(row) for row in rows]


def _answer(row: Any) -> OfficerAnswer:
    return OfficerAnswer(
        answer_id=row["answer_id"],
        brief_id=BriefId(row["brief_id"]),
        incident_id=IncidentId(row["incident_id"]),
        unit=UnitId(row["unit"]),
        person=PersonId(row["person"]),
        kind=AnswerKind(row["kind"]),
        at=row["at"],
        tapped_at=row["tapped_at"],
        says=row["says"],
    )
