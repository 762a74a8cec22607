"""Real engines for the tests: one PostgreSQL a run, a fresh migrated database a test."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pytest
import pytest_asyncio

from farolito.app import postgres
from farolito.app.supervise import Supervisor
from farolito.store import Database, migrate
from tests.databases import Databases
from tests.running import RunningNode, running_node
from tests.temporary import use_memory

ROOT = Path(__file__).resolve().parent.parent
WAITING = ("browser", "app", "bus", "cli", "console")
RECKONING = ("acoustics", "policy", "simulator", "audit", "plates", "codec", "geo", "viewing")
GIVES_WAY = 5


def pytest_configure() -> None:
    """Before anybody asks where temporary files go."""
    use_memory()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first, in whatever order chance gave them: begun last, one of them
    would keep a single process busy while the others have nothing to do. Among those that wait for
    engines and screens are strewn those that only reckon: neither kind alone fills the machine."""
    waiting, reckoning, rest = list[pytest.Item](), list[pytest.Item](), list[pytest.Item]()
    for item in items:
        kind = reckoning if _in(item, RECKONING) else waiting if _in(item, WAITING) else rest
        kind.append(item)
    items[:] = [*_strewn(_by_file(waiting), _by_file(reckoning)), *rest]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What only reckons gives way to what others wait for. Going back wants to be root."""
    if os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, GIVES_WAY if _in(item, RECKONING) else 0)


def _in(item: pytest.Item, folders: Sequence[str]) -> bool:
    return item.path.relative_to(ROOT / "tests").parts[0] in folders


def _by_file(items: Sequence[pytest.Item]) -> list[list[pytest.Item]]:
    return [list(group) for _, group in groupby(items, key=lambda item: item.path)]


def _strewn(
    files: list[list[pytest.Item]], among: list[list[pytest.Item]]
) -> Iterator[pytest.Item]:
    """All of both, each in its order and evenly."""
    places = [(n / max(1, len(files)), file) for n, file in enumerate(files)]
    places += [((n + 0.5) / max(1, len(among)), file) for n, file in enumerate(among)]
    for _, file in sorted(places, key=lambda one: one[0]):
        yield from file


@pytest.fixture(scope="session")
def real_inputs() -> Path:
    """The folder of real inputs; a test that needs it skips, and says so, where it is absent."""
    folder = Path(os.environ.get("FAROLITO_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real inputs are absent: set FAROLITO_DATA (looked in {folder})")
    return folder


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance with a seed that belongs to the test's name: the same in every run."""
    return random.Random(request.node.nodeid)


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """A folder that an unprivileged account can reach, gone after the run."""
    folder = Path(tempfile.mkdtemp(prefix="farolito-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(run_folder: Path) -> Iterator[postgres.Cluster]:
    """A running PostgreSQL with a migrated template database."""
    cluster = postgres.prepare(run_folder, durable=False)
    with asyncio.Runner() as runner:
        supervisor = Supervisor()
        child = postgres.child(cluster, run_folder / "postgres.log")
        runner.run(supervisor.start(child))
        runner.run(migrate(cluster.dsn))
        yield cluster
        runner.run(supervisor.stop())


@pytest.fixture(scope="session")
def databases(cluster: postgres.Cluster) -> Iterator[Databases]:
    """Fresh databases, made while the tests before them run."""
    with Databases(cluster.dsn) as made:
        yield made


@pytest.fixture
def dsn(databases: Databases) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    name = databases.take()
    yield databases.address(name)
    databases.give_back(name)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(dsn)
    yield opened
    await opened.close()


@pytest.fixture
def state() -> Iterator[Path]:
    """A node's state folder that PostgreSQL's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def node(state: Path) -> AsyncIterator[RunningNode]:
    """A whole node in this process, with its own PostgreSQL and NATS, ended with the test."""
    async with running_node(state) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_node() -> AsyncIterator[RunningNode]:
    """One node for a module's tests, each of which brings plates and a list of its own.

    Its tests run in the module's event loop: `pytest.mark.asyncio(loop_scope="module")`.
    """
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    async with running_node(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)
