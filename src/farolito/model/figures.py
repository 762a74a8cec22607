"""Public figures as they were published, and what the owner of a plate is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec


class PublishedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """`document`: the canonical bytes that the entry `permit` fixes. `counts`: all that was counted
    for it by name, the withheld ones too; never shown to anybody."""

    period: str
    since: datetime
    until: datetime
    published_at: datetime
    permit: int
    document: bytes
    counts: Mapping[str, int]
