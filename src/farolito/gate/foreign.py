"""What an agreement leaves of a question: from when on, where, in which manner, for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from farolito.model import Agreement, AgreementId, Answering, ShareClass, Zone
from farolito.model.search import FOUND_MAX
from farolito.store import Records

T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Held in the question to the store itself, so that nothing else is ever read. Empty `zones`:
    everywhere. `keep_until`: when the asker must have let go of what it got."""

    agreement_id: AgreementId
    answering: Answering
    since: datetime
    zones: tuple[Zone, ...]
    keep_until: datetime
    rows: int = FOUND_MAX


ForeignWork = Callable[[Records, int, Limits], Awaitable[T]]


def limits_of(terms: Agreement, share_class: ShareClass, kept: timedelta, now: datetime) -> Limits:
    """`kept`: how long the owner itself keeps such records; older ones are about to go."""
    return Limits(
        agreement_id=terms.agreement_id,
        answering=terms.classes[share_class],
        since=now - min(timedelta(days=terms.record_days), kept),
        zones=terms.zones,
        keep_until=now + timedelta(days=terms.keep_days),
    )
