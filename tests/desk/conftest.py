"""A city to take calls in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from farolito.store import Database
from tests.databases import Databases
from tests.desk.city import City, a_city


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[City]:
    async with a_city(database, tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shot_city(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    """One city for a module's tests, each of which begins without a shot (`Ears.anew`)."""
    name = databases.take()
    opened = await Database.open(databases.address(name))
    async with a_city(opened, tmp_path_factory.mktemp("city")) as made:
        yield made
    await opened.close()
    databases.give_back(name)
