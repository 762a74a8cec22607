"""The rules as they ship, and a way to ask them that names only what matters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

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
from farolito.policy import Permit, Policies, Refusal, Request

CITY = Agency(agency_id=AgencyId("city-pd"), name="City", ori="NM0010100")
SHERIFF = Agency(agency_id=AgencyId("sheriff"), name="Sheriff", ori="NM0010000")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)

Ask = Callable[..., Permit | Refusal]


@pytest.fixture(scope="session")
def policies() -> Policies:
    return Policies.load("us-nm", [CITY, SHERIFF])


@pytest.fixture
def ask(policies: Policies) -> Ask:
    def decide(*question: Any, **given: Any) -> Permit | Refusal:
        return policies.decide(request(*question, **given))

    return decide


def request(
    role: Role,
    act: Act,
    thing: Thing,
    purpose: Purpose | None = Purpose.HOT_LIST_ALERT,
    *,
    unit: str | None = None,
    camera_owner: str | None = None,
    agency: AgencyId = CITY.agency_id,
    owner: AgencyId = CITY.agency_id,
    **given: Any,
) -> Request:
    person = Person(
        person_id=PersonId(UUID(int=7)),
        agency=agency,
        name="Somebody",
        role=role,
        unit=UnitId(unit) if unit else None,
        owner=OwnerId(camera_owner) if camera_owner else None,
    )
    asked: dict[str, Any] = {"signed_in_s": 60, "now": NOON, **given}
    return Request(person=person, act=act, thing=thing, purpose=purpose, owner=owner, **asked)
