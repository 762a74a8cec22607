"""What Janus makes of the same cameras, in the same browsers."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

from farolito.cli.bench_janus import janus, why_not
from farolito.cli.bench_processes import Share
from farolito.cli.bench_video_cameras import Bed
from farolito.cli.bench_video_ours import WARM_S, Figures, Sizes, glass
from farolito.cli.bench_video_page import Chromium, first, holds, watch

OPEN_S_MAX = 30.0


class Rival:
    """Janus anew for each measurement, at `address`; without it nothing is found."""

    def __init__(self, folder: Path, ground: Bed, sizes: Sizes, address: str) -> None:
        self._folder, self._ground, self._sizes = folder, ground, sizes
        self._address = address
        self._folders = itertools.count()

    async def near(self, browser: Chromium) -> Figures:
        if why_not() is not None:
            return {}
        return await self._glass(browser, "") | await self._cost(browser)

    async def far(self, browser: Chromium, line: str) -> Figures:
        return {} if why_not() is not None else await self._glass(browser, f"{line}_link_")

    async def _glass(self, browser: Chromium, where: str) -> Figures:
        folder = self._folder / f"janus-{next(self._folders)}"
        async with (
            janus(folder, self._address, [self._ground.clock_url]) as rival,
            browser.janus(rival.url) as page,
        ):
            await page.evaluate("() => benchJanus.look(1)")
            first_ms = await first(page)
            shown: Figures = {f"first_picture_{where}ms": first_ms}
            return shown | glass(where, await watch(page, self._sizes.seconds))

    async def _cost(self, browser: Chromium) -> Figures:
        """CPU time of Janus with a viewer for each camera, all of them in one page."""
        folder = self._folder / f"janus-{next(self._folders)}"
        count, seconds = self._sizes.streams, self._sizes.seconds
        async with (
            janus(folder, self._address, self._ground.loop_urls(count)) as rival,
            browser.janus(rival.url) as page,
        ):
            await page.evaluate(
                "(count) => Promise.all("
                "Array.from({ length: count }, (_, at) => benchJanus.take(at + 1)))",
                count,
            )
            if not await holds(page, "benchJanus.found.without === 0", OPEN_S_MAX):
                return {}
            await asyncio.sleep(WARM_S)
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
