"""Briefs in all their versions, receipts, and the units they go to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from farolito.model import (
    AgencyId,
    AlertId,
    Brief,
    BriefId,
    PersonId,
    Point,
    Receipt,
    ReceiptKind,
    Unit,
    UnitId,
)

MINE_SHOWN_MAX = 20

_encode = msgspec.json.Encoder().encode
_brief = msgspec.json.Decoder(Brief).decode


class Briefs:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def add(self, brief: Brief) -> None:
        """A new version; versions are never changed."""
        await self._connection.execute(
            "insert into briefs (brief_id, version, agency, alert_id, unit, composed_at, body)"
            " values ($1,$2,$3,$4,$5,$6,$7)",
            brief.brief_id,
            brief.version,
            brief.agency,
            brief.alert_id,
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
        """The newest version of each brief that came from an alert."""
        rows = await self._connection.fetch(
            "select distinct on (brief_id) body from briefs where alert_id = $1"
            " order by brief_id, version desc",
            alert_id,
        )
        return [_brief(row["body"]) for row in rows]

    async def of_unit(self, unit: UnitId, since: datetime) -> list[Brief]:
        rows = await self._connection.fetch(
            "select distinct on (brief_id) body, composed_at from briefs"
            " where unit = $1 and composed_at >= $2 order by brief_id, version desc",
            unit,
            since,
        )
        briefs = [_brief(row["body"]) for row in rows]
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


class Units:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def all(self) -> list[Unit]:
        rows = await self._connection.fetch("select * from units order by unit_id")
        return [_unit(row) for row in rows]

    async def get(self, unit_id: UnitId) -> Unit | None:
        row = await self._connection.fetchrow("select * from units where unit_id = $1", unit_id)
        return None if row is None else _unit(row)

    async def hear(self, unit: Unit) -> None:
        """Keep the newest position; an older one that comes late changes nothing."""
        place = unit.place
        await self._connection.execute(
            "insert into units (agency, unit_id, officer, lat, lon, heard_at)"
            " values ($1,$2,$3,$4,$5,$6) on conflict (agency, unit_id) do update set"
            " officer = coalesce(excluded.officer, units.officer),"
            " lat = coalesce(excluded.lat, units.lat), lon = coalesce(excluded.lon, units.lon),"
            " heard_at = coalesce(excluded.heard_at, units.heard_at)"
            " where units.heard_at is null or excluded.heard_at is null"
            " or excluded.heard_at >= units.heard_at",
            self._agency,
            unit.unit_id,
            unit.officer,
            place.lat if place else None,
            place.lon if place else None,
            unit.heard_at,
        )


def _unit(row: Any) -> Unit:
    return Unit(
        unit_id=UnitId(row["unit_id"]),
        agency=AgencyId(row["agency"]),
        officer=None if row["officer"] is None else PersonId(row["officer"]),
        place=None if row["lat"] is None else Point(row["lat"], row["lon"]),
        heard_at=row["heard_at"],
    )
