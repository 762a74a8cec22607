"""The agreements of this node as they stand, and what follows when one changes.

In: changes that the gate has permitted, and what partners tell of theirs. Out: the rules that the
gate decides by, the subjects that the bus lets through, news to the other side until it answers.
The own side acts first and waits for nobody: a partner who is away cannot hold up an end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from farolito.federation.signatures import digest
from farolito.gate import AWAY, Ask, Gate, Records, system_ask
from farolito.model import (
    OVER,
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Because,
    FarolitoError,
    Partner,
    Person,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)

log = logging.getLogger(__name__)

# What the world does to us, and what a later try mends.
TROUBLE: tuple[type[Exception], ...] = (FarolitoError, *AWAY)
EXPORT_S_MAX = 1.0  # for the bus; it is tried again, and every share is decided anew besides

Changed = Callable[[SignedAgreement], Awaitable[None]]
Exports = Callable[[AgencyId, Mapping[ShareClass, datetime]], Awaitable[None]]
Partners = Callable[[], Mapping[AgencyId, Partner]]


class Rules(Protocol):
    """What the rules make of agreements: the app's, which knows the room `policy`."""

    def write(self, agreement: Agreement) -> str:
        """The document: readable text and machine terms as one."""
        ...

    def parse(self, document: str) -> Agreement:
        """Its terms. Raises Invalid."""
        ...

    def use(self, signed: Sequence[SignedAgreement]) -> None:
        """From now on the gate decides by these and no other agreement. All that were ever signed,
        in whatever state: what is over is refused by its name."""
        ...

    async def simulate(
        self, records: Records, draft: SignedAgreement, days: int
    ) -> Mapping[str, Any]:
        """Who would gain or lose by it, on the questions of the last days: `asked`, `gains`,
        `losses`."""
        ...


