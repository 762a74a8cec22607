"""`farolito bench positions`: where units are, from the door to a console that is being watched.

Units say where they are once a second each, through the HTTP door; headless Chromium shows the
console with its map, drawing at most twice a second as a machine without a graphics card does.
Counted in the page: positions that arrived, how old they were when they were drawn, and which
share of the time its main thread was busy (Chromium's own `TaskDuration`, DevTools protocol,
Performance domain). The graphics itself is drawn by another process of the browser, as on any
desk. `--disable-gpu` would leave WebGL in that process and take the compositing out of it: then
the page's thread waits for every picture to be read back, which no desk does.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from farolito.cli.bench_node import AGENCY
from farolito.cli.bench_running import Running, running
from farolito.cli.bench_sender import request
from farolito.model import FarolitoError

Progress = Callable[[float], None]
UNITS = 12_000
MESSAGE_UNITS = 1_000
CENTRE = (35.0844, -106.6504)
SETTLE_S = 4.0  # the page's own start is not measured
COLUMNS = 120
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--use-gl=angle", "--ignore-gpu-blocklist",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio",
)  # fmt: skip


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    return asyncio.run(_run(12.0 if quick else 120.0, seed, progress))


async def _run(seconds: float, seed: int, progress: Progress) -> Mapping[str, Any]:
    async with running(seed=seed, streets=True) as node:
        progress(0.3)
        async with _senders(node) as sent, _console(node) as page:
            await asyncio.sleep(SETTLE_S)
            before, begun, handed = await page.counts(), time.perf_counter(), sent[0]
            progress(0.5)
            await asyncio.sleep(seconds)
            after, took = await page.counts(), time.perf_counter() - begun
            progress(0.9)
        stored = await node.admin("GET", "/api/admin/health")
    ages = sorted(after["ages"])
    busy = after["busy_s"] - before["busy_s"]
    progress(1.0)
    return {
        "figures": {
            "positions_per_s": (after["positions"] - before["positions"]) / took,
            "sent_per_s": (sent[0] - handed) / took,
            "console_main_thread_percent": 100 * busy / took,
            "draws_per_s": (after["drawn"] - before["drawn"]) / took,
            "age_on_screen_p50_ms": _rank(ages, 0.50),
            "age_on_screen_p95_ms": _rank(ages, 0.95),
            "units": UNITS,
            "node_is_well": float(bool(stored.get("ok", True))),
        },
        "baselines": [],
        "ratios": {},
    }


class _Page:
    def __init__(self, page: Any, devtools: Any) -> None:
        self._page = page
        self._devtools = devtools

    async def counts(self) -> dict[str, Any]:
        metrics = (await self._devtools.send("Performance.getMetrics"))["metrics"]
        busy = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
        told = await self._page.evaluate(
            "() => { const m = window.farolito; return {positions: m.positions, drawn: m.drawn,"
            " ages: [...m.ageMs]} }"
        )
        return {"busy_s": busy, **told}


@asynccontextmanager
async def _console(node: Running) -> AsyncIterator[_Page]:
    """The console in Chromium, signed in as the practice operator, its map drawn."""
    try:
        from playwright.async_api import async_playwright
    except ImportError as why:
        raise FarolitoError("playwright is not installed", "pip install farolito[dev]") from why
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise FarolitoError("there is no Chromium", "apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        context = await browser.new_context(viewport={"width": 1600, "height": 900})
        name, _, value = (await node.operator_cookie()).partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": node.url}])
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        await page.goto(f"{node.url}/?slow=1")
        await page.wait_for_function(
            f"() => window.farolito && window.farolito.positions >= {UNITS}", timeout=60_000
        )
        yield _Page(page, devtools)
        await browser.close()


@asynccontextmanager
async def _senders(node: Running) -> AsyncIterator[list[int]]:
    """Every unit once a second; the list holds how many positions were accepted."""
    device = {
        "device_id": "avl", "agency": AGENCY, "kind": "positions", "name": "AVL",
        "format": "farolito",
    }  # fmt: skip
    key = (await node.admin("POST", "/api/admin/devices", device))["key"]
    sent = [0]

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        step = 0
        pause = MESSAGE_UNITS / UNITS
        due = time.perf_counter()
        while True:
            for first in range(0, UNITS, MESSAGE_UNITS):
                body = msgspec.json.encode(
                    [_fix(n, step) for n in range(first, first + MESSAGE_UNITS)]
                )
                writer.write(request("/ingest/avl/farolito", key, body))
                head = await reader.readuntil(b"\r\n\r\n")
                if b" 202 " not in head:
                    raise FarolitoError("positions were refused", head.decode("latin-1")[:200])
                await reader.readuntil(b"}")
                sent[0] += MESSAGE_UNITS
                due = max(due + pause, time.perf_counter() - 1)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            step += 1

    sending = asyncio.create_task(send())
    try:
        yield sent
        if sending.done():
            sending.result()
    finally:
        sending.cancel()


def _fix(number: int, step: int) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    north = 9e-5 * (step % 60 if step // 60 % 2 == 0 else 60 - step % 60)
    return {
        "unit": f"U{number:05d}",
        "lat": CENTRE[0] + row * 1e-3 - 0.05 + north,
        "lon": CENTRE[1] + column * 1e-3 - 0.06,
        "at": datetime.now(UTC),
        "heading_deg": 0.0,
        "speed_mps": 10.0,
    }


def _rank(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return statistics.quantiles(ordered, n=100, method="inclusive")[int(share * 100) - 1]
