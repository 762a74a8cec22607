"""Who would gain or lose by other rules or another agreement, on questions that were asked (R51).

The questions come from the ledger. Those of other agencies named the agreement of their time; so
each is asked again by every agreement that its agency has, as though it had held then. What is
not known of the past (zones, the age of records) is taken as the gate would make it for a search.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec

from farolito.model import (
    Act,
    AgencyId,
    Agreement,
    AgreementState,
    PersonId,
    Purpose,
    Role,
    Thing,
)
from farolito.policy.agreements.facts import facts_of_question
from farolito.policy.policies import Policies
from farolito.policy.request import Request

_A_MOMENT = timedelta(microseconds=1)


class Kind(NamedTuple):
    """What a change is told by: never a person's name."""

    agency: AgencyId
    role: Role
    act: Act
    thing: Thing
    purpose: Purpose | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """`count` questions of one kind; `persons`: how many of each person's."""

    agency: AgencyId
    role: Role
    act: Act
    thing: Thing
    purpose: Purpose | None
    count: int
    persons: Mapping[PersonId, int]

    @property
    def people(self) -> int:
        return len(self.persons)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The most questions first. `same`: how many have the same answer before and after."""

    asked: int
    same: int
    gains: tuple[Change, ...]
    losses: tuple[Change, ...]


def compare(
    before: Policies, after: Policies, asked: Sequence[Request], zone: tzinfo = UTC
) -> Difference:
    """`after` must hold the draft as an agreement in force. `zone`: of the owner's clock."""
    had = answered(before, asked, zone)
    has = answered(after, asked, zone)
    changes = list(zip(asked, had, has, strict=True))
    return Difference(
        asked=len(changes),
        same=sum(was == now for _, was, now in changes),
        gains=_changes(r for r, was, now in changes if now and not was),
        losses=_changes(r for r, was, now in changes if was and not now),
    )


def answered(policies: Policies, asked: Sequence[Request], zone: tzinfo) -> list[bool]:
    """Whether each would be permitted, another agency's by any of its agreements."""
    by_grantee: dict[tuple[AgencyId, AgencyId], list[Agreement]] = defaultdict(list)
    for signed in policies.agreements():
        if signed.state is AgreementState.IN_FORCE:
            terms = signed.agreement
            by_grantee[terms.grantee, terms.grantor].append(terms)
    tries: list[Request] = []
    of: list[int] = []
    for number, request in enumerate(asked):
        agreements = by_grantee[request.person.agency, request.owner] if request.is_foreign else []
        ways = [_by(request, terms, zone) for terms in agreements] or [request]
        tries += ways
        of += [number] * len(ways)
    found = [False] * len(asked)
    for number, yes in zip(of, policies.permits(tries), strict=True):
        found[number] = found[number] or yes
    return found


def _by(request: Request, terms: Agreement, zone: tzinfo) -> Request:
    """The same question by this agreement, at the hour of the day it was asked."""
    made = facts_of_question(terms, request.now, zone, 0)
    return msgspec.structs.replace(
        request,
        agreement=terms.agreement_id,
        now=_within(request.now, terms),
        facts={**made, **request.facts},
    )


def _within(at: datetime, terms: Agreement) -> datetime:
    return min(max(at, terms.starts), terms.expires - _A_MOMENT)


def _changes(requests: Iterable[Request]) -> tuple[Change, ...]:
    found: dict[Kind, Counter[PersonId]] = defaultdict(Counter)
    for r in requests:
        kind = Kind(r.person.agency, r.person.role, r.act, r.thing, r.purpose)
        found[kind][r.person.person_id] += 1
    changes = [
        Change(**kind._asdict(), count=persons.total(), persons=dict(persons))
        for kind, persons in found.items()
    ]
    return tuple(sorted(changes, key=lambda c: (-c.count, c.agency, c.role, c.thing)))
