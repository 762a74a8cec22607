"""Briefs at work: sent once confirmed or assigned, renewed as facts come, recalled, answered."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Protocol
from uuid import UUID

from farolito.briefing.lookup import Lookup, Positions, Surroundings
from farolito.briefing.running import SHOWN_FOR, Running
from farolito.briefing.saying import phrase
from farolito.briefing.words import Words
from farolito.gate import AWAY, Answer, Ask, Gate, LedgerDown, Records, system_ask
from farolito.model import (
    Alert,
    AlertId,
    AlertState,
    AnswerKind,
    Brief,
    BriefId,
    FarolitoError,
    Incident,
    IncidentId,
    IncidentState,
    OfficerAnswer,
    Outcome,
    Person,
    Receipt,
    ReceiptKind,
    Refused,
    ShotAlert,
    Thing,
    UnitId,
    UnitStatus,
)

log = logging.getLogger(__name__)

COMMITTED_WITHIN_S = 5.0  # a brief begun in a transaction that is not there by then was undone
LOOK_AGAIN_S = 0.05  # between two looks for one that is not committed yet
AWAY_S = 2.0  # the store or the ledger is away: the wait before the next try
WAITING_MAX = 10_000  # briefs to look at again; more than any metro's units have

Told = tuple[Brief, list[Receipt], list[Brief]]
"""A brief as it is now, its receipts, and every version, the newest first."""

Assign = Callable[[Records, Alert, UnitId, Ask, int], Awaitable[Alert]]
Close = Callable[[Records, AlertId, Outcome, Ask, int], Awaitable[Alert]]

_AWAY: tuple[type[Exception], ...] = (*AWAY, LedgerDown)
_STATUS = {
    AnswerKind.EN_ROUTE: UnitStatus.EN_ROUTE,
    AnswerKind.ON_SCENE: UnitStatus.ON_SCENE,
    AnswerKind.CLEAR: UnitStatus.CLEARED,
}


class IncidentDesk(Protocol):
    """What dispatch does for a brief, in the brief's own transaction."""

    async def assign_in(
        self, records: Records, incident_id: IncidentId, unit: UnitId, ask: Ask, permit: int
    ) -> Incident: ...

    async def status_in(  # noqa: PLR0913 - one field of the log each
        self, records: Records, incident_id: IncidentId, unit: UnitId, status: UnitStatus,
        says: str, ask: Ask, permit: int,
    ) -> Incident: ...  # fmt: skip

    async def follow_alert(self, records: Records, alert: Alert, says: str) -> None: ...

    async def note_in(  # noqa: PLR0913 - one field of the log each
        self, records: Records, incident_id: IncidentId, what: str, says: str, ask: Ask | None,
        unit: UnitId | None, permit: int,
    ) -> None: ...  # fmt: skip


