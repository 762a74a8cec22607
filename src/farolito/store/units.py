"""Units on duty: the newest believed position of each, and who never leaves the agency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from farolito.model import AgencyId, Doubt, PersonId, Point, Unit, UnitId


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

    async def hear(self, units: Sequence[Unit]) -> None:
        """Keep the newest position of each; an older one that comes late changes nothing.

        Who is in a unit and whether it is muted stay as they are.
        """
        await self._connection.execute(
            "insert into units (agency, unit_id, officer, lat, lon, heading_deg, speed_mps,"
            " accuracy_m, heard_at, source, doubt)"
            " select $1, * from unnest($2::text[], $3::uuid[], $4::float8[], $5::float8[],"
            " $6::float8[], $7::float8[], $8::float8[], $9::timestamptz[], $10::text[],"
            " $11::text[]) as new"
            " on conflict (agency, unit_id) do update set"
            " officer = coalesce(excluded.officer, units.officer),"
            " lat = coalesce(excluded.lat, units.lat), lon = coalesce(excluded.lon, units.lon),"
            " heading_deg = excluded.heading_deg, speed_mps = excluded.speed_mps,"
            " accuracy_m = excluded.accuracy_m, source = excluded.source, doubt = excluded.doubt,"
            " heard_at = coalesce(excluded.heard_at, units.heard_at)"
            " where units.heard_at is null or excluded.heard_at is null"
            " or excluded.heard_at >= units.heard_at",
            self._agency,
            [u.unit_id for u in units],
            [u.officer for u in units],
            [u.place.lat if u.place else None for u in units],
            [u.place.lon if u.place else None for u in units],
            [u.heading_deg for u in units],
            [u.speed_mps for u in units],
            [u.accuracy_m for u in units],
            [u.heard_at for u in units],
            [u.source for u in units],
            [u.doubt for u in units],
        )

    async def mute(self, unit_id: UnitId, muted: bool) -> bool:
        """Undercover or no longer; False where there is no such unit."""
        done = await self._connection.fetchval(
            "update units set muted = $2 where unit_id = $1 returning true", unit_id, muted
        )
        return bool(done)

    async def commission(self, unit_id: UnitId, nations: Sequence[AgencyId]) -> bool:
        """Whose commissions its officers hold; False where there is no such unit."""
        done = await self._connection.fetchval(
            "update units set commissions = $2 where unit_id = $1 returning true",
            unit_id,
            list(nations),
        )
        return bool(done)


def _unit(row: Any) -> Unit:
    return Unit(
        unit_id=UnitId(row["unit_id"]),
        agency=AgencyId(row["agency"]),
        officer=None if row["officer"] is None else PersonId(row["officer"]),
        place=None if row["lat"] is None else Point(row["lat"], row["lon"]),
        heard_at=row["heard_at"],
        source=row["source"],
        heading_deg=row["heading_deg"],
        speed_mps=row["speed_mps"],
        accuracy_m=row["accuracy_m"],
        doubt=None if row["doubt"] is None else Doubt(row["doubt"]),
        muted=row["muted"],
        commissions=tuple(AgencyId(nation) for nation in row["commissions"]),
    )
