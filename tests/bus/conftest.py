"""Three agencies' buses: one listens, two connect to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bus.sites import CITY, PUEBLO, SHERIFF, Site
from tests.ports import free_port


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Site]:
    async for site in _running(Site(tmp_path, CITY, free_port())):
        yield site


@pytest.fixture
async def sheriff(tmp_path: Path) -> AsyncIterator[Site]:
    async for site in _running(Site(tmp_path, SHERIFF)):
        yield site


@pytest.fixture
async def pueblo(tmp_path: Path) -> AsyncIterator[Site]:
    async for site in _running(Site(tmp_path, PUEBLO)):
        yield site


async def _running(site: Site) -> AsyncIterator[Site]:
    await site.start()
    try:
        yield site
    finally:
        async with asyncio.timeout(30):
            await site.stop()
        print(site.agency, site.log()[-3_000:])  # shown where a test failed
