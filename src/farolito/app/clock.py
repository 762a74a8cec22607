"""The node's one clock and its one source of chance; every room below gets them as arguments."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from farolito.model import new_id


def now() -> datetime:
    return datetime.now(UTC)


def ids() -> UUID:
    """A fresh id."""
    return new_id(int(now().timestamp() * 1000), os.urandom(10))
