"""The README's pictures, taken anew from a running demo.

    make demo                                     # in one terminal
    .venv/bin/python -m tests.browser.screenshots # in another

Works an alert as an operator would, so the demo has one brief more afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, async_playwright, expect

from tests.browser.screens import CHROMIUM_FLAGS, Screen, Screens

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
UNIT = "2A14"  # the officer persona's
COLOURS = 256
BYTES_MAX = 400_000
ALERT_MS_MAX = 180_000  # the drill brings an alert every 60 to 90 s


async def take(port: int) -> None:
    async with async_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        screens = Screens(browser)
        operator = await screens.operator(port)
        await expect(operator.page.get_by_text("Drawing the map")).to_have_count(0)
        row = await _worth_showing(operator)
        await _save(operator, "console")

        await operator.confirm()
        await operator.press("b")
        await operator.page.locator(f"input[value='{UNIT}']").check()
        await operator.at("brief-do").click()
        await expect(row).to_have_attribute("data-state", "confirmed")
        officer = await screens.officer(port)
        await expect(officer.at("brief")).to_be_visible()
        await _save(officer, "brief")
        await screens.close()
        await browser.close()


async def _worth_showing(operator: Screen) -> Locator:
    """An alert just taken whose reader told the state and sent the plate's picture."""
    waiting = operator.page.locator("[data-alert][data-state=waiting]")
    await expect(waiting.first).to_be_visible(timeout=ALERT_MS_MAX)
    ids = await waiting.evaluate_all("rows => rows.map(row => row.dataset.alert)")
    for alert_id in reversed(ids):  # the newest of each level stands last
        row = operator.page.locator(f"[data-alert='{alert_id}']")
        await row.click()
        passed = operator.page.locator("[data-check][data-outcome=passed]")
        await expect(operator.page.locator("[data-check]").first).to_be_visible()
        if await passed.count() >= 4:
            break
    await operator.press("a")
    await expect(row).to_have_attribute("data-state", "taken")
    await expect(operator.at("compared")).to_be_enabled()
    await expect(operator.at("notice")).to_have_count(0)
    await operator.page.mouse.move(0, 0)
    return row


async def _save(screen: Screen, name: str) -> None:
    picture = Image.open(io.BytesIO(await screen.page.screenshot())).convert("RGB")
    file = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, kmeans=3, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    assert size < BYTES_MAX, f"{file} has {size} bytes"
    print(f"{file}: {picture.width} x {picture.height}, {size // 1000} kB")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--port", type=int, default=8700, help="where the demo listens")
    IMAGES.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(asked.parse_args().port))
