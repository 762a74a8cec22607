"""Calls for service as they are now, and what a dispatch system's doors have taken in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, Call, CallId, Point

PREMISE_HISTORY_MAX = 20
_DEGREE_M = 111_320.0  # of latitude; of longitude near enough for a box that only preselects

_encode = msgspec.json.Encoder().encode
_call = msgspec.json.Decoder(Call).decode


class Calls:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def get(self, call_id: CallId) -> Call | None:
        body = await self._connection.fetchval("select body from calls where call_id = $1", call_id)
        return None if body is None else _call(body)

    async def by_number(self, number: str) -> Call | None:
        body = await self._connection.fetchval("select body from calls where number = $1", number)
        return None if body is None else _call(body)

    async def of_ids(self, ids: list[CallId]) -> list[Call]:
        rows = await self._connection.fetch(
            "select body from calls where call_id = any($1) order by here_at, call_id", ids
        )
        return [_call(row["body"]) for row in rows]

    async def save(self, call: Call, premise: str | None, plates: Iterable[str]) -> None:
        """The call as it is now, new or not. `premise`: its address in the plain form that
        tells two spellings of one place to be the same, None without an address. `plates`: those
        that its callers named, as they are compared."""
        place = call.place
        await self._connection.execute(
            "insert into calls (call_id, agency, number, version, state, here_at, changed_at,"
            " premise, lat, lon, duplicate_of, incident_id, body)"
            " values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)"
            " on conflict (call_id) do update set version = excluded.version,"
            " state = excluded.state, changed_at = excluded.changed_at,"
            " premise = excluded.premise, lat = excluded.lat, lon = excluded.lon,"
            " duplicate_of = excluded.duplicate_of,"
            " incident_id = excluded.incident_id, body = excluded.body",
            call.call_id,
            self._agency,
            call.number,
            call.version,
            call.state,
            call.here_at,
            call.changed_at,
            premise,
            place.lat if place else None,
            place.lon if place else None,
            call.duplicate_of,
            call.incident,
            _encode(call).decode(),
        )
        named = sorted(set(plates))
        await self._connection.execute(
            "with gone as (delete from call_plates where call_id = $1 and plate <> all($3))"
            " insert into call_plates (agency, plate, call_id) select $2, unnest($3::text[]), $1"
            " on conflict do nothing",
            call.call_id,
            self._agency,
            named,
        )

    async def take_mark(self, source: str, mark: str, at: datetime) -> bool:
        """Take in a message or file once; False where it was taken in before.

        In the transaction of what it changes, so that neither is there without the other.
        """
        return bool(
            await self._connection.fetchval(
                "insert into cad_marks (agency, source, mark, at) values ($1,$2,$3,$4)"
                " on conflict do nothing returning true",
                self._agency,
                source,
                mark,
                at,
            )
        )

    async def at_premise(
        self, premise: str | None, place: Point | None, within_m: float, since: datetime
    ) -> list[Call]:
        """Earlier calls at this address, or within so many metres (a box), the newest first."""
        lat = place.lat if place else None
        lon = place.lon if place else None
        rows = await self._connection.fetch(
            "select body from calls where here_at >= $1 and (premise = $2"
            " or (lat between $3::float8 - $5::float8 and $3 + $5"
            " and lon between $4::float8 - $5 * 1.6 and $4 + $5 * 1.6))"
            " order by here_at desc limit $6",
            since,
            premise,
            lat,
            lon,
            within_m / _DEGREE_M,
            PREMISE_HISTORY_MAX,
        )
        return [_call(row["body"]) for row in rows]

    async def premise_of(self, call_id: CallId) -> str | None:
        """The plain form of the call's address, as it was saved."""
        found: str | None = await self._connection.fetchval(
            "select premise from calls where call_id = $1", call_id
        )
        return found

    async def since(self) -> datetime | None:
        """When the oldest call that is kept came here: "no history" reaches no further back."""
        oldest: datetime | None = await self._connection.fetchval(
            "select min(here_at) from calls where agency = $1", self._agency
        )
        return oldest

    async def forget_marks(self, before: datetime) -> None:
        await self._connection.execute("delete from cad_marks where at < $1", before)

    async def end_before(self, day: date) -> int:
        """End the keeping of calls that are part of no incident any more."""
        gone: str = await self._connection.execute(
            "delete from calls c where changed_at < $1::date and not exists"
            " (select 1 from incident_parts p where p.part_id = c.call_id)",
            day,
        )
        return int(gone.rsplit(maxsplit=1)[-1])
