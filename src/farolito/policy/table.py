"""Every right as a line of text, so that a changed right is a changed line in review.

`python -m farolito.policy.table docs/rights.tsv` writes the table; a test compares it. Each line
is one role × act × thing; behind it stands a real decision for each of the purposes (none among
them), and for each permitted purpose one for each of the variants of what else is known: nothing
is inferred from the rules' text. That less told never opens more is not asked here: the second
writing of the rules in the tests is.
Columns: `permitted` purposes when all else is right; `refused` the others; `lost_when` for each
variant the purposes, out of the permitted ones, that it takes away.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import (
    Act,
    Agency,
    AgencyId,
    OwnerId,
    Person,
    PersonId,
    Purpose,
    Role,
    Thing,
    UnitId,
)
from farolito.policy.policies import Policies
from farolito.policy.request import Fact, Request

OWN, OTHER, UNIT = AgencyId("own"), AgencyId("other"), UnitId("2A14")
OWNER = OwnerId("public-schools")
AGENCIES = (
    Agency(agency_id=OWN, name="Own", ori="NM0000001"),
    Agency(agency_id=OTHER, name="Other", ori="NM0000002"),
)
LAW = "us-nm"
HEAD = ("role", "act", "thing", "permitted", "refused", "lost_when")
PURPOSES: tuple[Purpose | None, ...] = (None, *Purpose)
_FACTS: Mapping[str, Fact] = {
    "confirmed": True,
    "assigned_unit": UNIT,
    "records": False,
    "reason_code": "routine_review",
    "consent_open": True,
    "near_assigned": True,
    "camera_owner": OWNER,
    "may_record": True,
}


def _facts(*without: str, **changed: Fact) -> dict[str, Fact]:
    return {n: v for n, v in _FACTS.items() if n not in without} | changed


# What differs from "all else is right": one variant a way in which it is not.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "no_case": {"case": None},
    "unconfirmed": {"facts": _facts(confirmed=False)},
    "confirmed_not_told": {"facts": _facts("confirmed")},
    "other_unit": {"facts": _facts(assigned_unit="3B07")},
    "unit_not_told": {"facts": _facts("assigned_unit")},
    "no_reason_code": {"facts": _facts("reason_code")},
    "records": {"facts": _facts(records=True)},
    "records_not_told": {"facts": _facts("records")},
    "consent_closed": {"facts": _facts(consent_open=False)},
    "consent_not_told": {"facts": _facts("consent_open")},
    "not_near": {"facts": _facts(near_assigned=False)},
    "near_not_told": {"facts": _facts("near_assigned")},
    "other_owner": {"facts": _facts(camera_owner="transit")},
    "owner_not_told": {"facts": _facts("camera_owner")},
    "may_not_record": {"facts": _facts(may_record=False)},
    "record_not_told": {"facts": _facts("may_record")},
    "nothing_told": {"facts": {}, "case": None},
    "sign_in_6_min": {"signed_in_s": 360},
    "sign_in_13_h": {"signed_in_s": 46_800},
    "foreign_owner": {"owner": OTHER},
    "on_behalf_of_unknown": {"on_behalf_of": "somebody"},
    "on_behalf_of_foreign": {
        "on_behalf_of": "somebody",
        "facts": _facts(on_behalf_agency=OTHER),
    },
}


def rights() -> str:
    """The whole table as tab-separated text."""
    policies = Policies.load(LAW, AGENCIES)
    lines = ["\t".join(HEAD)]
    for role in Role:
        for act in Act:
            lines += ["\t".join(_line(policies, role, act, thing)) for thing in Thing]
    return "\n".join(lines) + "\n"


def _line(policies: Policies, role: Role, act: Act, thing: Thing) -> tuple[str, ...]:
    yes = _permitted(policies, list(_questions(role, act, thing, PURPOSES, {})))
    refused = [p for p in PURPOSES if p not in yes]
    lost = [
        f"{variant}: {_names(gone, of=yes)}"
        for variant, change in VARIANTS.items()
        if (gone := _gone(policies, list(_questions(role, act, thing, yes, change))))
    ]
    return (
        role.value,
        act.value,
        thing.value,
        _names(yes, of=()),
        _names(refused, of=PURPOSES),
        "; ".join(lost) or "-",
    )


def _gone(policies: Policies, requests: list[Request]) -> list[Purpose | None]:
    left = _permitted(policies, requests) if requests else []
    return [r.purpose for r in requests if r.purpose not in left]


def _names(purposes: list[Purpose | None], of: tuple[Any, ...] | list[Any]) -> str:
    if purposes and len(purposes) == len(of):
        return "all"
    return " ".join(p.value if p else "none" for p in purposes) or "-"


def _permitted(policies: Policies, requests: list[Request]) -> list[Purpose | None]:
    answers = policies.permits(requests)
    return [r.purpose for r, yes in zip(requests, answers, strict=True) if yes]


def _questions(
    role: Role,
    act: Act,
    thing: Thing,
    purposes: Iterable[Purpose | None],
    change: Mapping[str, Any],
) -> Iterator[Request]:
    person = Person(
        person_id=PersonId(UUID(int=1)), agency=OWN, name="-", role=role, unit=UNIT, owner=OWNER
    )
    whole = Request(
        person=person,
        signed_in_s=0,
        act=act,
        thing=thing,
        purpose=None,
        case="2026-000001",
        owner=OWN,
        facts=_FACTS,
        now=datetime(2026, 11, 1, tzinfo=UTC),
    )
    for purpose in purposes:
        yield msgspec.structs.replace(whole, purpose=purpose, **change)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(rights(), "utf-8")
