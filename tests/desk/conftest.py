"""A city to take calls in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from farolito.store import Database
from tests.desk.city import City, a_city


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[City]:
    async with a_city(database, tmp_path) as made:
        yield made
