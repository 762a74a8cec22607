"""Who is on duty when, as the agency's roster says, and which days it covers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from farolito.model import AgencyId, PersonId
from farolito.model.shift import Shift, Worked

GRACE = timedelta(hours=1)  # before and after a shift: who comes early, who writes it up
# Whoever has no shift in so many days is not on the roster, and is not held against it.
ROSTERED = timedelta(days=14)
KEPT = timedelta(days=90)  # older shifts are let go of when a new roster comes


class Rosters:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def replace(
        self, shifts: Sequence[Shift], days: Sequence[date], zone: str, now: datetime
    ) -> None:
        """These shifts are all that start on these days of the zone; what is old goes."""
        await self._connection.execute(
            "delete from shifts where agency = $1"
            " and ((starts at time zone $2)::date = any($3) or ends < $4)",
            self._agency,
            zone,
            list(days),
            now - KEPT,
        )
        await self._connection.execute(
            "delete from roster_days where agency = $1 and day < $2",
            self._agency,
            (now - KEPT).date(),
        )
        await self.add(shifts)
        await self._connection.executemany(
            "insert into roster_days (agency, day) values ($1,$2) on conflict do nothing",
            [(self._agency, day) for day in days],
        )

    async def add(self, shifts: Sequence[Shift]) -> None:
        """Beside what is known, as for a call-back. It says nothing of other people's days."""
        await self._connection.executemany(
            "insert into shifts (agency, person_id, starts, ends) values ($1,$2,$3,$4)"
            " on conflict (agency, person_id, starts) do update set ends = excluded.ends",
            [(self._agency, one.person, one.starts, one.ends) for one in shifts],
        )

    async def on_duty(self, worked: Sequence[Worked]) -> dict[tuple[PersonId, datetime], bool]:
        """Whether each was on duty; nothing of those whom no roster speaks of."""
        rows = await self._connection.fetch(
            "select w.person, w.at, exists (select 1 from shifts s where s.agency = $1"
            " and s.person_id = w.person and s.starts <= w.at + $5::interval"
            " and s.ends > w.at - $5::interval) as on_duty"
            " from unnest($2::uuid[], $3::timestamptz[], $4::date[]) as w(person, at, day)"
            " where exists (select 1 from roster_days d where d.agency = $1 and d.day = w.day)"
            " and exists (select 1 from shifts s where s.agency = $1 and s.person_id = w.person"
            " and s.starts between w.at - $6::interval and w.at + $6::interval)",
            self._agency,
            [one.person for one in worked],
            [one.at for one in worked],
            [one.day for one in worked],
            GRACE,
            ROSTERED,
        )
        return {(PersonId(row["person"]), row["at"]): row["on_duty"] for row in rows}
