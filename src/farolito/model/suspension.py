"""Why somebody may sign in no more."""

from __future__ import annotations

from enum import StrEnum


class Because(StrEnum):
    """Chosen, never typed; it stands in the ledger, and no partner is told."""

    LEFT = "left"
    MISUSE = "misuse"
    REVIEW = "review"
    LOST_KEY = "lost_key"
