"""The README's pictures, taken anew from a demo that was just started.

    make demo                                     # in one terminal
    .venv/bin/python -m tests.browser.screenshots # in another, at once

Looks on: the demo tells a call to which the officer's unit drives for some two minutes. Then it
walks through the practice metro.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
from pathlib import Path

from PIL import Image
from playwright.async_api import ViewportSize, async_playwright, expect

from tests.browser.screens import CHROMIUM_FLAGS, Screen, Screens

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
UNIT = "2A14"  # the officer persona's
COLOURS = 256
BYTES_MAX = 300_000
CALL_MS_MAX = 600_000  # the first call comes at once, the next some minutes after it
KNOWN_MS_MAX = 120_000  # until both callers, the flag and the alert belong to it
DRIVE_MS_MAX = 240_000
LIVE_MS_MAX = 60_000  # practice cameras draw what they show
STEP_MS_MAX = 120_000
WALK = ("ask", "refused", "agree", "answered", "recall", "revoke")
PARTS = 4  # the call, the shots that sensors heard, the second caller, the plate
WIDE: ViewportSize = {"width": 1600, "height": 900}
TALL: ViewportSize = {"width": 1600, "height": 1100}  # the steps and the rows in one picture


async def take(port: int) -> None:
    async with async_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        screens = Screens(browser)
        officer = await screens.officer(port)
        operator = await screens.operator(port)
        await expect(operator.page.get_by_text("Drawing the map")).to_have_count(0)
        await shots_heard(operator)
        await operator.page.get_by_role("tab", name="Calls").click()
        await on_the_way(operator, officer)
        await seen(operator)
        await arrived(operator, officer)
        await wall(operator)
        await metro(await screens.open(port, "/metro", reduced_motion="reduce"))
        await screens.close()
        await browser.close()


async def shots_heard(operator: Screen) -> None:
    """The first shots with the sound of the nearest sensors, one clip played."""
    await operator.page.get_by_role("tab", name="Alerts").click()
    row = operator.page.locator("[data-shot]", has_text="rounds").first
    await expect(row).to_be_visible(timeout=CALL_MS_MAX)
    await row.click()
    await expect(operator.page.locator("[data-clip] canvas").nth(2)).to_be_visible(timeout=60_000)
    await operator.page.keyboard.press("1")
    await expect(operator.page.locator("[data-clip][data-listened=true]")).to_have_count(1)
    await _save(operator, "shots")


async def on_the_way(operator: Screen, officer: Screen) -> None:
    """The call open before the operator, and three lines before the officer."""
    row = operator.page.locator("[data-incident][data-state=open]", has_text=UNIT)
    await expect(row).to_be_visible(timeout=CALL_MS_MAX)
    await row.click()
    last = operator.page.locator("[data-part]").nth(PARTS - 1)
    await expect(last).to_be_visible(timeout=KNOWN_MS_MAX)
    unit = operator.page.locator(f"[data-unit='{UNIT}']")
    await expect(unit.locator(".way")).to_contain_text("there in")
    await expect(unit).to_contain_text("has seen the newest")
    await expect(operator.at("notice")).to_have_count(0)
    await operator.page.mouse.move(0, 0)
    await _save(operator, "console")
    await expect(officer.at("moving")).to_be_visible()
    await expect(officer.at("eta")).to_be_visible()
    await _save(officer, "brief-moving")


async def seen(operator: Screen) -> None:
    """The cameras that see the place of the call, live, each with its reason."""
    await operator.page.keyboard.press("v")
    live = operator.page.locator("[data-testid=tile][data-standing=live]")
    await expect(live.nth(2)).to_be_visible(timeout=LIVE_MS_MAX)
    await operator.page.locator("[data-testid=tile]").first.scroll_into_view_if_needed()
    await operator.page.mouse.move(0, 0)
    await _save(operator, "pictures")
    await operator.page.keyboard.press("v")


async def wall(operator: Screen) -> None:
    """The wall as it fills itself."""
    await operator.page.set_viewport_size(WIDE)
    await operator.go("/wall")
    await operator.page.get_by_test_id("fill").first.click()
    live = operator.page.locator("[data-testid=tile][data-standing=live]")
    await expect(live.nth(6)).to_be_visible(timeout=LIVE_MS_MAX)
    await operator.page.mouse.move(0, 0)
    await _save(operator, "wall")


async def arrived(operator: Screen, officer: Screen) -> None:
    """The whole card of a car that stands, and the clocks with its way to the scene."""
    number = await operator.page.locator("[data-testid=incident-head] .chip").inner_text()
    await expect(officer.at("brief")).to_be_visible(timeout=DRIVE_MS_MAX)
    await _save(officer, "brief")
    await operator.go("/timings")
    await operator.page.get_by_role("button", name="1 hour").click()
    row = operator.page.locator(f"[data-timing='{number.split()[-1]}']", has_text=UNIT)
    await expect(row.locator(".by")).to_be_visible(timeout=DRIVE_MS_MAX)
    await operator.page.set_viewport_size(TALL)
    await row.scroll_into_view_if_needed()
    await _save(operator, "timings")


async def metro(visitor: Screen) -> None:
    """The guided walk, as it ends an agreement."""
    for step in WALK:
        await visitor.page.keyboard.press("Enter")
        await expect(visitor.page.locator(f"[data-shown={step}]")).to_be_visible(
            timeout=STEP_MS_MAX
        )
    await visitor.page.mouse.move(0, 0)
    await _save(visitor, "metro")


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
