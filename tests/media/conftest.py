"""Chance that belongs to the test's name, for what cameras are drawn to see."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest

from tests.media import drawn


@pytest.fixture(autouse=True)
def noise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(crc32(request.node.nodeid.encode()))
    monkeypatch.setattr(drawn, "_chance", chance)
