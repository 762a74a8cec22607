"""Every noun's queries on one connection: what the gate hands to those it lets through."""

from __future__ import annotations

from typing import Any

from farolito.model import AgencyId
from farolito.store.agreements import Agreements
from farolito.store.alerts import Alerts
from farolito.store.approvals import Approvals
from farolito.store.briefs import Briefs
from farolito.store.calls import Calls
from farolito.store.cameras import Cameras
from farolito.store.clips import Clips
from farolito.store.envelopes import Envelopes
from farolito.store.feed import Feed
from farolito.store.figures import FiguresRows
from farolito.store.incidents import Incidents
from farolito.store.partners import Partners
from farolito.store.push import PushSubscriptions
from farolito.store.reads import Reads
from farolito.store.reviews import Reviews
from farolito.store.rosters import Rosters
from farolito.store.sensors import Sensors
from farolito.store.sharing import SharingRows
from farolito.store.shots import Shots
from farolito.store.sources import Sources
from farolito.store.suspensions import Suspensions
from farolito.store.timings import TimingRows
from farolito.store.units import Units
from farolito.store.viewings import Viewings
from farolito.store.walls import Walls
from farolito.store.witnesses import Witnesses


class Records:
    """Bound to one transaction of one agency; of no use after it."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self.connection = connection
        self.agency = agency
        self.agreements = Agreements(connection, agency)
        self.alerts = Alerts(connection, agency)
        self.calls = Calls(connection, agency)
        self.incidents = Incidents(connection, agency)
        self.shots = Shots(connection, agency)
        self.timings = TimingRows(connection, agency)
        self.push = PushSubscriptions(connection, agency)
        self.feed = Feed(connection, agency)
        self.briefs = Briefs(connection, agency)
        self.units = Units(connection, agency)
        self.sensors = Sensors(connection, agency)
        self.sources = Sources(connection, agency)
        self.cameras = Cameras(connection, agency)
        self.viewings = Viewings(connection, agency)
        self.clips = Clips(connection, agency)
        self.walls = Walls(connection, agency)
        self.partners = Partners(connection, agency)
        self.witnesses = Witnesses(connection, agency)
        self.sharing = SharingRows(connection, agency)
        self.reads = Reads(connection)
        self.envelopes = Envelopes(connection, agency)
        self.approvals = Approvals(connection, agency)
        self.figures = FiguresRows(connection, agency)
        self.reviews = Reviews(connection, agency)
        self.rosters = Rosters(connection, agency)
        self.suspensions = Suspensions(connection, agency)
