"""Every noun's queries on one connection: what the gate hands to those it lets through."""

from __future__ import annotations

from typing import Any

from farolito.model import AgencyId
from farolito.store.alerts import Alerts
from farolito.store.briefs import Briefs, Units
from farolito.store.sources import Sources


class Records:
    """Bound to one transaction of one agency; of no use after it."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self.connection = connection
        self.agency = agency
        self.alerts = Alerts(connection, agency)
        self.briefs = Briefs(connection, agency)
        self.units = Units(connection, agency)
        self.sources = Sources(connection, agency)
