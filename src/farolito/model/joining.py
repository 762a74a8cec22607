"""Becoming partners, and being them no longer: what a node keeps of each step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from farolito.model.bus_card import BusCard
from farolito.model.ids import AgencyId
from farolito.model.partner import Partner, PartnerState

INVITATION_LIVES = timedelta(hours=24)
WRONG_TRIES_MAX = 5  # then an invitation is locked


class SignedCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An AgencyCard's exact JSON, and its own key's signature over it, hexadecimal."""

    content: str
    signature: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, without its secret. `used_by`: the agency key that joined with it."""

    invitation_id: UUID
    made_at: datetime
    expires: datetime
    wrong: int = 0
    used_by: str | None = None

    def is_open(self, now: datetime, key: str) -> bool:
        """Whether the holder of `key` may join with it; who has may ask again, for the answer may
        have been lost."""
        fresh = now < self.expires and self.wrong < WRONG_TRIES_MAX
        return fresh and self.used_by in (None, key)


class KnownPartner(msgspec.Struct, frozen=True, kw_only=True):
    """A partner with what its node and ours keep of each other.

    `own_bus`, `bus`: our end of the line and theirs. `told`: SHA-256 (hexadecimal) of our card as
    they last acknowledged it. Of a partner that left: `ended_by`; `purged`: receipts of what we
    deleted of theirs, None until it is done; `proof`: theirs, None until they have answered;
    `line_until`: how long the line is still needed for that.
    """

    partner: Partner
    signed: SignedCard
    own_bus: BusCard
    bus: BusCard
    told: str = ""
    ended_by: AgencyId | None = None
    purged: Mapping[str, Any] | None = None
    proof: Mapping[str, Any] | None = None
    line_until: datetime | None = None

    @property
    def agency_id(self) -> AgencyId:
        return self.partner.agency_id

    @property
    def is_confirmed(self) -> bool:
        return self.partner.state is PartnerState.CONFIRMED

    @property
    def has_left(self) -> bool:
        return self.partner.state is PartnerState.LEFT
