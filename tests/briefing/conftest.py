"""A city that briefs its units."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from farolito.store import Database
from tests.briefing.scene import Scene, a_scene


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(database, tmp_path) as made:
        yield made
