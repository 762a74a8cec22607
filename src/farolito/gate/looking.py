"""The node reads its own searches, openings too, to find those that a person must look at.

Only inside an `act` on reviews by the node itself; nothing of it is shown to anybody. Each value is
held against its commitment, since who changed one would hide a search by that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from farolito.audit.entry import commit, commitment_in, read
from farolito.audit.note import Note
from farolito.audit.sample import draw, seed_of
from farolito.model import AgencyId, Purpose, Role
from farolito.store import Records
from farolito.store.reviews import AskedRow

_PLATE = re.compile(r"plate (\S+) of ")
_PLACE = re.compile(r"place (-?\d+\.\d+),(-?\d+\.\d+) within (\d+) m,")


class AskedPlace(NamedTuple):
    """Degrees of WGS 84, and metres."""

    lat: float
    lon: float
    radius_m: float


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question about one plate or one place, as its entry and its openings tell.

    `user`: as the entry keeps the asker; `plate`, `place`: both None where the question cannot be
    opened any more.
    `altered`: a kept value is not the one that was committed to. `openable`: fields still kept.
    """

    index: int
    at: datetime
    permitted: bool
    role: Role
    agency: AgencyId
    purpose: Purpose | None
    session: str | None
    device: str | None
    counterpart: str | None
    user: str | None
    plate: str | None
    place: AskedPlace | None
    case: str | None
    on_behalf_of: str | None
    openable: tuple[str, ...]
    altered: bool = False


async def searches(records: Records, first: int, end: int, limit: int) -> tuple[list[Asked], int]:
    """The searches among the entries [first, end), at most `limit`, and where to go on."""
    rows = await records.reviews.asked(first, end, limit)
    on = rows[-1].number + 1 if len(rows) == limit else end
    return _searches(rows), on


async def searches_of(records: Records, entries: Collection[int]) -> list[Asked]:
    """The searches among these entries, oldest first."""
    return _searches(await records.reviews.asked_of(entries))


async def drawn(records: Records, first: int, end: int, count: int) -> list[int] | None:
    """`count` entries of [first, end) by lot, by the hash of the first checkpoint over more than
    `end` entries, as `farolito audit sample` draws them; None while there is none."""
    note = await records.reviews.next_checkpoint(end)
    return None if note is None else draw(seed_of(Note.parse(note)), first, end, count)


def _searches(rows: Sequence[AskedRow]) -> list[Asked]:
    return [one for one in map(_search, rows) if one is not None]


def _search(row: AskedRow) -> Asked | None:
    """None for what is no question: an owner's answer written down, an approval."""
    body = read(row.raw)
    if body["reason"] != "permit" and body["decision"] != "refusal":
        return None
    values, altered = _values(row, body)
    query = values.get("query", "")
    plate, place = _PLATE.match(query), _PLACE.match(query)
    if "query" in values and plate is None and place is None:
        return None
    return Asked(
        index=row.number,
        at=datetime.fromisoformat(body["at"]),
        permitted=body["decision"] == "permit",
        role=Role(body["actor_role"]),
        agency=AgencyId(body["agency"]),
        purpose=Purpose(body["purpose"]) if body["purpose"] else None,
        session=body["session"],
        device=body["device"],
        counterpart=body["counterpart"],
        user=values.get("user"),
        plate=plate.group(1) if plate else None,
        place=AskedPlace(*map(float, place.groups())) if place else None,
        case=values.get("case"),
        on_behalf_of=values.get("on_behalf_of"),
        openable=tuple(sorted(values)),
        altered=altered,
    )


def _values(row: AskedRow, body: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    values: dict[str, str] = {}
    altered = False
    for field, salt, kept in row.openings:
        value = kept.decode(errors="replace")
        if commit(salt, value) == commitment_in(body, field):
            values[field] = value
        else:
            altered = True
    return values, altered
