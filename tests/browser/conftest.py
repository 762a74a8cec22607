"""A fresh node and a real browser for each claim about the screens."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from farolito.app.rooms import MAP_NAME
from farolito.ingest.map import tiles
from farolito.simulator.metro import make_metro
from tests.browser.line import Line
from tests.browser.screens import CHROMIUM_FLAGS, Screens
from tests.browser.town import Town, small_town
from tests.metro import CITY, PUEBLO, SHERIFF, Metro, metro
from tests.running import RunningNode, running_node

WEB = Path(__file__).resolve().parents[2] / "src/farolito/console/web/index.html"
SEED = 7


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, which finds no host but this one."""
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        pytest.fail(f"there is no Chromium at {path}: `make test` installs it (or set CHROMIUM)")
    if not WEB.exists() and "FAROLITO_WEB_DIR" not in os.environ:
        pytest.fail("the front end is not built: `make test` builds it (or run `make web`)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def practice_map(run_folder: Path) -> Path:
    """The practice metro's streets as tiles, made once."""
    folder = run_folder / "practice-map"
    folder.mkdir()
    tiles.build(make_metro(SEED), folder / f"{MAP_NAME}.pmtiles")
    return folder


@asynccontextmanager
async def _fresh_node(*, demo: bool) -> AsyncIterator[RunningNode]:
    state = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    state.chmod(0o711)
    try:
        async with running_node(state, demo=demo) as node:
            yield node
    finally:
        shutil.rmtree(state, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def quiet_city() -> AsyncIterator[RunningNode]:
    """A practice node of this test alone, where nothing has happened yet."""
    async with _fresh_node(demo=True) as node:
        yield node


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city() -> AsyncIterator[RunningNode]:
    """A practice node shared by a module, whose tests bring plates of their own."""
    async with _fresh_node(demo=True) as node:
        yield node


@pytest.fixture
def mapped(city: RunningNode, practice_map: Path) -> RunningNode:
    """The shared node with the practice metro's streets."""
    shutil.copytree(practice_map, city.node.state / "maps", dirs_exist_ok=True)
    city.node.new_map()
    return city


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real_node() -> AsyncIterator[RunningNode]:
    """A node that was not started as a demo."""
    async with _fresh_node(demo=False) as node:
        yield node


@pytest_asyncio.fixture(loop_scope="session")
async def screens(chromium: Browser) -> AsyncIterator[Screens]:
    """Screens of people; closing them fails the test where one complained in its console."""
    opened = Screens(chromium)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def line(city: RunningNode) -> AsyncIterator[Line]:
    """A line to the shared node that can be cut."""
    async with Line.to(city.port) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town() -> AsyncIterator[Town]:
    """One node for all that follows a call; its tests bring units, corners and calls."""
    async with small_town() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def town_line(town: Town) -> AsyncIterator[Line]:
    """A line to the town's node that can be cut."""
    async with Line.to(town.node.port) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def neighbours() -> AsyncIterator[Metro]:
    """Three real nodes: city and sheriff are joined, the pueblo is not yet."""
    async with metro((CITY, SHERIFF, PUEBLO), joined=False) as made:
        await made.join(made.city, made.sheriff)
        yield made
