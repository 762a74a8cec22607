"""A search that somebody outside the chain of command must look at, and what explains searches."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from farolito.model.ids import AgencyId, PersonId, ReviewId
from farolito.model.person import Role
from farolito.model.purpose import Purpose


class ReviewDecision(StrEnum):
    """What came of a review: chosen, never typed."""

    EXPLAINED = "explained"  # the work behind it was seen
    TRAINING = "training"  # a mistake, and the person was shown how
    MISUSE = "misuse"  # confirmed
    REFERRED = "referred"  # to internal affairs, a prosecutor or a court


class LookedAt(msgspec.Struct, frozen=True, kw_only=True):
    """A search as a review shows it: nothing that its ledger entry does not say in the clear."""

    entry: int
    at: datetime
    role: Role
    purpose: Purpose | None
    permitted: bool
    openable: tuple[str, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """`about` is never shown by itself: whoever must know opens the entry's field, with a reason.

    `rule`: a word of the closed list; `entries`: numbers in our own ledger, the newest last.
    `receipts`: of another agency's own entries about the same questions. `told_by`: the agency
    that found it; None: we. `their_says`: what the asker's agency answered when we told it.
    """

    review_id: ReviewId
    rule: str
    says: str
    about: PersonId
    about_role: Role
    agency: AgencyId
    entries: tuple[int, ...]
    raised_at: datetime
    due: datetime
    assigned: Role
    receipts: tuple[str, ...] = ()
    told_by: AgencyId | None = None
    told_at: datetime | None = None
    their_says: str = ""
    escalated_at: datetime | None = None
    decision: ReviewDecision | None = None
    decided_by: PersonId | None = None
    decided_by_name: str = ""
    decided_at: datetime | None = None
    permit: int | None = None  # of the decision


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is about, as a person put it on record; it counts from when another confirmed
    it. `subject`: as `review.search` writes them."""

    explanation_id: UUID
    case: str
    subject: str
    by: PersonId
    by_name: str
    at: datetime
    confirmed_by: PersonId | None = None
    confirmed_by_name: str = ""
    confirmed_at: datetime | None = None


class ReviewCount(msgspec.Struct, frozen=True):
    """Of one rule in some days. `open` and `overdue`: now."""

    rule: str
    raised: int
    open: int
    overdue: int
    decided: dict[str, int]
