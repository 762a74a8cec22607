"""The keeping of a hit ends with all that came of it, and of no other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from farolito.model import AgencyId
from farolito.store import Database, Records

AGENCY = AgencyId("city-pd")
OLD, NEW = datetime(2025, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
TABLES = ("alerts", "alert_history", "briefs", "receipts", "stopped_matches")


async def a_hit(connection: Any, number: int, at: datetime) -> None:
    one = UUID(int=number)
    await connection.execute(
        "insert into alerts (alert_id, agency, level, state, version, raised_at, changed_at,"
        " captured_at, plate, entry_id, read_id, body)"
        " values ($1, $2, 2, 'closed', 1, $3, $3, $3, 'ABC1234', $1, $1, '{}')",
        one, AGENCY, at,
    )  # fmt: skip
    await connection.execute(
        "insert into alert_history (alert_id, agency, at, version, says)"
        " values ($1, $2, $3, 1, '')",
        one, AGENCY, at,
    )  # fmt: skip
    for version in (1, 2):
        await connection.execute(
            "insert into briefs (brief_id, version, agency, alert_id, unit, composed_at, body)"
            " values ($1, $2, $3, $1, '2A14', $4, '{}')",
            one, version, AGENCY, at,
        )  # fmt: skip
        await connection.execute(
            "insert into receipts (brief_id, version, kind, person, agency, at)"
            " values ($1, $2, 'opened', $1, $3, $4)",
            one, version, AGENCY, at,
        )  # fmt: skip
    await connection.execute(
        "insert into stopped_matches (agency, at, read_id, entry_id, body)"
        " values ($2, $3, $1, $1, '{}')",
        one, AGENCY, at,
    )  # fmt: skip


async def test_a_hit_past_its_time_takes_briefs_receipts_and_history_along(
    database: Database,
) -> None:
    async with database.transaction(AGENCY) as connection:
        await a_hit(connection, 1, OLD)
        await a_hit(connection, 2, NEW)
        ended = await Records(connection, AGENCY).alerts.end_before(
            date(2026, 1, 1), date(2026, 1, 1)
        )
        left = {t: await connection.fetchval(f"select count(*) from {t}") for t in TABLES}
    assert ended == 2  # an alert and a stopped candidate
    assert left == {
        "alerts": 1, "alert_history": 1, "briefs": 2, "receipts": 2, "stopped_matches": 1,
    }  # fmt: skip
