"""What keeps a folder or a subscription going."""

from __future__ import annotations

import asyncio

import pytest

from farolito.ingest.cad.keep import keep_going
from tests.running import until


async def test_a_loss_is_logged_once_and_the_return_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = 0

    async def run() -> None:
        nonlocal tries
        tries += 1
        if tries <= 4:
            raise ConnectionRefusedError("call 26-118204 at 1 Main St")
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_going("county CAD", run, (0.01, 0.05)))
    await until(lambda: "county CAD is back" in caplog.messages)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert caplog.messages == ["county CAD is away: ConnectionRefusedError", "county CAD is back"]


async def test_an_end_without_an_error_is_begun_anew() -> None:
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1

    task = asyncio.create_task(keep_going("county CAD", run, (0.01,)))
    await until(lambda: runs >= 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
