"""What an owner found of another agency's searches, told to that agency's own reviewers.

In: reviews that our node raised about people of partners; notices of partners about ours. Out: the
same as reviews over there, with the partner's own entries, which it can open. What cannot be told
now is told when the partner is back. Never: a name, a plate or a case in a notice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from farolito.federation.envelope import Envelope, body_of
from farolito.federation.post import Post
from farolito.gate import AWAY, Gate, Records, system_ask
from farolito.gate.looking import Asked, searches_of
from farolito.model import (
    AgencyId,
    Away,
    FarolitoError,
    Partner,
    Person,
    Refused,
    Review,
    ReviewId,
    Thing,
)
from farolito.review.cases import Crew, case_of
from farolito.review.detectors import AT_ONCE, Rule
from farolito.review.raising import SOON, USUAL, reviewer_of
from farolito.review.reading import search_of
from farolito.review.search import Case, Search, explained

log = logging.getLogger(__name__)

AGAIN_S = 60.0  # between tries to tell a partner that is away
RECEIPTS_MAX = 500
SAYS_MAX = 300  # characters of a partner's sentence that are shown
_FAILED: tuple[type[BaseException], ...] = (FarolitoError, *AWAY)


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`receipts`: of the receiver's own entries, as it sent them with its questions."""

    rule: str
    says: str
    receipts: tuple[str, ...]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How many of those searches a case over there explains; the number of the entry."""

    explained: int
    count: int
    permit: int


class Reviewing:
    """Takes and sends "review" messages. `nudge`: there may be something to tell."""

    def __init__(  # noqa: PLR0913 - who tells whom, of what, when
        self,
        gate: Gate,
        post: Post,
        system: Person,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        crew: Crew,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._post = post
        self._system = system
        self._partners = partners
        self._crew = crew
        self._clock = clock
        self._ids = ids
        self._to_tell = asyncio.Event()

    def nudge(self) -> None:
        self._to_tell.set()

    async def run(self) -> None:
        while True:
            try:
                await self.tell()
            except _FAILED as error:
                log.warning("reviews are not told now: %s", type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._to_tell.wait()
            self._to_tell.clear()

    # What we found

    async def tell(self) -> int:
        """Tell every partner that is there; how many reviews were told of."""
        told = 0
        for review in await self._gate.following(lambda r: r.reviews.untold()):
            says = await self._told(review)
            if says is not None:
                await self._keep(review, says)
                told += 1
        return told

    async def _told(self, review: Review) -> str | None:
        """What they say to it; None: away, to be told later."""
        if review.agency not in self._partners():
            return "not told: it is no partner any more"
        notice = Notice(
            rule=review.rule, says=review.says, receipts=review.receipts[-RECEIPTS_MAX:]
        )
        try:
            back = await self._post.ask(review.agency, "review", notice)
            taken: Taken = body_of(back, Taken)
        except Away:
            return None
        except Refused as no:
            return f"they do not look at it: {no.says[:SAYS_MAX]}"
        return (
            f"their auditors have it; {taken.explained} of {taken.count} searches"
            " are explained by a case there"
        )

    async def _keep(self, review: Review, says: str) -> None:
        ask = system_ask(
            self._system, Thing.REVIEW, f"{review.agency} was told of review {review.review_id}"
        )

        async def work(records: Records, permit: int) -> None:
            now = await records.reviews.get(review.review_id, lock=True)
            assert now is not None, "none is ever deleted"
            told = msgspec.structs.replace(now, told_at=self._clock(), their_says=says)
            await records.reviews.save(told)

        await self._gate.act(ask, work)

    # What a partner found

    async def take(self, envelope: Envelope) -> Taken:
        """Raises Refused for what is no notice about searches of ours."""
        notice: Notice = body_of(envelope, Notice)
        partner = self._partners().get(envelope.sender)
        rules = {rule.value for rule in Rule}
        if partner is None or notice.rule not in rules or not notice.receipts:
            raise Refused("malformed", "no notice of a finding", "name rule and receipts")
        entries = await self._entries(notice.receipts)
        ask = system_ask(
            self._system,
            Thing.REVIEW,
            f"{envelope.sender} found something in {len(entries)} of our searches",
        )

        async def work(records: Records, permit: int) -> Taken:
            asked = await searches_of(records, entries)
            searches = _of_one_person(asked, self._gate.owner)
            review = self._review(notice, partner, searches)
            key = f"told:{partner.agency_id}:{notice.rule}:{searches[0].entry}"
            await records.reviews.put(review, key)
            count = await self._explained(records, searches)
            return Taken(explained=count, count=len(searches), permit=permit)

        return (await self._gate.act(ask, work)).value

    async def _entries(self, receipts: Sequence[str]) -> list[int]:
        """The numbers of our entries; each receipt must be the one that we gave away."""
        if len(receipts) > RECEIPTS_MAX:
            raise Refused("malformed", "too many receipts", f"send up to {RECEIPTS_MAX}")
        entries = []
        for receipt in receipts:
            number = receipt.partition("#")[2].partition(":")[0]
            is_number = number.isascii() and number.isdigit() and len(number) <= 18
            entry = int(number) if is_number else -1
            try:
                is_ours = is_number and await self._gate.receipt(entry) == receipt
            except FarolitoError as error:
                if isinstance(error, Away):
                    raise
                is_ours = False
            if not is_ours:
                raise Refused("not_ours", "a receipt that is none of ours", "send those you got")
            entries.append(entry)
        return entries

    def _review(self, notice: Notice, partner: Partner, searches: Sequence[Search]) -> Review:
        now, last = self._clock(), searches[-1]
        return Review(
            review_id=ReviewId(self._ids()),
            rule=notice.rule,
            says=notice.says[:SAYS_MAX],
            about=last.person,
            about_role=last.role,
            agency=self._gate.owner,
            entries=tuple(one.entry for one in searches),
            raised_at=now,
            due=now + (SOON if notice.rule in AT_ONCE else USUAL),
            assigned=reviewer_of(last.role, last.agency, self._gate.owner),
            told_by=partner.agency_id,
        )

    async def _explained(self, records: Records, searches: Sequence[Search]) -> int:
        cases: dict[str, Case | None] = {}
        for number in {one.case for one in searches if one.case}:
            cases[number] = await case_of(records, number, self._crew)
        return sum(explained(one, cases.get).by_subject for one in searches)


def _of_one_person(asked: Sequence[Asked], own: AgencyId) -> list[Search]:
    """Raises Refused unless these are searches of one person of ours."""
    found = [search for search in map(search_of, asked) if search is not None]
    if not found or len({s.person for s in found}) != 1 or found[0].agency != own:
        raise Refused("not_ours", "these are no searches of one person here", "send one's own")
    return found
