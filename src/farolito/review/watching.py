"""The node's look at its own searches: at once for what cannot wait, a day later for the rest.

What the rules remember lives in memory and is made anew from the ledger at each start; whether a
search was explained is kept from when it was heard, so that a case which has ended meanwhile
changes no judgement. Each look is an entry; where there is nothing to look at, none is made.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from farolito.gate import AWAY, Gate, Records, system_ask
from farolito.gate.looking import Asked, drawn, searches, searches_of
from farolito.model import FarolitoError, Person, PersonId, Review, ReviewId, Role, Thing
from farolito.model.shift import Worked
from farolito.review.cases import Crew, case_of
from farolito.review.detectors import AGAIN_AFTER, REMEMBERED, Detectors, Finding, Rule
from farolito.review.raising import ESCALATED, raised
from farolito.review.reading import ELSEWHERE, search_of
from farolito.review.search import (
    WRITTEN_LATE,
    Case,
    Explained,
    Looked,
    Search,
    explained,
    is_same,
)

log = logging.getLogger(__name__)

EVERY_S = 5.0
PAGE = 2_000  # searches looked at in one step
DRAW_BLOCK = 1_000  # entries that are drawn from together
DRAW_SHARE = 50  # one entry in so many is drawn
_FAILED: tuple[type[BaseException], ...] = (FarolitoError, *AWAY)
FORGET_EVERY = timedelta(days=1)


class _Work(msgspec.Struct, frozen=True):
    """What there is to do: entries [first, end), whether some search is due or a block can be
    drawn, and reviews that nobody decided in time."""

    first: int
    end: int
    searched: bool
    due: bool
    block: int | None
    overdue: bool

    @property
    def is_idle(self) -> bool:
        return not (self.searched or self.due or self.block is not None or self.overdue)


class Watching:
    """`crew`: our own people with their units. `on_raised` hears that there are new reviews."""

    def __init__(  # noqa: PLR0913 - what it looks through, as whom, when
        self,
        gate: Gate,
        system: Person,
        crew: Crew,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        *,
        block: int = DRAW_BLOCK,
    ) -> None:
        self._gate = gate
        self._system = system
        self._crew = crew
        self._clock = clock
        self._ids = ids
        self._block = block
        self._detectors: Detectors | None = None  # None: to be made anew
        self._next = 0  # the first entry that was not looked at in this run
        self._seen = -1  # the newest that somebody was told of what cannot wait
        self._drawn = 0  # the end of the last block that was drawn from
        self._waiting: deque[Search] = deque()
        self._duty: Mapping[tuple[PersonId, datetime], bool] = {}  # of the page that is heard
        self._forgot_at = clock()
        self.altered: set[int] = set()  # entries whose kept values are not those committed to
        self.on_raised: list[Callable[[], None]] = []

    async def run(self) -> None:
        while True:
            try:
                busy = await self.step()
            except _FAILED as error:
                log.warning("searches are not looked at now: %s", type(error).__name__)
                busy = False
            if not busy:
                await asyncio.sleep(EVERY_S)

    async def step(self) -> bool:
        """Do what there is to do, at most a page of it; False: there was nothing.

        After a failure everything is read anew: a rule that heard a search whose transaction was
        lost would hear it twice.
        """
        work = await self._gate.following(self._what)
        if work.is_idle:
            self._next = work.end
            return False
        ask = system_ask(
            self._system, Thing.REVIEW, f"searches of entries {work.first} to {work.end - 1}"
        )

        async def look(records: Records, permit: int) -> tuple[int, int]:
            return await self._look(records, work)

        try:
            on, told = (await self._gate.act(ask, look)).value
        except BaseException:
            self._detectors = None
            raise
        self._next = on
        if told:
            for tell in self.on_raised:
                tell()
        return True

    @property
    def seen(self) -> int:
        """The newest search that was looked at for what cannot wait; -1: none."""
        return self._seen

    def looked(self, person: PersonId, subject: str) -> Looked | None:
        """What this person is to be reminded of who looks for it now; None where the looks are
        all of one shift. It comes from what the rules remember: nothing is read for it."""
        heard = self._detectors.looks(person, subject) if self._detectors else None
        mine = [s for s in self._waiting if s.person == person and is_same(s.subject, subject)]
        since = [heard.since] if heard else [search.at for search in mine[:1]]
        if not since or self._clock() - since[0] < AGAIN_AFTER:
            return None
        return Looked((heard.times if heard else 0) + len(mine) + 1, since[0])

    async def _what(self, records: Records) -> _Work:
        reviews, now = records.reviews, self._clock()
        if self._detectors is None:
            self._detectors = Detectors(
                lambda _: None, on_duty=lambda who, at: self._duty.get((who, at))
            )
            self._waiting.clear()
            self._next = await reviews.first_since(now - REMEMBERED)
            marks, size = await reviews.marks(), await reviews.size()
            self._seen = marks.get("seen", -1)
            # The first start draws from no past.
            self._drawn = marks.get("drawn", size - size % self._block)
        self._detectors.protected = await reviews.protected()
        size = await reviews.size()
        return _Work(
            first=self._next,
            end=size,
            searched=bool(await reviews.asked(self._next, size, 1)),
            due=self._is_due(now),
            block=await self._drawable(records, size),
            overdue=bool(await _overdue(records, now)),
        )

    def _is_due(self, now: datetime) -> bool:
        return bool(self._waiting) and self._waiting[0].at <= now - WRITTEN_LATE

    async def _drawable(self, records: Records, size: int) -> int | None:
        """The first entry of a block that is full and not drawn from, once its draw is known."""
        end = self._drawn + self._block
        if size <= end or await records.reviews.next_checkpoint(end) is None:
            return None
        return self._drawn

    async def _look(self, records: Records, work: _Work) -> tuple[int, int]:
        """Where to go on, and how many reviews there are new."""
        found, on = await self._page(records, work)
        found += await self._late(records)
        if work.block is not None:
            found += await self._draw(records, work.block)
        for finding in found:
            await self._raise(records, finding)
        await self._escalate(records)
        await records.reviews.mark("drawn", self._drawn)
        return on, len(found)

    async def _page(self, records: Records, work: _Work) -> tuple[list[Finding], int]:
        """Hear the new searches at once; again what was heard before this start."""
        assert self._detectors is not None
        page, on = await searches(records, work.first, work.end, PAGE)
        if not page:
            return [], on
        heard = await records.reviews.heard(work.first, on)
        found: list[Finding] = []
        self.altered.update(one.index for one in page if one.altered)
        asked = _readable(page)
        self._duty = await self._on_duty(records, asked)
        for search in asked:
            known = heard.get(search.entry)
            if known is not None:
                why = Explained(*known)
                self._detectors.later(search, why)
            else:
                self._waiting.append(search)
                why = await self._why_protected(records, search)
            told = self._detectors.at_once(search, why)
            found += told if search.entry > self._seen else []
        self._seen = max(self._seen, page[-1].index)
        await records.reviews.mark("seen", self._seen)
        return found, on

    async def _on_duty(
        self, records: Records, page: Sequence[Search]
    ) -> Mapping[tuple[PersonId, datetime], bool]:
        """Of our own people who searched, where a roster speaks of them."""
        zone = self._gate.zone
        worked = [
            Worked(one.person, one.at, one.at.astimezone(zone).date())
            for one in page
            if one.agency == self._gate.owner
        ]
        return await records.rosters.on_duty(worked) if worked else {}

    async def _why_protected(self, records: Records, search: Search) -> Explained:
        """Only what is protected asks for its case at once."""
        assert self._detectors is not None
        if search.subject not in self._detectors.protected:
            return Explained()
        return await self._why(records, search, {})

    async def _why(
        self, records: Records, search: Search, cases: dict[str, Case | None]
    ) -> Explained:
        if search.agency != self._gate.owner:
            return ELSEWHERE
        number = search.case
        if number is not None and number not in cases:
            cases[number] = await case_of(records, number, self._crew)
        return explained(search, cases.get)

    async def _late(self, records: Records) -> list[Finding]:
        """Hear those whose explanation has had its time."""
        assert self._detectors is not None
        now, found = self._clock(), []
        heard: list[tuple[int, bool, bool]] = []
        cases: dict[str, Case | None] = {}
        while self._is_due(now) and len(heard) < PAGE:
            search = self._waiting.popleft()
            why = await self._why(records, search, cases)
            heard.append((search.entry, why.by_subject, why.lead))
            found += self._detectors.later(search, why)
        if heard:
            await records.reviews.hear(heard)
        if now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            self._detectors.forget(now - REMEMBERED)
            await records.reviews.forget_heard(await records.reviews.first_since(now - REMEMBERED))
        return found

    async def _draw(self, records: Records, first: int) -> list[Finding]:
        """Every search among the entries that the lot fell on."""
        end = first + self._block
        entries = await drawn(records, first, end, -(-self._block // DRAW_SHARE))
        if entries is None:
            return []
        self._drawn = end
        says = f"drawn by lot from entries {first} to {end - 1}, by the ledger's next checkpoint"
        return [
            Finding(
                rule=Rule.SAMPLE,
                person=search.person,
                agency=search.agency,
                at=search.at,
                entries=(search.entry,),
                says=says,
            )
            for search in _readable(await searches_of(records, entries))
        ]

    async def _raise(self, records: Records, finding: Finding) -> None:
        asked = await _of(records, finding.entries)
        told = raised(finding, asked, self._gate.owner, ReviewId(self._ids()), self._clock())
        await records.reviews.put(told.review, told.key, tell=told.tell)

    async def _escalate(self, records: Records) -> None:
        now = self._clock()
        for late in await _overdue(records, now):
            await records.reviews.save(
                msgspec.structs.replace(
                    late, assigned=Role.OVERSIGHT, escalated_at=now, due=now + ESCALATED
                )
            )


def _readable(asked: Iterable[Asked]) -> list[Search]:
    return [search for search in map(search_of, asked) if search is not None]


async def _of(records: Records, entries: Collection[int]) -> list[Asked]:
    found = await searches_of(records, entries)
    assert found, "a finding is of searches that were just read"
    return found


async def _overdue(records: Records, now: datetime) -> list[Review]:
    """Those that go on to oversight: none about somebody of it."""
    late = await records.reviews.overdue(now, Role.OVERSIGHT)
    return [one for one in late if one.about_role is not Role.OVERSIGHT]
