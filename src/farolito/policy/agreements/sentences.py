"""The terms in sentences. Each sentence is made from the terms and holds nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from farolito.model import Agreement, Answering, Hours, ShareClass, Sharing, Zone

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLASSES = {
    ShareClass.PLATE_READ: "where a plate was read",
    ShareClass.ALERT: "alerts that a person confirmed",
    ShareClass.SHOT: "shots",
    ShareClass.INCIDENT: "incidents",
    ShareClass.UNIT: "positions of units on a call of both",
    ShareClass.HOT_LIST: "rows of hot lists, with their recalls",
}
_MODES = {
    Answering.FULL: "in full",
    Answering.POINTER: "only that there is something, and whom to call",
    Answering.SILENT: "nothing is told; the owner learns who asked",
}


def sentences(terms: Agreement) -> Iterator[str]:
    """What a person must know before signing, one thing a sentence."""
    grantor, grantee = terms.grantor, terms.grantee
    yield f"{grantor} gives, {grantee} receives. Nothing goes the other way by this agreement."
    for share_class in ShareClass:
        if share_class in terms.classes:
            yield f"{_upper(_CLASSES[share_class])}: {_MODES[terms.classes[share_class]]}."
    if Sharing.ASK in terms.sharing:
        yield (
            f"People of {grantee} may ask: {_and(_words(terms.roles))}. Each question names its"
            f" person, purpose and case, and is decided and written down by {grantor}."
        )
    else:
        yield f"Nobody of {grantee} may ask."
    if Sharing.FOLLOW in terms.sharing:
        plates = ", plate reads excepted" if ShareClass.PLATE_READ in terms.classes else ""
        yield f"What happens flows to {grantee} as it happens{plates}."
    else:
        yield "Nothing flows by itself."
    yield f"Purposes: {_and(_words(terms.purposes))}. For no other."
    yield f"From {_when(terms.starts)} until {_when(terms.expires)}, unless either side ends it."
    yield from _narrower(terms)
    yield from _afterwards(terms)


def _narrower(terms: Agreement) -> Iterator[str]:
    if terms.incident:
        yield f"For one incident alone: {terms.incident}."
    if terms.zones:
        yield f"Only what lies within {_and(_zone(zone) for zone in terms.zones)}."
    else:
        yield f"Everywhere that {terms.grantor} has sensors or units."
    if terms.hours:
        yield f"Only {_hours(terms.hours)}, by the clock of {terms.grantor}."
    else:
        yield "At any hour."
    if Sharing.ASK in terms.sharing:
        yield f"Records older than {_days(terms.record_days)} are not opened."


def _afterwards(terms: Agreement) -> Iterator[str]:
    if terms.keep_days:
        yield f"{terms.grantee} deletes what it received after {_days(terms.keep_days)}."
    else:
        yield f"{terms.grantee} keeps nothing of it: it is for the one view."
    yield f"{terms.grantee} passes nothing on to anybody."
    if terms.on_behalf_of:
        yield (
            f"People of {terms.grantee} may ask for somebody of their own agency, or of"
            f" {_and(terms.on_behalf_of)}; for nobody else."
        )
    else:
        yield f"People of {terms.grantee} may ask for nobody outside their own agency."
    if terms.declaration:
        yield (
            f"{terms.declaration.signed_by} signed the declaration"
            f" {terms.declaration.declaration_id}, which holds until"
            f" {_when(terms.declaration.expires)}; the agreement opens nothing after that."
        )
    if terms.supersedes:
        yield f"It takes the place of agreement {terms.supersedes}."


def _zone(zone: Zone) -> str:
    """With its bounds, so that a name cannot hide how far it reaches."""
    lats, lons = [p.lat for p in zone.ring], [p.lon for p in zone.ring]
    corners = f"{min(lats):.4f}, {min(lons):.4f} to {max(lats):.4f}, {max(lons):.4f}"
    return f'"{zone.name}" ({corners})'


def _hours(hours: Iterable[Hours]) -> str:
    return ", ".join(
        f"{' '.join(_DAYS[day] for day in one.days)} {one.since:%H:%M} to {one.until:%H:%M}"
        + (" of the next day" if one.until <= one.since else "")
        for one in hours
    )


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _words(listed: Iterable[str]) -> list[str]:
    return [str(one).replace("_", " ") for one in listed]


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _upper(words: str) -> str:
    return words[0].upper() + words[1:]
