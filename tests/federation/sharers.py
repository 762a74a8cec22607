"""Neighbours whose desks share: each follows its own alerts, shots and incidents, sends what an
agreement lets flow, and takes in what others send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from farolito.app.clock import ids
from farolito.desk import Desk, Dispatch
from farolito.desk.shots import ShotDesk
from farolito.federation.flows import Flows
from farolito.federation.lanes import Lanes
from farolito.federation.receiving import Receiving
from farolito.federation.sending import Sender
from farolito.federation.sharing import Outbox
from farolito.gate import Ask
from farolito.model import (
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Alert,
    Answering,
    CallKind,
    CallUpdate,
    DeviceId,
    Incident,
    Match,
    Point,
    Purpose,
    ReadId,
    Role,
    ShareClass,
    Sharing,
    ShotAlert,
    SignedAgreement,
    SoundKind,
    Standing,
    Thing,
    Unit,
    UnitId,
)
from farolito.model.shared import SharedItem
from tests.desk.city import NoMap
from tests.federation.neighbours import Neighbours, Side
from tests.plates.plate_builders import read, row
from tests.shot_builders import shot

DOWNTOWN = Point(35.0844, -106.6504)
FOLLOWED = (
    ShareClass.ALERT,
    ShareClass.SHOT,
    ShareClass.INCIDENT,
    ShareClass.UNIT,
    ShareClass.HOT_LIST,
)
EVERY_CLASS = dict.fromkeys(FOLLOWED, Answering.FULL)


class Sharer:
    """One side at work."""

    def __init__(self, side: Side, agreed: dict[AgreementId, SignedAgreement]) -> None:
        self.side, self.agreed = side, agreed
        gate, system, clock = side.gate, side.system, side.clock
        self.units: list[Unit] = []
        self.desk = Desk(gate, system, clock, ids)
        self.dispatch = Dispatch(gate, system, NoMap(), clock, ids)
        self.shots = ShotDesk(gate, system, clock, ids, lambda _: "")
        self.flows = Flows(lambda: gate.policies, lambda: side.partners, clock, UTC)
        self.outbox = Outbox(gate, system, self.flows, clock, lambda: self.units)
        self.sender = Sender(gate, side.post, system, self.flows, clock)
        self.lanes = Lanes(self.sender, gate, self.flows, clock, lambda: self.units)
        self.receiving = Receiving(gate, system, lambda: side.partners, agreed.get, clock)
        self.outbox.put = self.lanes.mark
        self.desk.followers.extend([self.dispatch.follow_alert, self.outbox.follow_alert])
        self.shots.followers.extend([self.dispatch.follow_shot, self.outbox.follow_shot])
        self.dispatch.followers.append(self.outbox.follow_incident)
        side.post.on("share", self.receiving.take)
        side.post.on("purge", self.receiving.purge)
        gate.after_act = self.lanes.nudge
        self.operator = side.person(Role.OPERATOR)

    @property
    def agency_id(self) -> AgencyId:
        return self.side.agency_id

    def ask(self, thing: Thing, purpose: Purpose = Purpose.IN_PROGRESS_CALL) -> Ask:
        return self.side.ask(self.operator, thing, purpose)

    async def seen(self, plate: str = "ABC123", place: Point = DOWNTOWN, **of_row: Any) -> Alert:
        """A listed plate passed one of our readers."""
        own = self.agency_id
        passing = msgspec.structs.replace(
            read(plate, captured_at=self.side.clock()), agency=own, read_id=ReadId(uuid4()),
            event=str(uuid4()), place=place,
        )  # fmt: skip
        entry = msgspec.structs.replace(
            row(plate, number=int(plate, 36)), **{"agency": own, **of_row}
        )
        match = Match(read=passing, entry=entry, standing=Standing.LEAD, posterior=0.99, checks=())
        alert = await self.desk.raise_match(match)
        assert alert is not None
        return alert

    async def confirmed(
        self, plate: str = "ABC123", place: Point = DOWNTOWN, **of_row: Any
    ) -> Alert:
        alert = await self.seen(plate, place, **of_row)
        ask = self.ask(Thing.ALERT, Purpose.HOT_LIST_ALERT)
        done = await self.desk.confirm(ask, alert.alert_id, alert.version, state_confirmed=True)
        return done.value

    async def recalled(self, alert: Alert, reason: str = "recovered") -> None:
        ask = self.ask(Thing.HOT_LIST, Purpose.HOT_LIST_ALERT)

        async def work(records: Any, permit: int) -> None:
            entries = [alert.match.entry.entry_id]
            await self.desk.recall_in(records, entries, reason, ask, permit)

        await self.side.gate.act(ask, work)

    async def heard(self, place: Point = DOWNTOWN) -> ShotAlert:
        solved = msgspec.structs.replace(
            shot(5, self.side.clock(), place=place), agency=self.agency_id
        )
        alert = await self.shots.hear(solved, f"boot:{uuid4()}")
        assert alert is not None
        return alert

    async def reviewed(self, alert: ShotAlert, kind: SoundKind = SoundKind.GUNSHOT) -> ShotAlert:
        ask = self.ask(Thing.SHOT)
        return (await self.shots.review(ask, alert.alert_id, alert.version, kind, ())).value

    async def call(self, number: str, place: Point = DOWNTOWN, **told: Any) -> Incident:
        now = self.side.clock()
        update = CallUpdate(
            agency=self.agency_id, source=DeviceId("cad"), number=number, sent_at=now, told_at=now,
            **{"kind": CallKind.ROBBERY, "place": place, **told},
        )  # fmt: skip
        assert await self.dispatch.hear([update])
        async with self.side.records() as records:
            known = await records.calls.by_number(number)
            assert known is not None
            assert known.incident is not None
            found = await records.incidents.get(known.incident)
            assert found is not None
            return found

    def unit(self, name: str, place: Point = DOWNTOWN, *, muted: bool = False) -> Unit:
        """Where one of our units is now."""
        unit = Unit(
            unit_id=UnitId(name), agency=self.agency_id, place=place,
            heard_at=self.side.clock(), muted=muted,
        )  # fmt: skip
        self.units[:] = [*(u for u in self.units if u.unit_id != unit.unit_id), unit]
        return unit

    async def send(self, to: Sharer) -> None:
        """All that waits for a partner goes out now."""
        partner = to.agency_id
        for send in (
            self.sender.send_recalls, self.sender.send_items, self.sender.send_handovers,
            self.sender.send_purges,
        ):  # fmt: skip
            while await send(partner):
                pass

    async def shown(self) -> list[SharedItem]:
        """What partners let us have, as screens get it; the newest first."""
        async with self.side.records() as records:
            return await records.sharing.shown()

    async def waits_for(self, partner: Sharer) -> int:
        async with self.side.records() as records:
            behind = await records.sharing.behind()
            return next((b.waiting for b in behind if b.partner == partner.agency_id), 0)

    async def fed(self) -> list[dict[str, Any]]:
        """What the live feed holds of shared things, in order."""
        async with self.side.records() as records:
            items = await records.feed.after(0)
        return [msgspec.json.decode(i.body) for i in items or () if i.kind == "shared"]

    async def entries(self) -> list[dict[str, Any]]:
        return [dict(one.entry) for one in await self.side.ledger.entries(-1, 1_000)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.lanes.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Sharers:
    """The three, and what they agreed: both sides of an agreement know it."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self.agreed: dict[AgreementId, SignedAgreement] = {}
        self.city = Sharer(neighbours.city, self.agreed)
        self.sheriff = Sharer(neighbours.sheriff, self.agreed)
        self.pueblo = Sharer(neighbours.pueblo, self.agreed)

    def agree(self, grantor: Sharer, grantee: Sharer, **terms: Any) -> Agreement:
        now = grantor.side.clock()
        told: dict[str, Any] = {
            "agreement_id": AgreementId(ids()), "grantor": grantor.agency_id,
            "grantee": grantee.agency_id, "title": "test", "text": "", "starts": now,
            "classes": EVERY_CLASS, "sharing": (Sharing.FOLLOW,),
            "purposes": (Purpose.IN_PROGRESS_CALL,), "roles": (Role.OPERATOR,),
            "expires": now + timedelta(days=30), "keep_days": 7, **terms,
        }  # fmt: skip
        agreement = Agreement(
            **{**told, "classes": {name: Answering(how) for name, how in told["classes"].items()}}
        )
        self._put(agreement, AgreementState.IN_FORCE)
        return agreement

    def revoke(self, agreement: Agreement) -> None:
        self._put(agreement, AgreementState.REVOKED)

    def _put(self, agreement: Agreement, state: AgreementState) -> None:
        """Both sides' rules are made anew, as when an agreement changes."""
        now = self.city.side.clock()
        self.agreed[agreement.agreement_id] = SignedAgreement(
            document="", agreement=agreement, state=state, drafted_at=now, changed_at=now
        )
        for one in (self.city, self.sheriff, self.pueblo):
            side = one.side
            signed = list(self.agreed.values())
            side.gate.use(side.gate.policies.with_agreements(signed, side.partners))
