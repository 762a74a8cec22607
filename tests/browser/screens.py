"""People at their screens: a browser context each, and everything the screens complain of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
)

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
DESK: dict[str, Any] = {"viewport": {"width": 1600, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
SIGN_IN = """
persona => fetch('/api/session/demo', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ persona }),
})
"""
# Where a persona's page is not the one on which one signs in.
PAGE_OF = {
    "officer": "/brief", "auditor": "/audit", "admin": "/health", "oversight": "/review",
    "owner": "/owner",
}  # fmt: skip
PICTURES = "/watch"
OWN_SCHEMES = ("blob", "data")  # made by the page itself; nothing travels

expect.set_options(timeout=10_000)


class Screen:
    """One page. `complaints` fail the test at its end, but for those it said it expects."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.complaints: list[str] = []
        self.asked: list[str] = []
        # Signed out, the session answers 401: that is how a page learns what it may offer.
        self._expected = [re.compile(r"status of 401 .*/api/session$")]
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} at {message.location.get('url', '')}")

    def expects(self, pattern: str) -> None:
        """A complaint of the browser that belongs to what the test does."""
        self._expected.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        return [c for c in self.complaints if not any(e.search(c) for e in self._expected)]

    @property
    def strangers(self) -> list[str]:
        """Requests to anywhere but the node that served the page and its processes with pictures,
        which listen on ports of their own."""
        own = urlsplit(self.origin)
        parts = ((url, urlsplit(url)) for url in self.asked)
        return [
            u for u, p in parts
            if p.scheme not in OWN_SCHEMES
            and p.netloc != own.netloc
            and (p.scheme, p.hostname, p.path) != ("ws", own.hostname, PICTURES)
        ]  # fmt: skip

    def at(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def alert(self, plate: str) -> Locator:
        return self.page.locator("[data-alert]", has_text=plate)

    def incident(self, incident_id: str) -> Locator:
        """The incident's row in the list of calls."""
        return self.page.locator(f"[data-incident='{incident_id}']")

    def line(self, kind: str) -> Locator:
        """One line of the brief on a phone."""
        return self.page.locator(f"[data-line={kind}]")

    async def confirm(self) -> None:
        """Compare the selected alert's picture with its row, say so, confirm."""
        await expect(self.at("confirm")).to_be_disabled()
        await self.at("compared").check()
        if await self.at("state-seen").count():
            await self.at("state-seen").check()
        await self.at("confirm").click()
        await expect(self.at("brief")).to_be_enabled()

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.origin}{path}")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)


class Screens:
    """Opens screens, each with cookies and storage of its own, and closes them all."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._open: list[Screen] = []

    async def open(self, port: int, path: str = "/", **settings: Any) -> Screen:
        """A page under localhost, the name that its passkeys belong to."""
        context = await self._browser.new_context(**{"locale": "en-US", **DESK, **settings})
        self._contexts.append(context)
        screen = Screen(await context.new_page(), f"http://localhost:{port}")
        self._open.append(screen)
        await screen.go(path)
        return screen

    async def sign_in(self, port: int, persona: str, **settings: Any) -> Screen:
        """One click, as the demo offers it; the persona's own page comes by itself."""
        screen = await self.open(port, **settings)
        await screen.at(f"persona-{persona}").click()
        await expect(screen.at(f"persona-{persona}")).to_have_count(0)
        if persona in PAGE_OF:  # or it would come while a test goes elsewhere
            await screen.page.wait_for_url(f"{screen.origin}{PAGE_OF[persona]}")
        return screen

    async def operator(self, port: int, **settings: Any) -> Screen:
        """The operator's console, at its alerts."""
        screen = await self.sign_in(port, "operator", **settings)
        await expect(screen.at("line")).to_have_text("Live")
        await screen.page.get_by_role("tab", name="Alerts").click()
        return screen

    async def officer(self, port: int, **settings: Any) -> Screen:
        screen = await self.sign_in(port, "officer", **{**PHONE, **settings})
        await screen.page.wait_for_url("**/brief")
        await expect(screen.page.locator("header .line")).to_have_text("Live")
        return screen

    async def crew(self, port: int, unit: str, **settings: Any) -> Screen:
        """The phone of a practice car's officer, whom the sign-in page does not offer."""
        screen = await self.open(port, "/brief", **{**PHONE, **settings})
        await screen.page.evaluate(SIGN_IN, f"officer-{unit.lower()}")
        await screen.page.reload()
        await expect(screen.page.locator("header .line")).to_have_text("Live")
        return screen

    async def close(self) -> None:
        """Raises AssertionError where a screen complained or spoke to a stranger."""
        for context in self._contexts:
            await context.close()
        _nothing("the browser's console", [c for s in self._open for c in s.unexpected])
        _nothing("requests beyond the node", [u for s in self._open for u in s.strangers])


def _nothing(where: str, found: Sequence[str]) -> None:
    assert not found, f"{where}: " + "; ".join(found)
