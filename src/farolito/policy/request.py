"""A question to the policy, and its two possible answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from farolito.model import Act, AgencyId, AgreementId, Invalid, Person, Purpose, Thing

Fact = str | int | bool | tuple[str, ...]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """May this person do this, to that, for this purpose, now?

    `signed_in_s`: age of the sign-in in seconds. `proved_s`: since the asker last showed a
    passkey, None: the sign-in was one. `case`: case or call number. `on_behalf_of`:
    for whom the asker types, None for the asker alone. `facts`: what the gate knows of the
    thing; the names are in `FACTS`, any other name is refused. `agreement`: by which another
    agency's person asks; nothing else opens anything to them, and our own need none.
    """

    person: Person
    signed_in_s: int
    act: Act
    thing: Thing
    purpose: Purpose | None
    owner: AgencyId
    now: datetime
    case: str | None = None
    on_behalf_of: str | None = None
    facts: Mapping[str, Fact] = {}
    agreement: AgreementId | None = None
    proved_s: int | None = None

    @property
    def proof_age_s(self) -> int:
        return self.signed_in_s if self.proved_s is None else self.proved_s

    @property
    def is_foreign(self) -> bool:
        return self.person.agency != self.owner

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")


class Permit(msgspec.Struct, frozen=True):
    """Yes, by these rules of this set (`policy` is its SHA-256)."""

    rules: tuple[str, ...]
    policy: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """No. `reason` is a stable word, `says` and `do` are for the person, `errors` for the log.

    `also` holds further reasons that stand in the way, so that nobody mends one to meet the next.
    """

    reason: str
    says: str
    do: str
    policy: str
    also: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