class AgreementBook:
    def __init__(  # noqa: PLR0913 - the rooms that an agreement moves
        self,
        gate: Gate,
        system: Person,
        rules: Rules,
        partners: Partners,
        exports: Exports,
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._system = system
        self.rules = rules
        self.partners = partners
        self._exports = exports
        self._clock = clock
        self._all: dict[AgreementId, SignedAgreement] = {}
        self._exported: dict[AgencyId, Mapping[ShareClass, datetime]] = {}
        self.changed = asyncio.Event()  # something is to be told, or ends at another time
        self._running: set[asyncio.Task[None]] = set()
        # In the transaction of each change: whoever must not lose it.
        self.in_change: list[Callable[[Records, SignedAgreement], Awaitable[None]]] = []
        self.on_changed: list[Changed] = []  # after it, beside: screens
        # What came by it is to be deleted over there: revoked, or mutual aid that is over.
        self.on_revoked: list[Changed] = []

    @property
    def own(self) -> AgencyId:
        return self._gate.owner

    async def start(self) -> None:
        """Read what is kept, and let it act."""
        kept = await self._gate.following(lambda records: records.agreements.all())
        self._all = {one.agreement.agreement_id: one for one in kept}
        self.refresh()
        await self._export()

    def refresh(self) -> None:
        """Let the gate decide by what is known now: also when a partner has changed."""
        unsigned = (AgreementState.DRAFT, AgreementState.PROPOSED)
        self.rules.use([one for one in self._all.values() if one.state not in unsigned])

    def next_time(self) -> datetime | None:
        """When the next one begins or ends."""
        now = self._clock()
        times = (
            t for one in self.in_force() for t in (one.agreement.starts, one.agreement.expires)
        )
        return min((t for t in times if t > now), default=None)

    def all(self) -> list[SignedAgreement]:
        """The newest change first."""
        return sorted(self._all.values(), key=lambda one: one.changed_at, reverse=True)

    def get(self, agreement_id: AgreementId) -> SignedAgreement | None:
        return self._all.get(agreement_id)

    def in_force(self) -> list[SignedAgreement]:
        """Signed and not over; some may begin later."""
        now = self._clock()
        return [
            one
            for one in self._all.values()
            if one.state is AgreementState.IN_FORCE and now < one.agreement.expires
        ]

    # What changes

    async def keep(
        self, records: Records, signed: SignedAgreement, permit: int, *, tell: bool
    ) -> None:
        """In the transaction of the change. `tell`: the other side learns of it."""
        await records.agreements.keep(signed, permit)
        for follow in self.in_change:
            await follow(records, signed)
        if tell:
            other = self.other(signed.agreement)
            receipt = await self._gate.receipt(permit)
            await records.agreements.will_tell(signed.agreement.agreement_id, other, receipt)

    async def take_effect(self, changed: Sequence[SignedAgreement]) -> None:
        """After that transaction: the rules first, then the bus; who follows is told beside."""
        for one in changed:
            before = self._all.get(one.agreement.agreement_id)
            # Two changes may come here in the other order than they were written down in.
            if before is None or before.state not in OVER or one.state in OVER:
                self._all[one.agreement.agreement_id] = one
        self.refresh()
        await self._export()
        for one in changed:
            followers = [*self.on_changed, *(self.on_revoked if is_purged(one) else ())]
            for follow in followers:
                self._beside(follow(one))
        self.changed.set()

    async def replace(
        self, records: Records, by: SignedAgreement, permit: int
    ) -> list[SignedAgreement]:
        """What `by` supersedes ends with its coming into force."""
        if by.agreement.supersedes is None:
            return []
        before = await records.agreements.get(by.agreement.supersedes)
        if before is None or before.state is not AgreementState.IN_FORCE or not _same(before, by):
            return []
        after = self.as_of_now(before, AgreementState.REPLACED)
        await self.keep(records, after, permit, tell=False)
        return [after]

    async def left(self, partner: AgencyId) -> Mapping[str, Any]:
        """The agencies part: everything between them ends, here, at once."""
        ended = 0
        for one in self.all():
            if one.state not in OVER and self.other(one.agreement) == partner:
                ask = self.ask(one, f"{partner} and we part: agreement {id_of(one)} ends")
                await self._end(one, AgreementState.REVOKED, ask, Because.LEAVING)
                ended += 1
        return {"agreements_ended": ended}

    def other(self, terms: Agreement) -> AgencyId:
        return terms.grantee if terms.grantor == self.own else terms.grantor

    # By time

    async def tick(self) -> None:
        """End what is past its time, open what has begun."""
        now = self._clock()
        for one in self.all():
            if one.state is AgreementState.IN_FORCE and one.agreement.expires <= now:
                ask = self.ask(one, f"agreement {id_of(one)} ends by its time")
                await self._end(one, AgreementState.EXPIRED, ask)
        await self._export()

    async def _end(
        self,
        one: SignedAgreement,
        state: AgreementState,
        ask: Ask,
        because: Because | None = None,
    ) -> None:
        async def work(records: Records, permit: int) -> SignedAgreement | None:
            before = await records.agreements.get(one.agreement.agreement_id)
            if before is None or before.state in OVER:
                return None
            after = self.as_of_now(before, state)
            if because:
                after = msgspec.structs.replace(
                    after, revoked_by=self.own, revoked_because=because.value
                )
            await self.keep(records, after, permit, tell=False)
            return after

        ended = (await self._gate.act(ask, work)).value
        if ended is not None:
            await self.take_effect([ended])

    async def settled(self) -> None:
        """Return when whoever follows has done its work."""
        while self._running:
            await asyncio.wait(self._running)

    def stop(self) -> None:
        for task in self._running:
            task.cancel()

    # Steps

    def as_of_now(self, one: SignedAgreement, state: AgreementState) -> SignedAgreement:
        return msgspec.structs.replace(one, state=state, changed_at=self._clock())

    def ask(self, one: SignedAgreement, query: str, counterpart: str | None = None) -> Ask:
        return msgspec.structs.replace(
            system_ask(self._system, Thing.AGREEMENT, query),
            fixes=digest(one.document).hex(),
            agreement=one.agreement.agreement_id,
            counterpart=counterpart,
        )

    async def _export(self) -> None:
        """What the bus lets through to each partner follows from what acts at this moment."""
        now = self._clock()
        wanted: dict[AgencyId, dict[ShareClass, datetime]] = {one: {} for one in self._exported}
        for one in self.in_force():
            terms = one.agreement
            if terms.grantor != self.own or Sharing.FOLLOW not in terms.sharing:
                continue
            if terms.starts <= now:
                classes = wanted.setdefault(terms.grantee, {})
                for name in terms.classes:
                    classes[name] = max(terms.expires, classes.get(name, terms.expires))
        for partner, classes in wanted.items():
            if self._exported.get(partner, {}) != classes:
                await self._export_to(partner, classes)

    async def _export_to(self, partner: AgencyId, classes: Mapping[ShareClass, datetime]) -> None:
        try:
            async with asyncio.timeout(EXPORT_S_MAX):
                await self._exports(partner, classes)
        except (FarolitoError, TimeoutError, OSError) as error:
            # Tried again soon. What leaves is decided by the rules anyway, which are new already.
            log.warning("the bus is not told what %s may have: %s", partner, error)
        else:
            self._exported[partner] = classes

    def _beside(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            try:
                await work
            except TROUBLE:
                log.exception("what follows a changed agreement")

        task = asyncio.create_task(run(), name="after an agreement changed")
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def is_purged(one: SignedAgreement) -> bool:
    """Whether what came by it must not be kept for its agreed days. Mutual aid that was opened
    anew goes on in the new one."""
    return one.state is AgreementState.REVOKED or (
        one.state is AgreementState.EXPIRED and one.agreement.incident is not None
    )


def _same(one: SignedAgreement, other: SignedAgreement) -> bool:
    """Between the same two, in the same direction."""
    return (one.agreement.grantor, one.agreement.grantee) == (
        other.agreement.grantor,
        other.agreement.grantee,
    )


def id_of(one: SignedAgreement) -> AgreementId:
    return one.agreement.agreement_id
