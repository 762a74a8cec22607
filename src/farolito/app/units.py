"""Where units are: the newest position of each, kept as it is heard."""

from __future__ import annotations

from collections.abc import Iterable

from farolito.model import AgencyId, Unit
from farolito.store import Database, Records


async def hear(database: Database, agency: AgencyId, units: Iterable[Unit]) -> None:
    async with database.transaction(agency) as connection:
        records = Records(connection, agency)
        for unit in units:
            await records.units.hear(unit)
