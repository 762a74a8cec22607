"""A node's identity on a real database, with a clock that a test can move."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from farolito.identity import Identity, SignedIn
from farolito.model import AgencyId, Person, PersonId, Role
from farolito.store import Database

from .authenticator import Authenticator

ORIGIN = "http://localhost:8700"
CITY = AgencyId("city-pd")

NewIdentity = Callable[..., Identity]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_identity(database: Database, clock: Clock) -> NewIdentity:
    def make(demo: bool = False, agency: AgencyId = CITY) -> Identity:
        return Identity(database, "localhost", [ORIGIN], clock, os.urandom, demo, agency=agency)

    return make


@pytest.fixture
def identity(new_identity: NewIdentity) -> Identity:
    return new_identity()


def somebody(role: Role = Role.OPERATOR, agency: AgencyId = CITY, name: str = "Pat Lane") -> Person:
    return Person(person_id=PersonId(uuid4()), agency=agency, name=name, role=role)


async def registered(
    identity: Identity, person: Person | None = None
) -> tuple[Authenticator, SignedIn, str]:
    """Somebody invited, registered and signed in, with their passkey and cookie."""
    passkey = Authenticator(ORIGIN)
    code = await identity.invite(person or somebody())
    answer = passkey.register(await identity.begin_registration(code))
    return passkey, *await identity.finish_registration(code, answer)
