"""The queue at work: each step passes the gate, is kept, written into history, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from farolito.desk import steps
from farolito.desk.steps import Conflict, RejectReason
from farolito.gate import Answer, Ask, Gate, Records, system_ask
from farolito.model import (
    Alert,
    AlertId,
    AlertState,
    EntryId,
    FarolitoError,
    Match,
    Outcome,
    Person,
    Picture,
    ReadId,
    Standing,
    Thing,
    UnitId,
)

Followed = Callable[[Records, Alert, str], Awaitable[None]]
"""Called in the same transaction after an alert changed: (records, alert, what happened)."""


class Desk:
    def __init__(
        self,
        gate: Gate,
        system: Person,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._system = system
        self._clock = clock
        self._ids = ids
        self.followers: list[Followed] = []

    async def raise_match(self, match: Match) -> Alert | None:
        """Queue a match, or join it to its row's open alert.

        None where this read was told before, a person has decided on its passage, or its row was
        withdrawn since it was judged. Safe to call again with the same match: a replay after a
        crash raises nothing twice.
        """
        ask = system_ask(
            self._system, Thing.ALERT, f"match {match.read.read_id}", device=match.read.reader
        )

        async def work(records: Records, permit: int) -> Alert | None:
            now = self._clock()
            entry = match.entry.entry_id
            if not await records.alerts.is_new(entry, match.read.read_id):
                return None
            open_one = await records.alerts.open_for_entry(entry, now - steps.JOIN_WINDOW)
            if open_one is not None:
                alert = steps.joined(open_one, match, now)
                await records.alerts.save(alert)
                await records.alerts.remember(alert, match.read.read_id)
                await self._tell(records, alert, "Seen again", None, permit)
                return alert
            last = await records.alerts.last_for_entry(entry, now - steps.PASSAGE_MAX)
            if last is not None and steps.is_answered(last, match):
                await records.alerts.remember(last, match.read.read_id)
                return None
            alert = steps.raised(self._ids(), match, now)
            if not await records.alerts.raise_once(alert):
                return None
            await records.alerts.remember(alert, match.read.read_id)
            await self._tell(records, alert, "Raised by the machine", None, permit)
            return alert

        return (await self._gate.act(ask, work)).value

    async def show_picture(self, alert_id: AlertId, read_id: ReadId, picture: Picture) -> None:
        """Add a picture that came after its read."""

        async def work(records: Records, permit: int) -> None:
            alert = await _existing(records, alert_id)
            after = steps.pictured(alert, read_id, picture, self._clock())
            await records.alerts.save(after)
            await self._tell(records, after, "The picture came", None, permit)

        ask = system_ask(self._system, Thing.ALERT, f"picture of alert {alert_id}")
        await self._gate.act(ask, work)

    async def keep_stopped(self, matches: Sequence[Match]) -> None:
        """Keep candidates that a check stopped, with their reasons."""
        assert all(m.standing is Standing.STOPPED for m in matches)
        ask = system_ask(self._system, Thing.ALERT, f"{len(matches)} candidates stopped")

        async def work(records: Records, permit: int) -> None:
            for match in matches:
                await records.alerts.keep_stopped(match, self._clock())

        await self._gate.act(ask, work)

    async def take(self, ask: Ask, alert_id: AlertId) -> Answer[Alert]:
        person = ask.person.person_id
        return await self._step(ask, alert_id, "Taken", lambda a, now: steps.taken(a, person, now))

    async def confirm(
        self, ask: Ask, alert_id: AlertId, version: int, *, state_confirmed: bool
    ) -> Answer[Alert]:
        person = ask.person.person_id
        return await self._step(
            ask,
            alert_id,
            "Confirmed: crop compared with the row",
            lambda a, now: steps.confirmed(a, person, now, state_confirmed=state_confirmed),
            version,
        )

    async def reject(
        self, ask: Ask, alert_id: AlertId, version: int, reason: RejectReason, note: str = ""
    ) -> Answer[Alert]:
        """`note` says more than the reason; it is kept in the alert's history."""
        person = ask.person.person_id
        more = f" ({note})" if note else ""
        return await self._step(
            ask,
            alert_id,
            f"Rejected: {reason.value.replace('_', ' ')}{more}",
            lambda a, now: steps.rejected(a, person, now, reason),
            version,
        )

    async def assign_in(
        self, records: Records, alert: Alert, unit: UnitId, ask: Ask, permit: int
    ) -> Alert:
        """Give a confirmed alert to a unit, in the transaction of its brief."""
        now = self._clock()
        after = steps.assigned(alert, unit, now)
        await records.alerts.save(after)
        await records.alerts.note(after, f"Briefed to {unit}", ask.person.person_id, permit)
        await records.feed.tell("alert", after, now)
        return after

    async def close_in(
        self, records: Records, alert_id: AlertId, outcome: Outcome, ask: Ask, permit: int
    ) -> Alert:
        """The officer's answer closes the alert, in the transaction of the brief's own change."""
        alert = await _existing(records, alert_id)
        after = steps.closed(alert, outcome, self._clock())
        await records.alerts.save(after)
        words = outcome.value.replace("_", " ")
        await records.alerts.note(after, f"Outcome: {words}", ask.person.person_id, permit)
        await records.feed.tell("alert", after, after.changed_at)
        return after

    async def recall_in(
        self, records: Records, entries: Sequence[EntryId], reason: str, ask: Ask, permit: int
    ) -> list[Alert]:
        """Rows were withdrawn: every alert they raised says so, and all who were told are told."""
        after = []
        for alert in await records.alerts.of_entries(entries):
            if alert.state is AlertState.RECALLED:
                continue
            changed = steps.recalled(alert, reason, self._clock())
            await records.alerts.save(changed)
            await self._tell(records, changed, f"Recalled: {reason}", ask.person, permit)
            after.append(changed)
        return after

    async def escalate(self) -> int:
        """P1 alerts that nobody took in time; answers how many."""
        before = self._clock() - steps.P1_TAKEN_WITHIN

        async def work(records: Records, permit: int) -> int:
            late = await records.alerts.overdue(before)
            for alert in late:
                after = steps.escalated(alert, self._clock())
                await records.alerts.save(after)
                await self._tell(records, after, "Escalated: not taken in 30 s", None, permit)
            return len(late)

        if not await self._gate.following(lambda r: r.alerts.overdue(before)):
            return 0
        ask = system_ask(self._system, Thing.ALERT, "escalate overdue P1")
        return (await self._gate.act(ask, work)).value

    async def _step(
        self,
        ask: Ask,
        alert_id: AlertId,
        says: str,
        step: Callable[[Alert, datetime], Alert],
        version: int | None = None,
    ) -> Answer[Alert]:
        async def work(records: Records, permit: int) -> Alert:
            alert = await _existing(records, alert_id)
            if version is not None and alert.version != version:
                raise Conflict(
                    f"the alert changed (version {alert.version}) while you looked at {version}",
                    "look again, then decide",
                )
            after = step(alert, self._clock())
            await records.alerts.save(after)
            await self._tell(records, after, says, ask.person, permit)
            return after

        return await self._gate.act(ask, work)

    async def _tell(
        self, records: Records, alert: Alert, says: str, who: Person | None, permit: int
    ) -> None:
        await records.alerts.note(alert, says, who.person_id if who else None, permit)
        await records.feed.tell("alert", alert, alert.changed_at)
        for follow in self.followers:
            await follow(records, alert, says)


class NotFound(FarolitoError):
    """There is no such thing, or it is not this agency's."""


async def _existing(records: Records, alert_id: AlertId) -> Alert:
    alert = await records.alerts.get(alert_id, lock=True)
    if alert is None:
        raise NotFound("there is no such alert", "it may have ended; reload the queue")
    return alert
