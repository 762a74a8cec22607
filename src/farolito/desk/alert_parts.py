"""Plate alerts as parts: an alert joins, changes, and leaves the incident that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from farolito.desk import incidents as steps
from farolito.desk.book import Book
from farolito.desk.grouping import Grouping
from farolito.desk.incident_log import Said, What
from farolito.gate import Records
from farolito.model import Alert, AlertState, Link, Part

_DECIDED_ON = (AlertState.WAITING, AlertState.TAKEN, AlertState.CONFIRMED)


class AlertParts:
    """Used only in a transaction that holds the feed."""

    def __init__(self, book: Book, grouping: Grouping, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._grouping = grouping
        self._clock = clock

    async def follow(self, records: Records, alert: Alert) -> None:
        """The alert was raised, seen again, decided, recalled or closed."""
        home = await records.incidents.of_part(alert.alert_id)
        if home is None:
            if alert.state in _DECIDED_ON:
                await self._place(records, alert)
            return
        incident = await records.incidents.get(home)
        assert incident is not None, "a part points to an incident"
        part = next(one for one in incident.parts if one.part_id == alert.alert_id)
        undone = alert.state is AlertState.REJECTED or (
            alert.state is AlertState.RECALLED and not part.is_confirmed
        )
        if undone:
            after = steps.without_part(incident, alert.alert_id)
            await self._book.keep(records, after, [_said_of(alert, part)], None)
            return
        after = steps.with_part(incident, msgspec.structs.replace(part, alert=alert.state))
        if part.alert is not alert.state:
            await self._book.keep(records, after, [_said_of(alert, part)], None)
        elif alert.state is AlertState.CONFIRMED:
            says = f"{part.label} seen again"
            await self._book.keep_changed(records, after, Said(What.ALERT_SEEN, says))

    async def _place(self, records: Records, alert: Alert) -> None:
        """An alert without an incident joins one that it fits, and a confirmed one opens its own.

        Until a person confirmed it, it is a part for operators only and changes nothing else.
        """
        verdict = await self._grouping.verdict(records, steps.event_of_alert(alert))
        if verdict is None and alert.state is not AlertState.CONFIRMED:
            return
        incident, link = await self._book.home(records, verdict)
        part = steps.part_of_alert(alert, link, self._clock())
        said = []
        if verdict is not None:
            said.append(Said(What.ALERT_LINKED, linked(alert, link)))
        if alert.state is AlertState.CONFIRMED:
            said.append(_said_of(alert, part))
        await self._book.keep(records, steps.with_part(incident, part), said, None)


def linked(alert: Alert, link: Link) -> str:
    unsure = "" if alert.state is AlertState.CONFIRMED else ", not confirmed by a person"
    return f"Plate alert {alert.match.entry.plate}: {link.says}{unsure}"


def _said_of(alert: Alert, part: Part) -> Said:
    reason = f": {alert.decision_reason.replace('_', ' ')}" if alert.decision_reason else ""
    what, says = {
        AlertState.WAITING: (What.ALERT_LINKED, "waits for an operator"),
        AlertState.TAKEN: (What.ALERT_LINKED, "taken by an operator"),
        AlertState.CONFIRMED: (What.ALERT_CONFIRMED, "confirmed by a person"),
        AlertState.REJECTED: (What.ALERT_REJECTED, f"rejected{reason}: no longer a part"),
        AlertState.RECALLED: (What.ALERT_RECALLED, f"recalled{reason}"),
        AlertState.CLOSED: (What.ALERT_CLOSED, f"closed{reason}"),
    }[alert.state]
    return Said(what, f"Plate alert {part.label} {says}")
