"""Incidents with every version they had, their parts, and the log that writes itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import AgencyId, Incident, IncidentId, IncidentState, LogLine, PartKind

OPEN_SHOWN_MAX = 500
CLOSED_SHOWN_MAX = 50

_encode = msgspec.json.Encoder().encode
_incident = msgspec.json.Decoder(Incident).decode


class Incidents:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def get(self, incident_id: IncidentId, *, lock: bool = False) -> Incident | None:
        body = await self._connection.fetchval(
            "select body from incidents where incident_id = $1"  # noqa: S608 - two fixed texts
            + (" for update" if lock else ""),
            incident_id,
        )
        return None if body is None else _incident(body)

    async def of_part(self, part_id: UUID) -> IncidentId | None:
        found = await self._connection.fetchval(
            "select incident_id from incident_parts where part_id = $1", part_id
        )
        return None if found is None else IncidentId(found)

    async def open(self, since: datetime) -> list[Incident]:
        """Open ones that changed since then: what a new event may belong to."""
        rows = await self._connection.fetch(
            "select body from incidents where state = $1 and changed_at >= $2"
            " order by changed_at desc limit $3",
            IncidentState.OPEN,
            since,
            OPEN_SHOWN_MAX,
        )
        return [_incident(row["body"]) for row in rows]

    async def shown(self) -> list[Incident]:
        """The open ones, and the last that closed."""
        rows = await self._connection.fetch(
            "(select body from incidents where state = $1 order by opened_at desc limit $3)"
            " union all"
            " (select body from incidents where state = $2 order by changed_at desc limit $4)",
            IncidentState.OPEN,
            IncidentState.CLOSED,
            OPEN_SHOWN_MAX,
            CLOSED_SHOWN_MAX,
        )
        return [_incident(row["body"]) for row in rows]

    async def save(self, incident: Incident) -> None:
        """The incident as it is now, and this version for ever. Its parts point to it alone."""
        body = _encode(incident).decode()
        place = incident.place
        await self._connection.execute(
            "insert into incidents (incident_id, agency, version, state, opened_at, changed_at,"
            " lat, lon, body) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)"
            " on conflict (incident_id) do update set version = excluded.version,"
            " state = excluded.state, changed_at = excluded.changed_at, lat = excluded.lat,"
            " lon = excluded.lon, body = excluded.body",
            incident.incident_id,
            self._agency,
            incident.version,
            incident.state,
            incident.opened_at,
            incident.changed_at,
            place.lat if place else None,
            place.lon if place else None,
            body,
        )
        await self._connection.execute(
            "insert into incident_versions (incident_id, version, agency, at, body)"
            " values ($1,$2,$3,$4,$5)",
            incident.incident_id,
            incident.version,
            self._agency,
            incident.changed_at,
            body,
        )
        await self._connection.executemany(
            "insert into incident_parts (agency, part_id, kind, incident_id) values ($1,$2,$3,$4)"
            " on conflict (agency, part_id) do update set incident_id = excluded.incident_id",
            [
                (self._agency, part.part_id, PartKind(part.kind), incident.incident_id)
                for part in incident.parts
            ],
        )

    async def versions(self, incident_id: IncidentId) -> list[Incident]:
        """Every version, the oldest first."""
        rows = await self._connection.fetch(
            "select body from incident_versions where incident_id = $1 order by version",
            incident_id,
        )
        return [_incident(row["body"]) for row in rows]

    async def note(self, incident_id: IncidentId, line: LogLine) -> None:
        await self._connection.execute(
            "insert into incident_log (agency, incident_id, at, version, what, says, who, unit,"
            " permit) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            self._agency,
            incident_id,
            line.at,
            line.version,
            line.what,
            line.says,
            line.who,
            line.unit,
            line.permit,
        )

    async def log(self, incident_id: IncidentId) -> list[LogLine]:
        rows = await self._connection.fetch(
            "select l.at, l.version, l.what, l.says, l.who, p.name, l.unit, l.permit"
            " from incident_log l left join people p on p.person_id = l.who"
            " where l.incident_id = $1 order by l.line",
            incident_id,
        )
        return [LogLine(**dict(row)) for row in rows]
