"""Where units are: the newest position of each, kept as it is heard."""

from __future__ import annotations

from collections.abc import Sequence

from farolito.model import AgencyId, Unit
from farolito.store import Database, Records


async def hear(database: Database, agency: AgencyId, units: Sequence[Unit]) -> None:
    async with database.transaction(agency) as connection:
        await Records(connection, agency).units.hear(units)
