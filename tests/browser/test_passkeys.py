"""Getting in with a passkey, as a browser does it, at a node that is not a demo."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import CDPSession, expect

from tests.browser.screens import Screen, Screens
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]


async def authenticator(screen: Screen, *, verifies: bool = True) -> CDPSession:
    """A passkey device inside this browser; `verifies`: it asks for finger, face or PIN."""
    cdp = await screen.page.context.new_cdp_session(screen.page)
    await cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": verifies,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp


async def invited(node: RunningNode, name: str = "Rae Lucero", role: str = "operator") -> str:
    answer = await node.admin("POST", "/api/admin/people", {"name": name, "role": role})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["code"])


async def register(screen: Screen, code: str) -> None:
    await screen.at("acknowledge").check()
    await screen.at("have-code").click()
    await screen.at("code").fill(code)
    await screen.at("register").click()


async def test_an_invited_person_makes_a_passkey_leaves_and_comes_back_with_it(
    real_node: RunningNode, screens: Screens
) -> None:
    code = await invited(real_node)
    screen = await screens.open(real_node.port)
    await authenticator(screen)
    await expect(screen.at("passkey")).to_be_disabled()
    await register(screen, code)
    await expect(screen.at("line")).to_have_text("Live")

    menu = screen.page.get_by_role("button", name="Rae Lucero")
    await menu.click()
    await screen.page.get_by_role("button", name="Sign out").click()
    await expect(screen.page.locator(".queue")).to_have_count(0)
    await screen.at("acknowledge").check()
    await screen.at("passkey").click()
    await expect(screen.at("line")).to_have_text("Live")
    await expect(menu).to_be_visible()


async def test_an_invitation_works_once(real_node: RunningNode, screens: Screens) -> None:
    code = await invited(real_node)
    first = await screens.open(real_node.port)
    await authenticator(first)
    await register(first, code)
    await expect(first.at("line")).to_have_text("Live")

    second = await screens.open(real_node.port)
    second.expects(r"status of 403 .*/api/session/register/begin$")
    await authenticator(second)
    await register(second, code)
    await expect(second.page.get_by_role("alert")).to_contain_text("invitation")
    await expect(second.at("line")).to_have_count(0)


async def test_a_passkey_device_that_verifies_nobody_is_refused(
    real_node: RunningNode, screens: Screens
) -> None:
    code = await invited(real_node)
    screen = await screens.open(real_node.port)
    await authenticator(screen, verifies=False)
    await register(screen, code)
    await expect(screen.page.get_by_role("alert")).to_contain_text("No passkey was used")
    await expect(screen.at("line")).to_have_count(0)


async def test_a_signed_out_session_opens_nothing_when_the_page_is_reloaded(
    real_node: RunningNode, screens: Screens
) -> None:
    screen = await screens.open(real_node.port)
    await authenticator(screen)
    await register(screen, await invited(real_node))
    await expect(screen.at("line")).to_have_text("Live")
    cookies = await screen.page.context.cookies()
    assert all(c["httpOnly"] and c["sameSite"] == "Strict" for c in cookies)
    await screen.page.get_by_role("button", name="Rae Lucero").click()
    await screen.page.get_by_role("button", name="Sign out").click()
    await expect(screen.at("passkey")).to_be_visible()

    await screen.page.context.add_cookies(
        [{k: c[k] for k in ("name", "value", "domain", "path")} for c in cookies]  # type: ignore
    )
    await screen.page.reload()
    await expect(screen.at("passkey")).to_be_visible()
    await expect(screen.at("line")).to_have_count(0)


async def test_a_node_that_is_no_demo_offers_no_personas(
    real_node: RunningNode, screens: Screens
) -> None:
    screen = await screens.open(real_node.port)
    await expect(screen.at("passkey")).to_be_visible()
    await expect(screen.page.locator("[data-testid^=persona-]")).to_have_count(0)
    async with httpx.AsyncClient(base_url=real_node.url, trust_env=False) as http:
        offered = await http.get("/api/session")
        tried = await http.post("/api/session/demo", json={"persona": "operator"})
    assert (offered.status_code, offered.json()["demo"]) == (401, [])
    assert tried.status_code == 403
