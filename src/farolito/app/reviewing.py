"""Reviews, made of a node's parts: who looks through the ledger, who decides, whom it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from farolito.app.health import Finding
from farolito.federation import Post
from farolito.federation.reviewing import Reviewing
from farolito.gate import Gate
from farolito.model import AgencyId, Partner, Person, Role
from farolito.review.desk import ReviewDesk
from farolito.review.watching import Watching

SHOWN = timedelta(days=7)


class Reviews:
    """What the node needs of it: `work` among its works, `findings` on its health page, `desk` for
    its screens. `people`: who may sign in now."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        gate: Gate,
        system: Person,
        people: Callable[[], Awaitable[Sequence[Person]]],
        post: Post,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._people = people
        self._clock = clock
        self.watching = Watching(gate, system, people, clock, ids)
        self.desk = ReviewDesk(gate, people, clock, ids, self.watching.looked)
        self.telling = Reviewing(gate, post, system, partners, people, clock, ids)
        self.watching.on_raised.append(self.telling.nudge)
        post.on("review", self.telling.take)

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"reviews": self.watching.run, "notices of reviews": self.telling.run}

    async def findings(self) -> list[Finding]:
        """For the health page: what nobody decided in time, nobody can decide, or was changed."""
        now = self._clock()
        counts = await self._gate.following(lambda r: r.reviews.counts(now - SHOWN, now, now))
        found = []
        if late := sum(one.overdue for one in counts):
            told = "1 review of a search is" if late == 1 else f"{late} reviews of searches are"
            found.append(
                Finding("look", f"{told} past the deadline", "who is to look opens /review")
            )
        if sum(one.open for one in counts):
            there = {person.role for person in await self._people()}
            found += [
                Finding(
                    "look",
                    f"nobody here signs in as {role.value}, so some reviews stay undecided",
                    "see: farolito person --help",
                )
                for role in (Role.AUDITOR, Role.OVERSIGHT)
                if role not in there
            ]
        if altered := len(self.watching.altered):
            found.append(
                Finding(
                    "wrong",
                    f"what the ledger keeps of {altered} searches was changed",
                    "call the auditor: the table ledger_personal has been changed",
                )
            )
        return found
