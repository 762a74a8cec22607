"""Incidents with every version they had, their parts, and the log that writes itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import (
    AgencyId,
    AlertId,
    Incident,
    IncidentId,
    IncidentState,
    LogLine,
    PartKind,
    Point,
)

OPEN_SHOWN_MAX = 500
CLOSED_SHOWN_MAX = 50

CANDIDATES_MAX = 50  # the newest; more than this near one place is no neighbourhood
_DEGREE_M = 111_320.0  # of latitude; of longitude near enough for a box that only preselects

# Plain comparisons only: row-level security keeps any other kind of test away from an index.
_CANDIDATES = """
with found as (
  select incident_id from calls where here_at >= $1
    and lat between $2::float8 - $4 and $2 + $4
    and lon between $3::float8 - $4 * 1.6 and $3 + $4 * 1.6
  union select incident_id from incidents where state = 'open' and changed_at >= $1
    and lat between $2::float8 - $4 and $2 + $4
    and lon between $3::float8 - $4 * 1.6 and $3 + $4 * 1.6
  union select c.incident_id from call_plates p join calls c using (call_id)
    where p.plate = any($5) and c.here_at >= $6
  union select p.incident_id from alerts a join incident_parts p on p.part_id = a.alert_id
    where cardinality($5::text[]) > 0 and a.state in ('waiting', 'taken', 'confirmed')
    and a.raised_at >= $6 and translate(a.plate, 'O', '0') = any($5)
), told as (
  select incident_id from calls where number = $8
  union select incident_id from calls where duplicate_of = $7
)
select i.body from incidents i where i.state = 'open' and i.incident_id in (select * from found)
  or i.state <> 'joined' and i.incident_id in (select * from told)
order by i.changed_at desc limit $9
"""

_LOG = """
with recursive whole as (
  select $1::uuid as incident_id
  union select i.incident_id from incidents i join whole w
    on i.state = 'joined' and i.body->>'joined_to' = w.incident_id::text
)
select l.at, l.version, l.what, l.says, l.who, p.name, l.unit, l.permit
from incident_log l join whole using (incident_id) left join people p on p.person_id = l.who
order by l.at, l.line
"""

_encode = msgspec.json.Encoder().encode
_incident = msgspec.json.Decoder(Incident).decode


class Incidents:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def get(self, incident_id: IncidentId) -> Incident | None:
        """As it is now. Whoever will change it holds the feed first (`Feed.hold`)."""
        body = await self._connection.fetchval(
            "select body from incidents where incident_id = $1", incident_id
        )
        return None if body is None else _incident(body)

    async def of_part(self, part_id: UUID) -> IncidentId | None:
        found = await self._connection.fetchval(
            "select incident_id from incident_parts where part_id = $1", part_id
        )
        return None if found is None else IncidentId(found)

    async def candidates(  # noqa: PLR0913 - each a way to be near
        self,
        *,
        place: Point | None,
        within_m: float,
        since: datetime,
        plates: Iterable[str],
        plates_since: datetime,
        number: str | None,
        duplicate_of: str | None,
    ) -> list[Incident]:
        """What a new event may belong to: open ones near it since a time, or with its plate since
        another, and, open or not, those that the CAD's numbers say are the same."""
        rows = await self._connection.fetch(
            _CANDIDATES,
            since,
            place.lat if place else None,
            place.lon if place else None,
            within_m / _DEGREE_M,
            sorted(plates),
            plates_since,
            number,
            duplicate_of,
            CANDIDATES_MAX,
        )
        return [_incident(row["body"]) for row in rows]

    async def loose_alerts(self, plates: Iterable[str], since: datetime) -> list[AlertId]:
        """Open alerts for these plates (O written as 0) that are part of no incident."""
        rows = await self._connection.fetch(
            "select a.alert_id from alerts a where a.state in ('waiting', 'taken', 'confirmed')"
            " and a.raised_at >= $2 and translate(a.plate, 'O', '0') = any($1)"
            " and not exists (select 1 from incident_parts p where p.part_id = a.alert_id)"
            " order by a.raised_at, a.alert_id",
            sorted(plates),
            since,
        )
        return [AlertId(row["alert_id"]) for row in rows]

    async def joined_into(self, incident_id: IncidentId, part_id: UUID) -> Incident | None:
        """The incident that brought this part here, as it was before it was joined."""
        body = await self._connection.fetchval(
            "select v.body from incidents i join incident_versions v"
            " on v.incident_id = i.incident_id and v.version = i.version - 1"
            " where i.state = $1 and i.body->>'joined_to' = $2"
            " and v.body->'parts' @> jsonb_build_array(jsonb_build_object('part_id', $3::text))"
            " order by i.changed_at desc limit 1",
            IncidentState.JOINED,
            str(incident_id),
            str(part_id),
        )
        return None if body is None else _incident(body)

    async def open_ones(self) -> list[Incident]:
        rows = await self._connection.fetch(
            "select body from incidents where state = $1 order by opened_at desc limit $2",
            IncidentState.OPEN,
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
        await self._connection.execute(
            "delete from incident_parts where incident_id = $1 and part_id <> all($2)",
            incident.incident_id,
            [part.part_id for part in incident.parts],
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

    async def note(self, incident_id: IncidentId, *lines: LogLine) -> None:
        await self._connection.executemany(
            "insert into incident_log (agency, incident_id, at, version, what, says, who, unit,"
            " permit) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            [
                (
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
                for line in lines
            ],
        )

    async def log(self, incident_id: IncidentId) -> list[LogLine]:
        """Its log, with that of the incidents that were joined to it."""
        rows = await self._connection.fetch(_LOG, incident_id)
        return [LogLine(**dict(row)) for row in rows]

    async def end_before(self, day: date) -> int:
        """End the keeping of incidents, open or not, with versions, log, answers and briefs.

        A brief that an alert brought as well stays as long as the alert, without its incident.
        """
        query = self._connection.execute
        await query(
            "update briefs b set incident_id = null from incidents i where b.alert_id is not null"
            " and b.incident_id = i.incident_id and i.changed_at < $1::date",
            day,
        )
        await query(
            "delete from receipts r using briefs b, incidents i where r.brief_id = b.brief_id"
            " and b.incident_id = i.incident_id and i.changed_at < $1::date",
            day,
        )
        await query(
            "delete from briefs b using incidents i"
            " where b.incident_id = i.incident_id and i.changed_at < $1::date",
            day,
        )
        gone: str = await query("delete from incidents where changed_at < $1::date", day)
        return int(gone.rsplit(maxsplit=1)[-1])
