"""From a finding to a review: who is to look, by when. Never the one it is about, never whoever
commands the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from farolito.gate.looking import Asked
from farolito.model import AgencyId, Review, ReviewId, Role
from farolito.review.detectors import AT_ONCE, Finding, Rule

SOON, USUAL = timedelta(days=1), timedelta(days=7)
ESCALATED = timedelta(days=7)  # what oversight has for what others left lying
# Whoever decides on others' work, or on their reviews: looked at by a body outside the agency.
IN_COMMAND = frozenset({Role.AGENCY_ADMIN, Role.SUPERVISOR, Role.AUDITOR})


class Raised(NamedTuple):
    """A review, what belongs together with it, and whether another agency is to hear of it."""

    review: Review
    key: str
    tell: bool


def reviewer_of(role: Role, agency: AgencyId, own: AgencyId) -> Role:
    """Another agency's people command nobody here."""
    return Role.OVERSIGHT if agency == own and role in IN_COMMAND else Role.AUDITOR


def raised(
    finding: Finding, asked: Sequence[Asked], own: AgencyId, review_id: ReviewId, now: datetime
) -> Raised:
    """`asked`: the searches of the finding, as the ledger has them."""
    role = asked[-1].role
    foreign = finding.agency != own
    review = Review(
        review_id=review_id,
        rule=finding.rule,
        says=finding.says,
        about=finding.person,
        about_role=role,
        agency=finding.agency,
        entries=finding.entries,
        raised_at=now,
        due=now + (SOON if finding.rule in AT_ONCE else USUAL),
        assigned=reviewer_of(role, finding.agency, own),
        receipts=tuple(one.counterpart for one in asked if one.counterpart) if foreign else (),
    )
    return Raised(review, ":".join(finding.key), foreign and finding.rule is not Rule.SAMPLE)
