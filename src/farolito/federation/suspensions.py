"""Who is suspended, told among agencies: each tells its own people, and refuses the others'.

One message says all: the number of our list, the list where the other lacks it, and which number of
theirs we have; its answer says the same of them. It is sent when our list changes, until it is
answered, and every minute, so that a message that was lost is made up for by the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from farolito.federation.envelope import Envelope, body_of
from farolito.federation.post import Post
from farolito.gate import AWAY, Gate, Records, system_ask
from farolito.model import (
    AgencyId,
    FarolitoError,
    Partner,
    PartnerState,
    Person,
    PersonId,
    Refused,
    Thing,
)

log = logging.getLogger(__name__)

SUSPENDED_MAX = 20_000  # of one agency; a longer list is refused whole
ASKED_EVERY = timedelta(seconds=60)  # what was lost on the way is known after so long
RETRY_S = 2.0  # after a partner that is away

# The number of our own list, and who is on it.
Own = Callable[[], Awaitable[tuple[int, Sequence[PersonId]]]]


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`people`: who of ours is suspended, by ids alone; None: you have that number already.
    `have`: the number of your list that we have."""

    version: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    people: Annotated[tuple[PersonId, ...], msgspec.Meta(max_length=SUSPENDED_MAX)] | None
    have: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Suspensions:
    """Registers itself at the post for `suspend`. `load` first; `run` beside the rest."""

    def __init__(  # noqa: PLR0913 - who we are, whom we know, and how it travels
        self,
        gate: Gate,
        post: Post,
        system: Person,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        own: Own,
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._post = post
        self._system = system
        self._partners = partners
        self._own = own
        self._clock = clock
        self._elsewhere: dict[AgencyId, frozenset[PersonId]] = {}
        self._told: dict[AgencyId, int] = {}
        self._heard: dict[AgencyId, int] = {}
        self._asked_at: dict[AgencyId, datetime] = {}
        self._hearing = asyncio.Lock()
        self._nudged = asyncio.Event()
        post.on("suspend", self._take)

    async def load(self) -> None:
        async def work(records: Records) -> None:
            self._elsewhere = dict(await records.suspensions.elsewhere())
            self._told = await records.suspensions.told()
            self._heard = await records.suspensions.heard()

        await self._gate.following(work)

    def is_suspended(self, agency: AgencyId, person_id: PersonId) -> bool:
        """Whether that agency told us so of its own person."""
        return person_id in self._elsewhere.get(agency, ())

    def nudge(self, partner: AgencyId | None = None) -> None:
        """Our list changed, or this partner is there again."""
        if partner is not None:
            self._asked_at.pop(partner, None)
        self._nudged.set()

    async def run(self) -> None:
        """Tell and ask. Never returns."""
        while True:
            self._nudged.clear()
            wait_s = ASKED_EVERY.total_seconds()
            try:
                if not all((await self.round()).values()):
                    wait_s = RETRY_S
            except AWAY as error:
                log.warning("suspensions wait: no records (%s)", type(error).__name__)
                wait_s = RETRY_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    async def round(self) -> dict[AgencyId, bool]:
        """Tell and ask every confirmed partner that is due; which of all have our list as it is."""
        version, people = await self._own()
        due = [one for one in self._confirmed() if self._is_due(one, version)]
        await asyncio.gather(*(self._exchange(one, version, people) for one in due))
        return await self.who_has_it()

    async def who_has_it(self) -> dict[AgencyId, bool]:
        """Which confirmed partners have our list as it is."""
        version, _ = await self._own()
        return {one: self._has(one, version) for one in self._confirmed()}

    async def left(self, partner: AgencyId) -> Mapping[str, int]:
        """A partner has left: what it told us of its people goes. For its receipt."""

        async def work(records: Records) -> None:
            await records.suspensions.forget(partner)

        await self._gate.following(work)
        gone = len(self._elsewhere.pop(partner, ()))
        for kept in (self._told, self._heard, self._asked_at):
            kept.pop(partner, None)
        return {"suspensions": gone}

    def _confirmed(self) -> list[AgencyId]:
        return [a for a, p in self._partners().items() if p.state is PartnerState.CONFIRMED]

    def _has(self, partner: AgencyId, version: int) -> bool:
        return version == 0 or self._told.get(partner) == version

    def _is_due(self, partner: AgencyId, version: int) -> bool:
        asked_at = self._asked_at.get(partner)
        is_old = asked_at is None or self._clock() - asked_at >= ASKED_EVERY
        return is_old or not self._has(partner, version)

    async def _exchange(self, partner: AgencyId, version: int, people: Sequence[PersonId]) -> None:
        said = Said(
            version=version,
            people=None if self._has(partner, version) else tuple(people),
            have=self._heard.get(partner, 0),
        )
        try:
            back: Said = body_of(await self._post.ask(partner, "suspend", said), Said)
            await self._hear(partner, back)
            if back.have == version and not self._has(partner, version):
                await self._gate.keep_messages(lambda r: r.suspensions.tell(partner, version))
                self._told[partner] = version
            self._asked_at[partner] = self._clock()
        except (Refused, FarolitoError) as no:
            log.info("%s does not hear who is suspended yet: %s", partner, no)

    async def _take(self, envelope: Envelope) -> Said:
        said: Said = body_of(envelope, Said)
        partner = envelope.sender
        await self._hear(partner, said)
        version, people = await self._own()
        return Said(
            version=version,
            people=None if said.have == version else tuple(people),
            have=self._heard.get(partner, 0),
        )

    async def _hear(self, partner: AgencyId, said: Said) -> None:
        """Their list in place of the one before. Who is on it is refused from this moment, who is
        on it no more when that is durable. Raises LedgerDown."""
        people = frozenset(said.people or ())
        async with self._hearing:
            if said.people is None or said.version <= self._heard.get(partner, 0):
                return
            self._elsewhere[partner] = self._elsewhere.get(partner, frozenset()) | people

            async def work(records: Records, permit: int) -> None:
                await records.suspensions.keep(partner, said.version, people, self._clock())

            query = f"{partner} suspends {len(people)} of its people"
            await self._gate.act(system_ask(self._system, Thing.PARTNER, query), work)
            self._elsewhere[partner] = people
            self._heard[partner] = said.version
