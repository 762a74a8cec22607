"""What every page keeps to: the auditor's and the health page, no internet, headers, ranges."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from playwright.async_api import expect

from farolito.audit import verify
from tests.browser.screens import Screens
from tests.browser.street import briefed, raised
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

PAGES = ("/", "/brief", "/audit", "/health")
STREETS_SHARE_MIN = 0.02  # of the map's pixels that are not its ground


async def test_an_auditor_reads_opens_a_field_for_a_reason_and_takes_a_bundle_that_verifies(
    city: RunningNode, screens: Screens, tmp_path: Path
) -> None:
    await briefed(city, "KBD472")
    auditor = await screens.sign_in(city.port, "auditor")
    await auditor.page.wait_for_url("**/audit")
    rows = auditor.page.locator("[data-index]")
    await expect(rows.filter(has_text="brief").first).to_be_visible()
    assert "KBD472" not in await auditor.page.locator("table").inner_text()

    row = rows.filter(has_text="Operator").first
    field = row.locator(".personal button", has_text="user")
    await field.click()
    dialog = auditor.page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Open")).to_be_disabled()
    await dialog.get_by_label("Routine review").check()
    await dialog.get_by_role("button", name="Open").click()
    await expect(dialog).to_have_count(0)
    who = (await city.sign_in("operator")).session["person"]
    named = f"user {who['name']}, operator ({who['person_id']})"
    await expect(row.locator(".value")).to_have_text(named)

    async with auditor.page.expect_download() as download:
        await auditor.at("bundle").click()
    bundle = tmp_path / "bundle"
    await (await download.value).save_as(bundle)
    verdict = verify(bundle.read_bytes())
    assert verdict.ok, verdict.problems
    assert verdict.size > 0
    assert not verify(bundle.read_bytes().replace(b"permit", b"refuse", 1)).ok


async def test_the_health_page_says_what_is_wrong_and_what_to_do(
    quiet_city: RunningNode, screens: Screens
) -> None:
    await quiet_city.reader_key()
    auditor = await screens.sign_in(quiet_city.port, "auditor")
    await auditor.page.wait_for_url("**/audit")
    await auditor.go("/health")
    await expect(auditor.page.get_by_role("heading", name="1 thing needs you")).to_be_visible()
    finding = auditor.page.locator(".findings li")
    await expect(finding).to_contain_text("there is no hot list: no read can raise an alert")
    await expect(finding).to_contain_text("Do this: farolito hotlist import")
    await expect(auditor.page.get_by_text("postgres")).to_be_visible()
    await expect(auditor.page.get_by_role("row", name="Central @ 4th")).to_contain_text("never")

    await quiet_city.list_plate("KBD472")
    await auditor.page.reload()
    await expect(auditor.page.get_by_role("heading", name="All is well.")).to_be_visible()


async def test_the_map_draws_and_every_page_works_with_no_internet(
    mapped: RunningNode, screens: Screens
) -> None:
    await raised(mapped, "HDL903")
    operator = await screens.operator(mapped.port)
    await expect(operator.page.get_by_text("Drawing the map")).to_have_count(0)
    await expect(operator.page.get_by_text("No street map yet")).to_have_count(0)
    picture = Image.open(io.BytesIO(await operator.page.locator(".gl").screenshot())).convert("RGB")
    pixels = picture.width * picture.height
    ground = max(count for count, _ in picture.getcolors(pixels) or [])
    assert 1 - ground / pixels > STREETS_SHARE_MIN

    auditor = await screens.sign_in(mapped.port, "auditor")
    await auditor.page.wait_for_url("**/audit")
    await expect(auditor.page.locator("[data-index]").first).to_be_visible()
    await auditor.go("/health")
    await expect(auditor.page.locator(".findings")).to_be_visible()
    officer = await screens.officer(mapped.port)
    for screen in (operator, auditor, officer):
        hosts = {urlsplit(url).netloc for url in screen.asked if not url.startswith("blob:")}
        assert hosts == {f"localhost:{mapped.port}"}
    assert any("/tiles/metro.pmtiles" in url for url in operator.asked)


async def test_tiles_are_read_by_ranges(mapped: RunningNode) -> None:
    async with httpx.AsyncClient(base_url=mapped.url, trust_env=False) as http:
        path = "/tiles/metro.pmtiles"
        whole = await http.head(path)
        part = await http.get(path, headers={"Range": "bytes=0-126"})
        beyond = await http.get(path, headers={"Range": "bytes=999999999-"})
    size = int(whole.headers["content-length"])
    assert (part.status_code, len(part.content)) == (206, 127)
    assert part.content.startswith(b"PMTiles")
    assert part.headers["content-range"] == f"bytes 0-126/{size}"
    assert "content-encoding" not in part.headers
    assert beyond.status_code == 416


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_lets_nothing_in_from_outside(city: RunningNode, path: str) -> None:
    async with httpx.AsyncClient(base_url=city.url, trust_env=False) as http:
        page = await http.get(path)
    assert page.status_code == 200
    rules = dict(
        rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";")
    )
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    scripts = rules.get("script-src", rules["default-src"])
    assert "unsafe" not in scripts
    assert "http" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
