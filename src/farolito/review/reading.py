"""A ledger's entry about a plate or a place as the detectors want it."""

from __future__ import annotations

from uuid import UUID

from farolito.gate.looking import Asked
from farolito.model import Invalid, PersonId, fold_o, normalise_plate
from farolito.review.search import Explained, Search, subject_of_place, subject_of_plate

# A case of another agency has a number of theirs: ours of the same number is another case.
ELSEWHERE = Explained(says="its case is another agency's, which cannot be looked up here")


def plate_subject(text: str) -> str:
    """One subject for the spellings that readers confuse most, O and 0. Raises Invalid."""
    return subject_of_plate(fold_o(normalise_plate(text)))


def search_of(asked: Asked) -> Search | None:
    """None where who asked, or for what, cannot be opened any more."""
    if asked.user is None:
        return None
    try:
        person = PersonId(UUID(asked.user.partition(" ")[0]))
        subject = _subject(asked)
    except (ValueError, Invalid):
        return None
    if subject is None:
        return None
    return Search(
        entry=asked.index,
        at=asked.at,
        person=person,
        role=asked.role,
        agency=asked.agency,
        subject=subject,
        purpose=asked.purpose,
        case=asked.case.strip() if asked.case else None,
        on_behalf_of=asked.on_behalf_of,
        session=asked.session,
        device=asked.device,
        permitted=asked.permitted,
        radius_m=asked.place.radius_m if asked.place else 0.0,
    )


def _subject(asked: Asked) -> str | None:
    if asked.place is not None:
        return subject_of_place(asked.place.lat, asked.place.lon)
    return plate_subject(asked.plate) if asked.plate is not None else None