class Briefing:
    """`dispatch` is set by the app where the node keeps incidents; `system` acts in `complete`."""

    def __init__(  # noqa: PLR0913 - made once, by the app
        self,
        gate: Gate,
        surroundings: Surroundings,
        assign: Assign,
        close: Close,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        *,
        words: Words | None = None,
        language: str = "en",
        positions: Positions | None = None,
        zone: tzinfo = UTC,
        system: Person | None = None,
    ) -> None:
        self._gate = gate
        self._assign = assign
        self._close = close
        self._clock = clock
        self._system = system
        self.dispatch: IncidentDesk | None = None
        self._lookup = Lookup(surroundings, clock, positions, zone)
        self._running = Running(
            self._lookup, words or Words(), language, clock, ids, self._look_again
        )
        self._waiting: list[tuple[datetime, BriefId]] = []
        self._news = asyncio.Event()

    async def on_incident(
        self, records: Records, incident: Incident, what: str, permit: int
    ) -> None:
        """A follower of dispatch: the incident changed, in this transaction."""
        await self._running.follow(records, incident)

    async def follow(self, records: Records, alert: Alert, _what: str) -> None:
        """A follower of the desk: an alert changed, and every brief that tells of it follows."""
        await records.feed.hold()
        for brief in await records.briefs.of_alert(alert.alert_id):
            if brief.recalled:
                continue
            if alert.state is AlertState.RECALLED:
                await self._running.recall(records, brief, alert)
            elif brief.ended_at is not None:
                continue
            elif brief.incident_id is None:
                await self._running.renew_alert(records, brief, alert)
            else:
                incident = await records.incidents.get(brief.incident_id)
                assert incident is not None, "a brief's incident is kept as long as the brief"
                await self._running.renew(records, brief, incident)

    async def follow_shot(self, records: Records, alert: ShotAlert, _says: str) -> None:
        """A follower of the desk of shots, after dispatch: what changed in them that changes no
        incident, as the cadence or where the shooter went, is a version all the same."""
        if not alert.is_confirmed:
            return
        await records.feed.hold()
        home = await records.incidents.of_part(alert.alert_id)
        incident = await records.incidents.get(home) if home else None
        if incident is None:
            return
        for brief in await records.briefs.of_incident(incident.incident_id):
            if brief.ended_at is None and not brief.recalled:
                await self._running.renew(records, brief, incident)

    async def send(self, ask: Ask, alert_id: AlertId, unit_id: UnitId) -> Answer[Brief]:
        """An alert's first version, to a unit. The policy refuses while no person has confirmed."""

        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            alert = await records.alerts.get(alert_id)
            return {"confirmed": alert is not None and alert.state is AlertState.CONFIRMED}

        async def work(records: Records, permit: int) -> Brief:
            alert = await records.alerts.get(alert_id, lock=True)
            if alert is None or alert.state is not AlertState.CONFIRMED:
                raise Refused("unconfirmed", "no person has confirmed this alert", "", permit)
            await self._must_know(records, unit_id)
            await records.feed.hold()
            incident = await self._open_incident_of(records, alert_id)
            theirs = await records.briefs.of_alert(alert_id)
            if incident is not None:
                theirs += await records.briefs.of_incident(incident.incident_id)
            for brief in theirs:
                if brief.unit == unit_id and not brief.recalled and brief.ended_at is None:
                    return brief
            alert = await self._assign(records, alert, unit_id, ask, permit)
            brief = await self._running.begin_alert(
                records, alert, unit_id, incident, ask.person.person_id
            )
            if incident is not None and self.dispatch is not None:
                await self.dispatch.assign_in(records, incident.incident_id, unit_id, ask, permit)
            return brief

        return await self._gate.safety(ask, work, facts)

    async def send_incident(
        self, ask: Ask, incident_id: IncidentId, unit_id: UnitId
    ) -> Answer[Brief]:
        """An operator sends a unit to an incident: assigned and briefed in one. The policy refuses
        where nothing in it is a person's word."""

        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            incident = await records.incidents.get(incident_id)
            parts = incident.parts if incident else ()
            return {"confirmed": any(part.is_confirmed for part in parts)}

        async def work(records: Records, permit: int) -> Brief:
            await self._must_know(records, unit_id)
            await records.feed.hold()
            incident = await records.incidents.get(incident_id)
            if incident is None or incident.state is not IncidentState.OPEN:
                raise FarolitoError("this incident is not open", "reload the list")
            for brief in await records.briefs.of_incident(incident_id):
                if brief.unit == unit_id and not brief.recalled and brief.ended_at is None:
                    return brief
            brief = await self._running.begin(records, incident, unit_id, ask.person.person_id)
            if self.dispatch is not None:
                await self.dispatch.assign_in(records, incident_id, unit_id, ask, permit)
            return brief

        return await self._gate.safety(ask, work, facts)

    async def mine(self, ask: Ask) -> Answer[tuple[int, list[Told]]]:
        """The briefs of the asker's own unit, newest first, each with its receipts and versions,
        and the feed's number to go on from: a phone that was away misses none."""
        unit = ask.person.unit or UnitId("")

        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            return {"assigned_unit": unit}

        async def work(records: Records, permit: int) -> tuple[int, list[Told]]:
            seq = await records.feed.end()
            told = []
            for brief in await records.briefs.of_unit(unit, self._clock() - SHOWN_FOR):
                receipts = await records.briefs.receipts(brief.brief_id)
                told.append((brief, receipts, await records.briefs.versions(brief.brief_id)))
            return seq, told

        return await self._gate.read(ask, work, facts)

    async def receive(
        self, ask: Ask, brief_id: BriefId, version: int, kind: ReceiptKind
    ) -> Answer[Receipt]:
        """The phone says that a version came, was opened, was heard: the only proof it arrived."""

        async def work(records: Records, permit: int) -> Receipt:
            brief = await _existing(records, brief_id)
            if not 1 <= version <= brief.version:
                raise FarolitoError(f"the brief has no version {version}", "reload the page")
            receipt = Receipt(
                brief_id=brief_id,
                version=version,
                kind=kind,
                at=self._clock(),
                person=ask.person.person_id,
            )
            if await records.briefs.receive(receipt):
                await records.feed.tell("receipt", receipt, receipt.at, brief.unit)
                says = f"{brief.unit} {_DID[kind]} version {version}"
                await self._note(records, brief, "receipt", says, ask, permit)
            return receipt

        return await self._gate.safety(ask, work, self._facts_of(brief_id))

    async def answer(self, ask: Ask, brief_id: BriefId, outcome: Outcome) -> Answer[Brief]:
        """The officer's one tap about the plate. Said again it changes nothing."""

        async def work(records: Records, permit: int) -> Brief:
            brief = await _existing(records, brief_id)
            if brief.alert_id is None:
                raise FarolitoError("this brief is not about a plate", "answer in another way")
            # Whoever makes a version holds the alert, then the feed: a recall may make one now.
            await records.alerts.get(brief.alert_id, lock=True)
            await records.feed.hold()
            brief = await _existing(records, brief_id)
            if brief.outcome == outcome.value:
                return brief
            assert brief.alert_id is not None, "versions of a brief stay with their alert"
            alert = await self._close(records, brief.alert_id, outcome, ask, permit)
            says = phrase("change.outcome", outcome=f"@outcome.{outcome.value}")
            after = await self._running.say(records, brief, (says,), outcome=outcome.value)
            words = outcome.value.replace("_", " ")
            await self._note(records, brief, "outcome", f"{brief.unit}: {words}", ask, permit)
            if self.dispatch is not None:
                # After the outcome's own version: where nothing else is open the incident closes,
                # and that ends the brief.
                await self.dispatch.follow_alert(records, alert, "outcome")
            return after

        return await self._gate.safety(ask, work, self._facts_of(brief_id))

    async def reply(  # noqa: PLR0913 - one field of the answer each
        self,
        ask: Ask,
        brief_id: BriefId,
        answer_id: UUID,
        kind: AnswerKind,
        says: str,
        tapped_at: datetime | None,
    ) -> Answer[OfficerAnswer]:
        """The officer's one tap about the call, or a question to the RTCC. Sent twice over a bad
        line it is one; after the brief has ended it is kept and changes no status."""

        async def work(records: Records, permit: int) -> OfficerAnswer:
            await records.feed.hold()
            brief = await _existing(records, brief_id)
            known = await records.briefs.answer_of(answer_id)
            if known is not None and known.brief_id == brief_id:
                return known
            if known is not None or brief.incident_id is None:
                raise FarolitoError("this brief takes no such answer", "answer in another way")
            answer = OfficerAnswer(
                answer_id=answer_id,
                brief_id=brief_id,
                incident_id=brief.incident_id,
                unit=brief.unit,
                person=ask.person.person_id,
                kind=kind,
                at=self._clock(),
                tapped_at=tapped_at,
                says=says,
            )
            await records.briefs.answer(answer)
            await records.feed.tell("answer", answer, answer.at, brief.unit)
            await self._carry_out(records, brief, answer, ask, permit)
            return answer

        return await self._gate.safety(ask, work, self._facts_of(brief_id))

    async def complete(self) -> None:
        """Look up what version 1 could not wait for, and look again when a flag ends; until
        cancelled. After a restart every running brief is looked at."""
        assert self._system is not None, "the app gives the person who acts for the node"
        await self._retried(self._take_up)
        while True:
            self._news.clear()
            wait_s = None
            if self._waiting:
                wait_s = max(0.0, (self._waiting[0][0] - self._clock()).total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            while self._waiting and self._waiting[0][0] <= self._clock():
                _, brief_id = heapq.heappop(self._waiting)
                await self._retried(partial(self._complete_one, brief_id))

    async def _take_up(self) -> None:
        async def look(records: Records) -> list[Brief]:
            return await records.briefs.running(self._clock() - SHOWN_FOR)

        for brief in await self._gate.following(look):
            self._look_again(brief.brief_id, self._clock())

    async def _complete_one(self, brief_id: BriefId) -> None:
        """Once its transaction has committed; nothing where that was undone."""
        assert self._system is not None
        async with asyncio.timeout(COMMITTED_WITHIN_S):
            while not await self._gate.following(  # noqa: ASYNC110 - another transaction commits
                lambda r: r.briefs.latest(brief_id)
            ):
                await asyncio.sleep(LOOK_AGAIN_S)

        async def work(records: Records, permit: int) -> None:
            await records.feed.hold()
            brief = await _existing(records, brief_id)
            if brief.ended_at is not None or brief.incident_id is None:
                return
            incident = await records.incidents.get(brief.incident_id)
            assert incident is not None, "a brief's incident is kept as long as the brief"
            await self._running.renew(records, brief, incident, complete=True)

        ask = system_ask(self._system, Thing.BRIEF, f"look up for brief {brief_id}")
        await self._gate.safety(ask, work, self._facts_of(brief_id))

    async def _retried(self, work: Callable[[], Awaitable[None]]) -> None:
        """Until it is done: a store that is away comes back. A brief that was undone is let go."""
        waiting = False
        while True:
            try:
                await work()
                return
            except TimeoutError:
                return
            except _AWAY as why:
                if not waiting:
                    log.warning("briefs wait to be completed: %s", type(why).__name__)
                waiting = True
                await asyncio.sleep(AWAY_S)
            except FarolitoError as why:
                log.warning("a brief is not completed: %s", type(why).__name__)
                return

    def _look_again(self, brief_id: BriefId, at: datetime) -> None:
        if len(self._waiting) < WAITING_MAX:
            heapq.heappush(self._waiting, (at, brief_id))
        self._news.set()

    async def _carry_out(
        self, records: Records, brief: Brief, answer: OfficerAnswer, ask: Ask, permit: int
    ) -> None:
        status = _STATUS.get(answer.kind)
        words = answer.kind.value.replace("_", " ")
        if answer.kind is AnswerKind.ASK_RTCC:
            says = f"{brief.unit} asks the RTCC: {answer.says}" if answer.says else \
                f"{brief.unit} asks the RTCC to call"  # fmt: skip
            await self._note(records, brief, "ask_rtcc", says, ask, permit)
        elif status is None or brief.ended_at is not None or self.dispatch is None:
            says = f"{brief.unit}: {words}"
            await self._note(records, brief, "answer", says, ask, permit)
        else:
            assert brief.incident_id is not None
            says = f"{brief.unit}: {words}" + (f", {answer.says}" if answer.says else "")
            await self.dispatch.status_in(
                records, brief.incident_id, brief.unit, status, says, ask, permit
            )

    async def _note(  # noqa: PLR0913 - one field of the log each
        self, records: Records, brief: Brief, what: str, says: str, ask: Ask, permit: int
    ) -> None:
        if self.dispatch is not None and brief.incident_id is not None:
            await self.dispatch.note_in(
                records, brief.incident_id, what, says, ask, brief.unit, permit
            )

    async def _must_know(self, records: Records, unit_id: UnitId) -> None:
        if await self._lookup.unit(records, unit_id) is None:
            raise FarolitoError(f"there is no unit {unit_id}", "choose one of the list")

    async def _open_incident_of(self, records: Records, alert_id: AlertId) -> Incident | None:
        found = await records.incidents.of_part(alert_id)
        incident = await records.incidents.get(found) if found else None
        return incident if incident and incident.state is IncidentState.OPEN else None

    def _facts_of(
        self, brief_id: BriefId
    ) -> Callable[[Records], Awaitable[Mapping[str, str | int | bool]]]:
        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            brief = await records.briefs.latest(brief_id)
            return {"assigned_unit": brief.unit if brief else "", "confirmed": brief is not None}

        return facts


_DID = {
    ReceiptKind.DELIVERED: "got",
    ReceiptKind.OPENED: "opened",
    ReceiptKind.HEARD: "heard",
}


async def _existing(records: Records, brief_id: BriefId) -> Brief:
    brief = await records.briefs.latest(brief_id)
    if brief is None:
        raise FarolitoError("there is no such brief", "reload the page")
    return brief
