"""What Janus makes of the same cameras, in the same browsers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from farolito.cli.bench_janus import Janus, janus, why_not
from farolito.cli.bench_processes import Share
from farolito.cli.bench_video_cameras import Bed
from farolito.cli.bench_video_ours import Figures, Sizes, glass
from farolito.cli.bench_video_page import SETTLE_S, Chromium, first, holds, watch

OPEN_S_MAX = 30.0


class Rival:
    """Janus at `address`, anew for each browser; without it nothing is found."""

    def __init__(self, folder: Path, ground: Bed, sizes: Sizes, address: str) -> None:
        self._folder, self._ground, self._sizes = folder, ground, sizes
        self._address = address

    async def near(self, browser: Chromium) -> Figures:
        """How old its pictures are in a browser on this machine, and what they cost it."""
        if why_not() is not None:
            return {}
        # It pulls all the time what it knows, so it knows as many cameras as are looked at.
        cameras = [self._ground.clock_url, *self._ground.loop_urls(self._sizes.streams - 1)]
        async with janus(self._folder / "janus-near", self._address, cameras) as rival:
            found = await self._glass(browser, rival, "")
            return found | await self._cost(browser, rival)

    async def far(self, browser: Chromium, line: str) -> Figures:
        """How old they are in a browser at the far end of a line."""
        if why_not() is not None:
            return {}
        folder = self._folder / f"janus-{line}"
        async with janus(folder, self._address, [self._ground.clock_url]) as rival:
            return await self._glass(browser, rival, f"{line}_link_")

    async def _glass(self, browser: Chromium, rival: Janus, where: str) -> Figures:
        async with browser.janus(rival.url) as page:
            await page.evaluate("() => benchJanus.look(1)")
            first_ms = await first(page)
            shown: Figures = {f"first_picture_{where}ms": first_ms}
            return shown | glass(where, await watch(page, self._sizes.seconds))

    async def _cost(self, browser: Chromium, rival: Janus) -> Figures:
        """CPU time of Janus with a viewer for each camera, all of them in one page."""
        count, seconds = self._sizes.streams, self._sizes.seconds
        async with browser.janus(rival.url) as page:
            await page.evaluate("(count) => benchJanus.takeAll(count)", count)
            if not await holds(page, "benchJanus.found.without === 0", OPEN_S_MAX):
                return {}
            await asyncio.sleep(SETTLE_S)
            share = Share(rival.pid)
            before = await _pictures(page)
            await asyncio.sleep(seconds)
            fps = (await _pictures(page) - before) / seconds / count
            return {
                "cpu_percent_per_stream": share.percent() / count,
                "fps_per_stream": fps,
                "streams": float(count),
            }


async def _pictures(page: Any) -> int:
    return int(await page.evaluate("() => benchJanus.found.pictures"))
