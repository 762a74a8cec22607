from __future__ import annotations

from datetime import UTC, datetime

import pytest

from farolito.simulator.world import SimulatorConfig, World, make_world

START = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> World:
    """A small practice metro: fewer cars, the same streets."""
    return make_world(SimulatorConfig(start=START, vehicles=6_000, readers=40, list_rows=300))
