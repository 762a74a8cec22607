"""How a change of an incident is kept: settled, saved, written into its log, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from farolito.correlation import Verdict
from farolito.desk import incidents as steps
from farolito.desk.desk import NotFound
from farolito.desk.grouping import Grouping, Streets, moved_calls
from farolito.desk.incident_log import Said, What
from farolito.gate import Records
from farolito.model import (
    AgencyId,
    Incident,
    IncidentId,
    IncidentState,
    Jurisdiction,
    Link,
    LinkBy,
    LogLine,
    Person,
)

Followed = Callable[[Records, Incident, str, int], Awaitable[None]]
"""Called in the same transaction after an incident changed: (records, incident, what, permit)."""

_FIRST = Link(by=LinkBy.FIRST, says="opened it")
_TURNS = {
    IncidentState.CLOSED: Said(What.CLOSED, "Closed: nothing in it is open"),
    IncidentState.OPEN: Said(What.REOPENED, "Open again"),
}


class Book:
    """Used only in a transaction that holds the feed."""

    def __init__(
        self, grouping: Grouping, streets: Streets, clock: Callable[[], datetime],
        ids: Callable[[], UUID], owner: AgencyId,
    ) -> None:  # fmt: skip
        self._grouping = grouping
        self._streets = streets
        self._clock = clock
        self._ids = ids
        self._owner = owner
        self.followers: list[Followed] = []
        self.jurisdiction: Callable[[Incident], Jurisdiction | None] = lambda _: None

    async def live(self, records: Records, incident_id: IncidentId) -> Incident:
        """The incident, or the one that it was joined to."""
        incident = await records.incidents.get(incident_id)
        while incident is not None and incident.joined_to is not None:
            incident = await records.incidents.get(incident.joined_to)
        if incident is None:
            raise NotFound("there is no such incident", "it may have ended; reload the list")
        return incident

    async def home(self, records: Records, found: Verdict | None) -> tuple[Incident, Link]:
        """The incident an event belongs to with the reason, or a new one that it opens."""
        if found is None:
            return steps.blank(self._ids(), self._owner, self._clock()), _FIRST
        incident = await records.incidents.get(found.incident_id)
        assert incident is not None, "a verdict names an incident of this transaction"
        return incident, found.link

    async def join(  # noqa: PLR0913 - two incidents, why, and by whom
        self, records: Records, one: Incident, two: Incident, link: Link, permit: int | None,
        by: Person | None,
    ) -> Incident:  # fmt: skip
        """The newer one's parts go over to the older, which is answered and not yet kept."""
        older, newer = sorted((one, two), key=lambda i: (i.opened_at, i.incident_id))
        who = by.person_id if by else None
        whole, gone = steps.joined(older, newer, link, who, self._clock())
        await moved_calls(records, newer.parts, older.incident_id)
        if newer.version == 0:
            return whole
        await records.incidents.save(gone)
        said = Said(What.JOINED, f"Joined: {link.says}")
        await self.tell(records, gone, [said], permit, by, said.what)
        return whole

    async def join_all(
        self, records: Records, incident: Incident, others: Iterable[Verdict], permit: int | None
    ) -> tuple[Incident, list[Said]]:
        """What one event shows to be the same, brought together; answered and not yet kept."""
        said: list[Said] = []
        for other in others:
            rest = await records.incidents.get(other.incident_id)
            assert rest is not None, "a verdict names an incident of this transaction"
            incident = await self.join(records, incident, rest, other.link, permit, None)
            said.insert(0, Said(What.JOINED, f"Two incidents are one: {other.link.says}"))
        return incident, said

    async def keep_changed(self, records: Records, incident: Incident, said: Said) -> None:
        """Keep a next version only where it differs from the last."""
        events = await self._grouping.events_of(records, [incident])
        now = incident.changed_at
        after = self._under_law(steps.settled(incident, events, self._streets.describe, now))
        if msgspec.structs.replace(after, version=incident.version) != incident:
            await self.keep(records, incident, [said], None)

    async def keep(
        self,
        records: Records,
        incident: Incident,
        said: list[Said],
        permit: int | None,
        who: Person | None = None,
    ) -> Incident:
        """The next version: settled, saved, written into the log and told.

        Followers hear of the turn, closed or open again, before anything else that was said.
        """
        events = await self._grouping.events_of(records, [incident])
        now = self._clock()
        after = self._under_law(steps.settled(incident, events, self._streets.describe, now))
        turn = [_TURNS[after.state]] if after.state is not incident.state else []
        await records.incidents.save(after)
        await self.tell(records, after, [*said, *turn], permit, who, (turn or said)[0].what)
        return after

    async def tell(  # noqa: PLR0913 - one column of the log each
        self, records: Records, incident: Incident, said: Sequence[Said], permit: int | None,
        who: Person | None, what: What,
    ) -> None:  # fmt: skip
        await self.note(records, incident, said, permit, who)
        await records.feed.tell("incident", incident, incident.changed_at)
        for follow in self.followers:
            await follow(records, incident, what, permit or 0)

    def _under_law(self, incident: Incident) -> Incident:
        """With whose law holds at its place, and who of its units may enforce it there."""
        law = self.jurisdiction(incident)
        if law == incident.jurisdiction:
            return incident
        return msgspec.structs.replace(incident, jurisdiction=law)

    async def note(
        self,
        records: Records,
        incident: Incident,
        said: Sequence[Said],
        permit: int | None,
        who: Person | None,
    ) -> None:
        now = self._clock()
        lines = [
            LogLine(
                at=now,
                version=incident.version,
                what=one.what,
                says=one.says,
                who=who.person_id if who else None,
                unit=one.unit,
                permit=permit,
            )
            for one in said
        ]
        await records.incidents.note(incident.incident_id, *lines)
