"""Where was this plate: in our own records, and with other owners who are asked by name.

Our own rules come first and the entry is durable before anybody else hears of the question. What
one owner does not answer stands in the answer as that, beside what others found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec

from farolito.gate import Answer, Ask, Fact, Gate, Records
from farolito.model import Agency, AgencyId, Invalid, PersonId, PlateRead, Role
from farolito.model.plates import ALPHABET
from farolito.model.search import (
    FOUND_MAX,
    OWNERS_APPROVED_MAX,
    OWNERS_MAX,
    AnswerState,
    FoundRead,
    OwnerAnswer,
    PlateQuestion,
    Provenance,
    ReadsWanted,
    SearchApproval,
)
from farolito.plates import SEED

LOOK_ALIKES_SHOWN_MAX = 20
APPROVAL_LASTS = timedelta(hours=1)
# What stands for a read character in truth, turned round: what a true one may have been read as.
_READ_AS: Mapping[str, str] = {
    true: "".join(read for read in ALPHABET if true in SEED.errors.look_alikes[read])
    for true in ALPHABET
}


class Owners(Protocol):
    """Other agencies, as the federation asks them."""

    async def ask(
        self, ask: Ask, question: PlateQuestion, owner: AgencyId, permit: int
    ) -> OwnerAnswer:
        """Never raises for what the owner or the line to it does: that is an answer too."""
        ...

    async def whom(self) -> Sequence[Mapping[str, Any]]:
        """Who can be asked: by which agreement, for which purposes, by which roles."""
        ...


class PlateSearch:
    def __init__(
        self,
        gate: Gate,
        agency: Agency,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        owners: Owners | None = None,
    ) -> None:
        self._gate = gate
        self._agency = agency
        self._clock = clock
        self._ids = ids
        self.owners = owners  # None: this node has no partners

    async def plate(self, ask: Ask, question: PlateQuestion) -> Answer[list[OwnerAnswer]]:
        """Our own answer first, then one of each owner in the order they were named.

        Raises Refused where our own rules say no, or a second person's word is wanted, and then
        nobody else hears of it.
        """
        question = msgspec.structs.replace(
            question, owners=tuple(o for o in question.owners if o != self._gate.owner)
        )
        ask = msgspec.structs.replace(ask, query=_query(question), facts=_facts(ask, question))
        approval = await self._approved(ask, question)
        began = self._clock()

        async def work(records: Records, permit: int) -> OwnerAnswer:
            if approval and not await records.approvals.use(approval, began):
                raise Invalid("this approval was used just now", "ask for another")
            return await self._own(records, question, permit)

        own = await self._gate.read(ask, work)
        others: list[OwnerAnswer] = []
        if question.owners:
            assert self.owners is not None, "refused before"
            asked = [self.owners.ask(ask, question, o, own.permit) for o in question.owners]
            others = list(await asyncio.gather(*asked))
        return Answer([own.value, *others], own.permit)

    async def approve(
        self, ask: Ask, owners: Sequence[AgencyId], person: PersonId
    ) -> Answer[SearchApproval]:
        """A supervisor lets somebody else ask more owners at once, for the case in `ask`."""
        if not OWNERS_MAX < len(set(owners)) <= OWNERS_APPROVED_MAX:
            raise Invalid(
                f"an approval of {len(set(owners))} owners",
                f"up to {OWNERS_MAX} want none; {OWNERS_APPROVED_MAX} are the most",
            )
        if ask.person.role is not Role.SUPERVISOR or person == ask.person.person_id:
            await self._gate.refuse(
                ask, "needs_approval", "a wide search is approved by a supervisor, for another",
                "ask a supervisor",
            )  # fmt: skip
        case, purpose = ask.case, ask.purpose
        query = f"approve that {person} asks {', '.join(owners)}"

        async def work(records: Records, permit: int) -> SearchApproval:
            assert case, "the rules want one"
            assert purpose, "the rules want one"
            approval = SearchApproval(
                approval_id=self._ids(),
                approved_by=ask.person.person_id,
                person=person,
                owners=tuple(owners),
                case=case,
                purpose=purpose,
                expires_at=self._clock() + APPROVAL_LASTS,
                permit=permit,
            )
            await records.approvals.keep(approval)
            return approval

        return await self._gate.read(msgspec.structs.replace(ask, query=query), work)

    async def _approved(self, ask: Ask, question: PlateQuestion) -> UUID | None:
        """The approval that is used up by this question; None where none is wanted."""
        count = len(question.owners)
        if count and self.owners is None:
            raise Invalid("this node has no partners", "see: farolito agency list")
        if count > OWNERS_APPROVED_MAX:
            raise Invalid(f"{count} owners", f"ask up to {OWNERS_APPROVED_MAX} by name")
        if count <= OWNERS_MAX or ask.person.role is Role.SUPERVISOR:
            return None
        found = None
        if number := question.approved_by:
            found = await self._gate.following(lambda r: r.approvals.get(number, self._clock()))
        if found is None or not _covers(found, ask, question):
            await self._gate.refuse(
                ask, "needs_approval", f"{count} owners at once want a supervisor's approval",
                f"ask up to {OWNERS_MAX}, or let a supervisor approve it for this case",
            )  # fmt: skip
        return question.approved_by

    async def _own(self, records: Records, question: PlateQuestion, permit: int) -> OwnerAnswer:
        wanted = ReadsWanted(
            plates=(question.plate,),
            since=question.since,
            until=question.until,
            state=question.state,
            limit=FOUND_MAX + 1,
        )
        exact = await records.reads.search(wanted)
        alike = await records.reads.search(
            msgspec.structs.replace(
                wanted, plates=look_alikes(question.plate), limit=LOOK_ALIKES_SHOWN_MAX
            )
        )
        return OwnerAnswer(
            agency_id=self._agency.agency_id,
            name=self._agency.name,
            state=AnswerState.ANSWERED if exact or alike else AnswerState.NOTHING,
            own=True,
            reads=tuple(
                [found(read, own=True) for read in exact[:FOUND_MAX]]
                + [found(read, own=True, look_alike=True) for read in alike]
            ),
            more=len(exact) > FOUND_MAX,
            permit=permit,
            receipt=await self._gate.receipt(permit),
        )


def look_alikes(plate: str) -> tuple[str, ...]:
    """The texts that one confusable character away a reader may have written for this plate."""
    return tuple(
        plate[:i] + read + plate[i + 1 :] for i, true in enumerate(plate) for read in _READ_AS[true]
    )


def found(
    read: PlateRead,
    *,
    own: bool = False,
    look_alike: bool = False,
    provenance: Provenance | None = None,
) -> FoundRead:
    """The part of a read that answers hold: no picture, no other text that it may have been."""
    car, place = read.vehicle, read.place
    return FoundRead(
        read_id=read.read_id,
        captured_at=read.captured_at,
        plate=read.plate,
        state=read.state,
        reader=read.reader,
        confidence=read.confidence,
        lat=place.lat if place else None,
        lon=place.lon if place else None,
        heading_deg=read.heading_deg,
        make=car.make.value if car and car.make else None,
        colour=car.colour.value if car and car.colour else None,
        kind=car.kind.value if car and car.kind else None,
        own=own,
        look_alike=look_alike,
        provenance=provenance,
    )


def _covers(approval: SearchApproval, ask: Ask, question: PlateQuestion) -> bool:
    return (
        approval.person == ask.person.person_id
        and approval.approved_by != approval.person
        and approval.case == ask.case
        and approval.purpose == ask.purpose
        and set(question.owners) <= set(approval.owners)
    )


def _facts(ask: Ask, question: PlateQuestion) -> Mapping[str, Fact]:
    if not question.on_behalf_agency:
        return ask.facts
    return {**ask.facts, "on_behalf_agency": question.on_behalf_agency}


def _query(question: PlateQuestion) -> str:
    where = ", ".join(("own records", *question.owners))
    return (
        f"plate {question.plate} of {question.state or 'any state'},"
        f" {question.since.isoformat(timespec='seconds')} to"
        f" {question.until.isoformat(timespec='seconds')}, in {where}"
    )
