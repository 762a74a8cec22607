"""Headless Chromium with one picture in it, on this machine or at the far end of a line.

It decodes in software, on the cores that everything else here has too. What a page shows is read
in the page (bench_clock.js); nothing of the player is changed for it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from farolito.cli.bench_link import HERE
from farolito.cli.bench_running import Running
from farolito.model import FarolitoError

SETTLE_S = 1.0  # the first pictures come out of the node's memory, and code is compiled
FIRST_S_MAX = 15.0
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--mute-audio", "--no-proxy-server",
    "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
)  # fmt: skip
# To a browser "localhost" is always a safe place, so at the far end our address has that name.
FAR_FLAGS = (f"--host-resolver-rules=MAP localhost {HERE}",)
_SCRIPTS = Path(__file__).parent


class Seen(msgspec.Struct, frozen=True):
    """`delays` of pictures, ms from the camera's glass until they were drawn; `bad`: whose clock
    was not to be read, because the picture was broken."""

    delays: list[float]
    bad: int
    seconds: float

    @property
    def fps(self) -> float:
        return round((len(self.delays) + self.bad) / self.seconds, 1)

    def delay_ms(self, share: float) -> float | None:
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class Chromium:
    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @asynccontextmanager
    async def wall(self, node: Running) -> AsyncIterator[Any]:
        """A page that is signed in as the practice operator; see `show`."""
        async with self._page() as page:
            name, _, value = (await node.operator_cookie()).partition("=")
            url = f"http://localhost:{node.port}"
            await page.context.add_cookies([{"name": name, "value": value, "url": url}])
            yield page

    @asynccontextmanager
    async def janus(self, url: str) -> AsyncIterator[Any]:
        """A page of Janus's own place, so that it may speak to it."""
        async with self._page((_SCRIPTS / "bench_janus.js").read_text()) as page:
            await page.goto(f"{url}/info")
            await page.evaluate("() => benchJanus.start()")
            yield page

    @asynccontextmanager
    async def _page(self, script: str = "") -> AsyncIterator[Any]:
        context = await self._browser.new_context(viewport={"width": 1280, "height": 800})
        clock = (_SCRIPTS / "bench_clock.js").read_text()
        await context.add_init_script(f"{clock}\n{script}")
        try:
            yield await context.new_page()
        finally:
            await context.close()


async def show(page: Any, node: Running, camera: str) -> float | None:
    """This camera alone on the wall. Answers as `first`."""
    await page.goto(f"http://localhost:{node.port}/wall?cameras={camera}")
    return await first(page)


async def first(page: Any) -> float | None:
    """ms from when the page asked for the picture until one was drawn; None: none came."""
    if not await holds(page, "benchClock.found.firstMs !== null", FIRST_S_MAX):
        return None
    return float(await page.evaluate("() => benchClock.found.firstMs"))


async def holds(page: Any, claim: str, seconds: float) -> bool:
    """Does this JavaScript become true in so long?"""
    from playwright.async_api import TimeoutError as LateError

    try:
        await page.wait_for_function(f"() => {claim}", timeout=seconds * 1000)
    except LateError:
        return False
    return True


async def watch(page: Any, seconds: float) -> Seen:
    """What is drawn in so long, once it runs."""
    await asyncio.sleep(SETTLE_S)
    await page.evaluate("() => benchClock.begin()")
    await asyncio.sleep(seconds)
    return msgspec.convert(await page.evaluate("() => benchClock.take()"), Seen, strict=False)


@asynccontextmanager
async def chromium(folder: Path, before: Sequence[str] = ()) -> AsyncIterator[Chromium]:
    """`before`: the words that put a program at the far end of a line."""
    try:
        from playwright.async_api import async_playwright
    except ImportError as why:
        raise FarolitoError("playwright is not installed", "pip install farolito[dev]") from why
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise FarolitoError("there is no Chromium", "apt-get install chromium")
    if before:
        wrapped = folder / "chromium-far"
        wrapped.write_text(f'#!/bin/sh\nexec {" ".join(before)} {path} "$@"\n')
        wrapped.chmod(stat.S_IRWXU)
        path = str(wrapped)
    async with async_playwright() as playwright:
        flags = [*FLAGS, *(FAR_FLAGS if before else ())]
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield Chromium(browser)
        finally:
            await browser.close()
