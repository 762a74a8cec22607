"""The supervisor of sources: tried again with growing waits, a loss and a return said once."""

from __future__ import annotations

import asyncio

import pytest

from farolito.ingest import run
from farolito.ingest.run import keep_running
from farolito.model import Rejected


class Source:
    """Fails so often, then works until it is told to fail again."""

    def __init__(self, failures: int, why: Exception) -> None:
        self.failures = failures
        self.why = why
        self.tries = 0
        self.works = asyncio.Event()
        self.broken = asyncio.Event()

    async def work(self) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise self.why
        self.works.set()
        await self.broken.wait()
        self.broken.clear()
        self.works.clear()
        raise self.why


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BACK_OFF_S", (0.01, 0.02))
    monkeypatch.setattr(run, "STEADY_S", 0.05)


def started(source: Source) -> asyncio.Task[None]:
    return asyncio.create_task(keep_running("broker county", source.work))


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until_said(words: str, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10):
        while words not in caplog.text:
            await asyncio.sleep(0.01)


async def test_a_loss_and_a_return_are_each_said_once(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(5, ConnectionRefusedError("10.8.0.1 with a secret"))
    task = started(source)
    async with asyncio.timeout(10):
        await source.works.wait()
    await until_said("is back", caplog)
    assert [record.getMessage() for record in caplog.records if record.name == run.__name__] == [
        "broker county is away: ConnectionRefusedError",
        "broker county is back",
    ]
    source.broken.set()
    async with asyncio.timeout(10):
        while source.tries < 7:
            await asyncio.sleep(0.01)
    assert caplog.text.count("is away") == 2
    await ended(task)


async def test_a_named_reason_is_said_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(1, Rejected("too_slow", "says"))
    task = started(source)
    async with asyncio.timeout(10):
        await source.works.wait()
    assert "is away: too_slow" in caplog.text
    await ended(task)


async def test_a_source_that_fails_at_once_is_not_said_to_be_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = Source(12, OSError())
    task = started(source)
    async with asyncio.timeout(10):
        await source.works.wait()
    assert "is back" not in caplog.text
    await ended(task)


async def test_what_ends_by_itself_is_begun_again_and_not_without_pause() -> None:
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1

    task = asyncio.create_task(keep_running("feed", work))
    async with asyncio.timeout(10):
        while begun < 3:
            await asyncio.sleep(0.005)
    assert begun < 50
    await ended(task)


async def test_an_end_without_an_error_is_begun_anew() -> None:
    runs = asyncio.Semaphore(0)

    async def work() -> None:
        runs.release()

    task = asyncio.create_task(keep_running("county CAD", work, (0.01,)))
    for _ in range(3):
        async with asyncio.timeout(5):
            await runs.acquire()
    await ended(task)
