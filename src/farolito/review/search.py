"""What the detectors look at: searches as the ledger tells of them, and what explains one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from farolito.geo.distance import distance_m
from farolito.geo.street_map import LatLon
from farolito.model import AgencyId, PersonId, Purpose, Role


class Search(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One question about a plate or a place, permitted or refused.

    `entry`: its number in the ledger. `subject`: "plate:ABC123" or "place:35.08440,-106.65040", as
    `subject_of_…` writes them; `radius_m`: around a place. `on_behalf_of`: as it was typed.
    `hits`: how many records the answer held; None where that is not known.
    """

    entry: int
    at: datetime
    person: PersonId
    role: Role
    agency: AgencyId
    subject: str
    purpose: Purpose | None
    case: str | None
    on_behalf_of: str | None = None
    session: str | None = None
    device: str | None = None
    permitted: bool = True
    hits: int | None = None
    radius_m: float = 0.0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case or call as dispatch or the records system has it.

    `subjects`: what it is about, by the time each was put on the record: by dispatch, by the
    records system, or by a person and confirmed by another one; never by whoever searches alone.
    `people`: who works on it.
    """

    number: str
    opened_at: datetime
    closed_at: datetime | None = None
    people: frozenset[PersonId] = frozenset()
    subjects: Mapping[str, datetime] = {}


# What is known of a case number at the moment of asking; None: there is no such case.
Cases = Callable[[str], Case | None]


class Looked(msgspec.Struct, frozen=True):
    """How often one person looked for one subject, the look of now with it, with no case known to
    explain it; since the first of them."""

    times: int
    since: datetime


AFTER_CLOSING = timedelta(days=14)  # a case's paperwork goes on
WRITTEN_LATE = timedelta(hours=24)  # R16: what explains a search may be put on record a day later
SAME_PLACE_M = 250.0  # whoever asks for the next corner asks for the same place


def subject_of_plate(plate: str) -> str:
    return "plate:" + "".join(c for c in plate.upper() if c.isalnum())


def subject_of_place(lat: float, lon: float) -> str:
    return f"place:{lat:.5f},{lon:.5f}"


def place_of(subject: str) -> LatLon | None:
    """Where a subject is, if it is a place."""
    kind, _, told = subject.partition(":")
    if kind != "place":
        return None
    lat, lon = told.split(",")
    return float(lat), float(lon)


def is_near(subject: str, other: str, within_m: float = SAME_PLACE_M) -> bool:
    """Whether both are places, and about the same one."""
    here, there = place_of(subject), place_of(other)
    return here is not None and there is not None and distance_m(here, there) <= within_m


def is_same(subject: str, other: str) -> bool:
    return subject == other or is_near(subject, other)


class Explained(msgspec.Struct, frozen=True):
    """Whether a search's case explains it, and how. `lead`: the case is real, open and this
    person's own, but says nothing of this subject: good for a first look."""

    by_subject: bool = False
    lead: bool = False
    says: str = ""


def explained(search: Search, cases: Cases) -> Explained:
    case = cases(search.case) if search.case else None
    if case is None:
        return Explained(says="there is no such case" if search.case else "no case was given")
    if search.at < case.opened_at - WRITTEN_LATE:
        return Explained(says="the case was opened later")
    if case.closed_at is not None and search.at > case.closed_at + AFTER_CLOSING:
        return Explained(says="the case was closed before")
    if _is_about(case, search):
        return Explained(by_subject=True, says="the case is about it")
    if search.person in case.people:
        return Explained(lead=True, says="a case of their own says nothing of it")
    return Explained(says="somebody else's case, which says nothing of it")


def _is_about(case: Case, search: Search) -> bool:
    """A case about a place is about every circle that holds it, and about its next corners."""
    within_m = max(SAME_PLACE_M, search.radius_m)
    return any(
        at <= search.at + WRITTEN_LATE
        for subject, at in case.subjects.items()
        if subject == search.subject or is_near(subject, search.subject, within_m)
    )
