"""Three neighbours for each test of the federation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.federation.neighbours import Neighbours, three_neighbours
from tests.federation.sharers import Sharers


@pytest.fixture
async def neighbours(databases: Databases, tmp_path: Path) -> AsyncIterator[Neighbours]:
    async with three_neighbours(databases, tmp_path) as made:
        yield made


@pytest.fixture
def sharers(neighbours: Neighbours) -> Sharers:
    return Sharers(neighbours)
