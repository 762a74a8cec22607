"""People of this node: sign-in by their agency's provider, and suspension here and at partners.

What follows from a suspension hears of it at once: sockets, pictures, phones, partners.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from farolito.app.config import Config
from farolito.console.elsewhere import People as ForScreens
from farolito.console.elsewhere import Shown
from farolito.federation.suspensions import Suspensions
from farolito.gate import Answer, Ask, Gate, Records
from farolito.identity import Elsewhere, Identity, Proving
from farolito.model import PersonId
from farolito.model.suspension import Because
from farolito.store import Database

TOLD_S_MAX = 3.0  # how long an answer waits for partners; they are told on afterwards


class PeopleRooms:
    """`suspensions`: None where the node knows no other agency. `on_changed`: who must look again
    whether somebody is still signed in."""

    def __init__(  # noqa: PLR0913 - the node's parts
        self,
        config: Config,
        identity: Identity,
        database: Database,
        gate: Gate,
        suspensions: Suspensions | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._identity = identity
        self._gate = gate
        self._suspensions = suspensions
        agency = config.own_agency.agency_id
        self.elsewhere = Elsewhere(
            identity, database, agency, config.oidc, config.origin, clock, os.urandom
        )
        self.proving = Proving(identity, database, clock)
        self.on_changed: list[Callable[[], None]] = []

    def for_screens(self) -> ForScreens:
        return ForScreens(
            elsewhere=self.elsewhere,
            proving=self.proving,
            view=self.view,
            suspend=self.suspend,
            restore=self.restore,
        )

    async def view(self, ask: Ask) -> Answer[Sequence[Shown]]:
        async def work(records: Records, permit: int) -> Sequence[Shown]:
            return [
                {
                    "person_id": one.person.person_id,
                    "name": one.person.name,
                    "role": one.person.role,
                    "unit": one.person.unit,
                    "active_at": one.active_at,
                    "suspended_at": one.suspended_at,
                    "locked_at": one.locked_at,
                    "passkeys": one.passkeys,
                }
                for one in await self._identity.people()
            ]

        return await self._gate.read(ask, work)

    async def suspend(self, ask: Ask, person_id: PersonId, because: Because) -> Answer[Shown]:
        """No sign-in, no screen, no picture, no push and no question to a partner from now on.
        Whoever has found a lost key finds it worth nothing, also after the person is restored.

        The answer says which partners know already; the others are told until they do.
        """

        async def work(records: Records, permit: int) -> int:
            is_lost = because is Because.LOST_KEY
            ended = await self._identity.suspend(person_id, passkeys_lost=is_lost)
            await records.push.drop_all(person_id)
            return len(ended)

        answer = await self._gate.act(ask, work)
        return Answer({"ended": answer.value, **await self._tell()}, answer.permit)

    async def restore(self, ask: Ask, person_id: PersonId) -> Answer[Shown]:
        async def work(records: Records, permit: int) -> int:
            return await self._identity.restore(person_id)

        answer = await self._gate.act(ask, work)
        return Answer({"passkeys": answer.value, **await self._tell()}, answer.permit)

    async def _tell(self) -> dict[str, Any]:
        for look_again in self.on_changed:
            look_again()
        if self._suspensions is None:
            return {"told": [], "not_told": []}
        self._suspensions.nudge()
        told: dict[Any, bool] = {}
        try:
            async with asyncio.timeout(TOLD_S_MAX):
                told = await self._suspensions.round()
        except TimeoutError:
            told = await self._suspensions.who_has_it()
        return {
            "told": sorted(one for one, has in told.items() if has),
            "not_told": sorted(one for one, has in told.items() if not has),
        }
