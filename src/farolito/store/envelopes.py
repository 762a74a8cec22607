"""Messages of other agencies that were taken, and how often each agency asked us."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from farolito.model import AgencyId, EnvelopeId
from farolito.model.search import AskedCount

TAKEN_KEPT = timedelta(hours=1)  # a message that is older than minutes is refused by its time


class Envelopes:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def take(self, sender: AgencyId, envelope_id: EnvelopeId, at: datetime) -> bool:
        """Whether this message is new; once the transaction is committed it no longer is.

        Lets go of those that were written an hour before it.
        """
        await self._connection.execute(
            "delete from envelopes_taken where agency = $1 and at < $2",
            self._agency,
            at - TAKEN_KEPT,
        )
        new = await self._connection.fetchval(
            "insert into envelopes_taken (agency, sender, envelope_id, at) values ($1,$2,$3,$4)"
            " on conflict do nothing returning true",
            self._agency,
            sender,
            envelope_id,
            at,
        )
        return bool(new)

    async def asked(
        self, asker: AgencyId, at: datetime, day: date, outcome: str, reads: int
    ) -> bool:
        """Count a question. True where this agency never asked before."""
        first = await self._connection.fetchval(
            "insert into askers (agency, asker, first_at, last_at) values ($1,$2,$3,$3)"
            " on conflict (agency, asker) do update"
            " set last_at = greatest(askers.last_at, excluded.last_at)"
            " returning xmax = 0",  # no older version of the row: it was inserted
            self._agency,
            asker,
            at,
        )
        await self._connection.execute(
            "insert into questions_by_day (agency, asker, day, outcome, questions, reads)"
            " values ($1,$2,$3,$4,1,$5) on conflict (agency, day, asker, outcome) do update"
            " set questions = questions_by_day.questions + 1,"
            " reads = questions_by_day.reads + excluded.reads",
            self._agency,
            asker,
            day,
            outcome,
            reads,
        )
        return bool(first)

    async def questions(self, since: date) -> list[AskedCount]:
        """Counts from that day on, the newest day first."""
        rows = await self._connection.fetch(
            "select asker, day, outcome, questions, reads from questions_by_day"
            " where agency = $1 and day >= $2 order by day desc, asker, outcome",
            self._agency,
            since,
        )
        return [
            AskedCount(
                asker=AgencyId(row["asker"]),
                day=row["day"],
                outcome=row["outcome"],
                questions=row["questions"],
                reads=row["reads"],
            )
            for row in rows
        ]

    async def new_askers(self, since: datetime) -> dict[AgencyId, datetime]:
        """Agencies that asked for the first time since then, and when."""
        rows = await self._connection.fetch(
            "select asker, first_at from askers where agency = $1 and first_at >= $2"
            " order by first_at",
            self._agency,
            since,
        )
        return {AgencyId(row["asker"]): row["first_at"] for row in rows}

    async def end_before(self, day: date) -> int:
        """End the keeping of counts of days before `day`; how many went."""
        tag = await self._connection.execute(
            "delete from questions_by_day where agency = $1 and day < $2", self._agency, day
        )
        return int(tag.split()[-1])
