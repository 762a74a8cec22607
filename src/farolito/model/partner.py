"""Other agencies: what one says of itself, and how far we are with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from farolito.model.agency import Government
from farolito.model.errors import Invalid
from farolito.model.ids import SLUG, AgencyId
from farolito.model.place import Point

RING_POINTS_MIN = 3


class ShareClass(StrEnum):
    """The classes of data that an agreement can name. What is not here is never shared."""

    PLATE_READ = "plate_read"  # asked for, one plate at a time; never streamed
    ALERT = "alert"
    SHOT = "shot"
    INCIDENT = "incident"
    UNIT = "unit"  # positions of units on a call of both
    HOT_LIST = "hot_list"  # rows, with their recalls


class Zone(msgspec.Struct, frozen=True):
    """A named polygon, WGS 84; the last point is not the first one again."""

    name: str
    ring: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.ring) < RING_POINTS_MIN:
            raise Invalid(f"zone {self.name!r} of {len(self.ring)} points", "give three or more")


class AgencyCard(msgspec.Struct, frozen=True, kw_only=True):
    """What an agency says of itself, signed by its own key wherever it travels.

    `key`: the agency's Ed25519 public key, hexadecimal; who holds the private half *is* the
    agency, whatever a certificate or a message claims. `ledger_key`, `witness_key`: verifier keys
    of its log and as a witness. `ca_pem`: of its own certificate authority. `bus_account`: the
    NATS account that stands for the reader of this card on the writer's node. `land`: where a
    nation's own law holds; `consent_classes`: what nobody has of that land without its consent.
    """

    agency_id: AgencyId
    name: str
    ori: str
    law: str
    government: Government
    key: str
    ledger_key: str
    witness_key: str
    ca_pem: str
    bus_account: str = ""
    contact: str = ""  # whom to call: what the answer "pointer" tells
    land: tuple[Zone, ...] = ()
    consent_classes: tuple[ShareClass, ...] = ()

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.agency_id):
            raise Invalid(f"agency id {self.agency_id!r}", "use lower case letters, digits, -")
        if len(self.key) != 64 or not _is_hex(self.key):
            raise Invalid("an agency's key that is not 32 bytes in hexadecimal")
        if self.land and self.government != "tribal":
            raise Invalid("land of an agency that is no nation", "only a nation names its land")


class PartnerState(StrEnum):
    JOINED = "joined"  # cards exchanged; nobody here has compared the fingerprints yet
    CONFIRMED = "confirmed"  # a person here has: messages are taken, nothing is shared by that
    LEFT = "left"  # one of both has ended it; what was received is purged


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """Another agency as this node knows it. `listens`: they have the open port, not we."""

    card: AgencyCard
    state: PartnerState
    since: datetime
    listens: bool = False
    address: str = ""  # host:port of the leaf link, where they listen
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None

    @property
    def agency_id(self) -> AgencyId:
        return self.card.agency_id


def _is_hex(text: str) -> bool:
    return all(c in "0123456789abcdef" for c in text)
