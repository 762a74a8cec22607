"""Briefs at work: sent once confirmed, renewed as facts come, recalled, answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from farolito.briefing.compose import Around, change_between, compose
from farolito.gate import Answer, Ask, Gate, Records
from farolito.model import (
    Alert,
    AlertId,
    AlertState,
    Brief,
    BriefId,
    FarolitoError,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Unit,
    UnitId,
)

SHOWN_FOR = timedelta(hours=12)  # the shift: an older brief is no longer on the phone


class Surroundings(Protocol):
    """What the map can tell: made by the app from the road graph and the registered readers."""

    def around(self, alert: Alert, unit: Unit, units: list[Unit]) -> Around: ...


Assign = Callable[[Records, Alert, UnitId, Ask, int], Awaitable[Alert]]
Close = Callable[[Records, AlertId, Outcome, Ask, int], Awaitable[Alert]]


class Briefing:
    def __init__(  # noqa: PLR0913 - made once, by the app
        self,
        gate: Gate,
        surroundings: Surroundings,
        assign: Assign,
        close: Close,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._surroundings = surroundings
        self._assign = assign
        self._close = close
        self._clock = clock
        self._ids = ids

    async def send(self, ask: Ask, alert_id: AlertId, unit_id: UnitId) -> Answer[Brief]:
        """The first version, to a unit. The policy refuses while no person has confirmed."""

        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            alert = await records.alerts.get(alert_id)
            return {"confirmed": alert is not None and alert.state is AlertState.CONFIRMED}

        async def work(records: Records, permit: int) -> Brief:
            alert = await records.alerts.get(alert_id, lock=True)
            if alert is None or alert.state is not AlertState.CONFIRMED:
                raise Refused("unconfirmed", "no person has confirmed this alert", "", permit)
            unit = await records.units.get(unit_id)
            if unit is None:
                raise FarolitoError(f"there is no unit {unit_id}", "choose one of the list")
            for brief in await records.briefs.of_alert(alert_id):
                if brief.unit == unit_id and not brief.recalled:
                    return brief
            alert = await self._assign(records, alert, unit_id, ask, permit)
            brief = await self._compose(records, alert, unit, ask)
            await records.briefs.add(brief)
            await records.feed.tell("brief", brief, brief.composed_at, unit_id)
            return brief

        return await self._gate.safety(ask, work, facts)

    async def mine(self, ask: Ask) -> Answer[tuple[int, list[tuple[Brief, list[Receipt]]]]]:
        """The briefs of the asker's own unit, newest first, and the feed's number to go on from."""
        unit = ask.person.unit or UnitId("")

        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            return {"assigned_unit": unit}

        async def work(
            records: Records, permit: int
        ) -> tuple[int, list[tuple[Brief, list[Receipt]]]]:
            seq = await records.feed.end()
            briefs = await records.briefs.of_unit(unit, self._clock() - SHOWN_FOR)
            return seq, [(b, await records.briefs.receipts(b.brief_id)) for b in briefs]

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
                await records.feed.tell("receipt", receipt, receipt.at, ask.person.unit)
            return receipt

        return await self._gate.safety(ask, work, self._facts_of(brief_id))

    async def answer(self, ask: Ask, brief_id: BriefId, outcome: Outcome) -> Answer[Brief]:
        """The officer's one tap. Said again it changes nothing."""

        async def work(records: Records, permit: int) -> Brief:
            brief = await _existing(records, brief_id)
            # Whoever makes a version holds the alert: a recall may be making one now.
            if brief.alert_id is None:
                raise FarolitoError("this brief is not about a plate", "answer in another way")
            await records.alerts.get(brief.alert_id, lock=True)
            brief = await _existing(records, brief_id)
            if brief.outcome == outcome.value:
                return brief
            assert brief.alert_id is not None, "versions of a brief stay with their alert"
            words = outcome.value.replace("_", " ")
            after = self._renewed(brief, f"Outcome: {words}.", outcome=outcome.value)
            await self._close(records, brief.alert_id, outcome, ask, permit)
            await records.briefs.add(after)
            await records.feed.tell("brief", after, after.composed_at, after.unit)
            return after

        return await self._gate.safety(ask, work, self._facts_of(brief_id))

    async def follow(self, records: Records, alert: Alert, _what: str) -> None:
        """An alert changed: every brief that came from it gets its new version, at once."""
        for brief in await records.briefs.of_alert(alert.alert_id):
            if brief.recalled:
                continue
            if alert.state is AlertState.RECALLED:
                reason = alert.decision_reason or "withdrawn by its owner"
                after = self._renewed(
                    brief,
                    f"Recalled: {reason}. Do not act on this plate.",
                    recalled=True,
                    recall_reason=reason,
                )
            else:
                after = await self._updated(records, alert, brief)
            if after.change != "No change.":
                await records.briefs.add(after)
                await records.feed.tell("brief", after, after.composed_at, after.unit)

    def _facts_of(
        self, brief_id: BriefId
    ) -> Callable[[Records], Awaitable[Mapping[str, str | int | bool]]]:
        async def facts(records: Records) -> Mapping[str, str | int | bool]:
            brief = await records.briefs.latest(brief_id)
            return {"assigned_unit": brief.unit if brief else "", "confirmed": brief is not None}

        return facts

    async def _compose(self, records: Records, alert: Alert, unit: Unit, ask: Ask) -> Brief:
        around = self._surroundings.around(alert, unit, await records.units.all())
        confirmed_by = f"operator {ask.person.name}"
        return Brief(
            brief_id=BriefId(self._ids()),
            alert_id=alert.alert_id,
            agency=alert.agency,
            unit=unit.unit_id,
            version=1,
            composed_at=self._clock(),
            lines=compose(alert, around, confirmed_by),
            change="New brief.",
            place=alert.newest.place,
            plate=alert.match.entry.plate,
            state=alert.match.entry.state,
            sent_by=ask.person.person_id,
            confirmed_by=confirmed_by,
        )

    async def _updated(self, records: Records, alert: Alert, brief: Brief) -> Brief:
        unit = await records.units.get(brief.unit)
        assert unit is not None, "a brief's unit was known when it was sent"
        around = self._surroundings.around(alert, unit, await records.units.all())
        lines = compose(alert, around, brief.confirmed_by)
        return self._renewed(
            brief, change_between(brief.lines, lines), lines=lines, place=alert.newest.place
        )

    def _renewed(self, brief: Brief, change: str, **changes: object) -> Brief:
        return msgspec.structs.replace(
            brief,
            version=brief.version + 1,
            composed_at=self._clock(),
            change=change,
            **changes,
        )


async def _existing(records: Records, brief_id: BriefId) -> Brief:
    brief = await records.briefs.latest(brief_id)
    if brief is None:
        raise FarolitoError("there is no such brief", "reload the page")
    return brief
