"""Where reviews are looked at and decided, and where people say what their cases are about.

In: an Ask of a reviewer, or of somebody who searched. Out: reviews with what the ledger says in the
clear; a personal field only by an opening of its own, with a reason. Never: a review shown to the
one it is about, or decided by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from farolito.gate import Answer, Ask, Gate, Records
from farolito.gate.looking import Asked, searches_of
from farolito.model import (
    Explanation,
    FarolitoError,
    Invalid,
    LookedAt,
    Person,
    PersonId,
    Point,
    Review,
    ReviewCount,
    ReviewDecision,
    ReviewId,
)
from farolito.review.cases import Crew, case_of
from farolito.review.reading import plate_subject
from farolito.review.roster import Roster, roster_of
from farolito.review.search import Looked, Search, explained, is_same, subject_of_place

ENTRIES_SHOWN_MAX = 50  # of one review, the newest; its count tells how many there are
CASE_CHARACTERS_MAX = 64


class NoReview(FarolitoError):
    """There is none of that number, or nothing of it is open to this person."""


class Decided(FarolitoError):
    """Somebody was quicker."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A review as its reviewer sees it. `about` stays behind: the ledger's field opens it."""

    review: Review
    searches: tuple[LookedAt, ...]


class Explains(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a case explains looking for a plate or a place: `says` in plain words. `waiting`:
    what was put on record and waits for another person."""

    case: str
    about: bool
    own_case: bool
    says: str
    waiting: tuple[Explanation, ...] = ()


def _nothing_is_known(_: PersonId, __: str) -> None:
    return None


class ReviewDesk:
    """`looks`: how often somebody looked for a subject before, where they are to be reminded."""

    def __init__(
        self,
        gate: Gate,
        crew: Crew,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        looks: Callable[[PersonId, str], Looked | None] = _nothing_is_known,
    ) -> None:
        self._gate = gate
        self._looks = looks
        self._crew = crew
        self._clock = clock
        self._ids = ids

    # For reviewers

    async def queue(self, ask: Ask, *, decided: bool = False) -> Answer[list[Shown]]:
        async def work(records: Records, permit: int) -> list[Shown]:
            person = ask.person
            found = await records.reviews.for_reviewer(
                person.role, person.person_id, decided=decided
            )
            newest = {n for review in found for n in review.entries[-ENTRIES_SHOWN_MAX:]}
            asked = {one.index: one for one in await searches_of(records, newest)}
            return [_shown(review, asked) for review in found]

        return await self._gate.read(ask, work)

    async def open_field(
        self, ask: Ask, review_id: ReviewId, entry: int, field: str
    ) -> Answer[str | None]:
        """`ask`: about a field of the ledger, with its reason. Raises NoReview, Refused."""
        review = await self._theirs(ask, review_id)
        if entry not in review.entries:
            raise NoReview(f"entry {entry} is no part of this review", "open the audit page")
        return await self._gate.open_field(ask, entry, field)

    async def decide(
        self, ask: Ask, review_id: ReviewId, decision: ReviewDecision
    ) -> Answer[Review]:
        """Once, by a named person. Raises NoReview, Decided, Refused."""
        await self._theirs(ask, review_id)
        ask = msgspec.structs.replace(ask, query=f"review {review_id}: {decision.value}")

        async def work(records: Records, permit: int) -> Review:
            review = await records.reviews.get(review_id, lock=True)
            if review is None:
                raise NoReview("there is no such review", "reload the page")
            if review.decision is not None:
                raise Decided(
                    f"{review.decided_by_name} decided it: {review.decision.value}",
                    "reload the page",
                )
            decided = msgspec.structs.replace(
                review,
                decision=decision,
                decided_by=ask.person.person_id,
                decided_by_name=ask.person.name,
                decided_at=self._clock(),
                permit=permit,
            )
            await records.reviews.save(decided)
            return decided

        return await self._gate.act(ask, work)

    async def digest(self, ask: Ask, days: int) -> Answer[list[ReviewCount]]:
        """Counts by rule over the last days. It names nobody."""
        now = self._clock()
        since, until = now - timedelta(days=days), now + timedelta(seconds=1)

        async def work(records: Records, permit: int) -> list[ReviewCount]:
            return await records.reviews.counts(since, until, now)

        return await self._gate.read(ask, work)

    async def protect(self, ask: Ask, plate: str, *, on: bool) -> Answer[int]:
        """Put the plate of an employee, a household or a protected person on the list, or take it
        off; how many there are. Nobody reads the list itself. Raises Invalid."""
        subject = plate_subject(plate)
        word = "protect" if on else "no longer protect"

        async def work(records: Records, permit: int) -> int:
            if on:
                await records.reviews.protect(subject, self._clock())
            else:
                await records.reviews.unprotect(subject)
            return len(await records.reviews.protected())

        told = msgspec.structs.replace(ask, query=f"{word} {subject}")
        return await self._gate.act(told, work)

    async def keep_roster(
        self, ask: Ask, text: str, people: Iterable[Person], *, add: bool = False
    ) -> Answer[Roster]:
        """A roster's file takes the place of what was known of its days; where they `add`, its
        shifts stand beside the others, as a call-back does. Raises Invalid."""
        zone = self._gate.zone
        roster = roster_of(text, people, zone)

        async def work(records: Records, permit: int) -> Roster:
            if add:
                await records.rosters.add(roster.shifts)
            else:
                await records.rosters.replace(roster.shifts, roster.days, str(zone), self._clock())
            return roster

        days = f"{roster.first} to {roster.last}"
        said = f"{'add to' if add else 'keep'} the roster of {days}: {len(roster.shifts)} shifts"
        return await self._gate.act(msgspec.structs.replace(ask, query=said), work)

    async def _theirs(self, ask: Ask, review_id: ReviewId) -> Review:
        """The review, where this person is to look at it. Raises NoReview, Refused."""
        review = await self._gate.following(lambda r: r.reviews.get(review_id))
        if review is None:
            raise NoReview("there is no such review", "reload the page")
        if review.about == ask.person.person_id or review.assigned is not ask.person.role:
            await self._gate.refuse(
                ask, "not_yours", "this review is for somebody else to look at",
                "nothing: whoever is to look at it sees it",
            )  # fmt: skip
        return review

    # For those who search

    def looked(self, ask: Ask, about: str | Point) -> Looked | None:
        """What the person of the ask is reminded of with the answer to their own search, which
        permits it; None: nothing. Raises Invalid."""
        return self._looks(ask.person.person_id, _subject(about))

    async def explains(self, ask: Ask, about: str | Point) -> Answer[Explains]:
        """Whether the case of the ask explains looking for this plate or place. Raises Invalid."""
        case, subject = _case(ask), _subject(about)

        async def work(records: Records, permit: int) -> Explains:
            return await self._explains(records, ask, case, subject)

        told = msgspec.structs.replace(ask, query=f"whether case {case} explains {subject}")
        return await self._gate.read(told, work)

    async def explain(self, ask: Ask, about: str | Point) -> Answer[Explanation]:
        """Put on record that the case of the ask is about this plate or place; it counts once
        somebody else confirms it. Raises Invalid."""
        case, subject = _case(ask), _subject(about)

        async def work(records: Records, permit: int) -> Explanation:
            told = await records.reviews.explanations(case)
            known = next((one for one in told if is_same(one.subject, subject)), None)
            if known is not None:
                return known
            made = Explanation(
                explanation_id=self._ids(),
                case=case,
                subject=subject,
                by=ask.person.person_id,
                by_name=ask.person.name,
                at=self._clock(),
            )
            await records.reviews.propose(made)
            return made

        told = msgspec.structs.replace(ask, query=f"explain that case {case} is about {subject}")
        return await self._gate.read(told, work)

    async def confirm(self, ask: Ask, explanation_id: UUID) -> Answer[Explanation]:
        """Another person stands behind it. Raises NoReview, Refused."""
        known = await self._gate.following(lambda r: r.reviews.explanation(explanation_id))
        if known is None or known.case != _case(ask):
            raise NoReview("nothing of that number is on record of this case", "reload the page")
        if known.by == ask.person.person_id:
            await self._gate.refuse(
                ask, "second_person", "nobody confirms what they put on record themselves",
                "ask somebody else who works on the case",
            )  # fmt: skip

        async def work(records: Records, permit: int) -> Explanation:
            found = await records.reviews.explanation(explanation_id)
            assert found is not None, "none is ever deleted"
            if found.confirmed_at is not None:
                return found
            confirmed = msgspec.structs.replace(
                found,
                confirmed_by=ask.person.person_id,
                confirmed_by_name=ask.person.name,
                confirmed_at=self._clock(),
            )
            await records.reviews.propose(confirmed)
            return confirmed

        told = msgspec.structs.replace(
            ask, query=f"confirm that case {known.case} is about {known.subject}"
        )
        return await self._gate.read(told, work)

    async def _explains(self, records: Records, ask: Ask, case: str, subject: str) -> Explains:
        known = await case_of(records, case, self._crew)
        search = Search(
            entry=0,
            at=self._clock(),
            person=ask.person.person_id,
            role=ask.person.role,
            agency=ask.person.agency,
            subject=subject,
            purpose=ask.purpose,
            case=case,
        )
        why = explained(search, lambda _: known)
        waiting = [
            one
            for one in await records.reviews.explanations(case)
            if one.confirmed_at is None and is_same(one.subject, subject)
        ]
        return Explains(
            case=case, about=why.by_subject, own_case=why.lead, says=why.says,
            waiting=tuple(waiting),
        )  # fmt: skip


def _shown(review: Review, asked: dict[int, Asked]) -> Shown:
    found: Sequence[Any] = [asked[n] for n in review.entries if n in asked]
    return Shown(
        review=review,
        searches=tuple(
            LookedAt(
                entry=one.index,
                at=one.at,
                role=one.role,
                purpose=one.purpose,
                permitted=one.permitted,
                openable=one.openable,
            )
            for one in found[-ENTRIES_SHOWN_MAX:]
        ),
    )


def _subject(about: str | Point) -> str:
    """A plate's or a place's. Raises Invalid."""
    return (
        plate_subject(about) if isinstance(about, str) else subject_of_place(about.lat, about.lon)
    )


def _case(ask: Ask) -> str:
    case = (ask.case or "").strip()
    if not case or len(case) > CASE_CHARACTERS_MAX:
        raise Invalid("no case", f"name one, of at most {CASE_CHARACTERS_MAX} characters")
    return case
