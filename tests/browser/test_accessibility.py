"""No page breaks a rule of WCAG 2.2 A or AA that a machine can check (axe-core)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.screens import Screen, Screens
from tests.browser.street import briefed, raised
from tests.browser.town import Town, corner
from tests.running import RunningNode, assigned

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

AXE = Path(__file__).resolve().parents[2] / "console-web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# By the rules as it is worn, and the colours in the other look as well.
RUN = """
async (rules) => {
  const told = (found) => found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.html.slice(0, 160)} (${node.failureSummary.replace(/\\s+/g, ' ')})`))
  const found = await axe.run(document, { runOnly: { type: 'tag', values: rules } })
  const still = document.head.appendChild(document.createElement('style'))
  still.textContent = '*, ::before, ::after { transition: none !important }'
  const root = document.documentElement
  const worn = root.dataset.look
  root.dataset.look = worn === 'light' ? 'dark' : 'light'
  const other = await axe.run(document, { runOnly: { type: 'rule', values: ['color-contrast'] } })
  root.dataset.look = worn
  still.remove()
  const violations = [...told(found), ...told(other).map((said) => `the other look: ${said}`)]
  return { passes: found.passes.length, compared: other.passes.length, violations }
}
"""
SAW, SENT, TAKEN_BACK = "KBD472", "HDL903", "MTR118"  # plates
UNIT = "1B06"
X = 200  # the side of town, in metres


async def assert_accessible(screen: Screen) -> None:
    """In both looks, dark and light."""
    if not await screen.page.evaluate("'axe' in window"):
        assert AXE.exists(), f"there is no {AXE}: `make test` installs it"
        await screen.page.evaluate(f"() => {{ {AXE.read_text()} }}")
    found: dict[str, Any] = await screen.page.evaluate(RUN, RULES)
    assert found["passes"] > 0
    assert found["compared"] == 1, "the colours of the other look were not compared"
    assert not found["violations"], "\n".join(found["violations"])


async def test_the_sign_in(city: RunningNode, screens: Screens) -> None:
    screen = await screens.open(city.port)
    await expect(screen.at("persona-operator")).to_be_visible()
    await assert_accessible(screen)
    await screen.at("have-code").click()
    await assert_accessible(screen)


async def test_the_console_with_its_dialogs(mapped: RunningNode, screens: Screens) -> None:
    await briefed(mapped, SENT)
    await raised(mapped, SAW)
    operator = await screens.operator(mapped.port)
    await operator.alert(SAW).click()
    await expect(operator.at("compared")).to_be_enabled()
    await expect(operator.page.get_by_text("Drawing the map")).to_have_count(0)
    await assert_accessible(operator)
    await operator.at("reject").click()
    await assert_accessible(operator)
    await operator.press("Escape", "m")
    await expect(operator.page.get_by_role("table").first).to_be_visible()
    await operator.alert(SENT).click()
    await expect(operator.at("brief-panel")).to_be_visible()
    await assert_accessible(operator)
    for keys, title in (("b", None), ("/", "Find"), ("?", "Keys")):
        await operator.press(keys)
        await expect(operator.page.get_by_role("dialog", name=title)).to_be_visible()
        await assert_accessible(operator)
        await operator.press("Escape")
        await expect(operator.page.get_by_role("dialog")).to_have_count(0)
    await operator.page.get_by_role("tab", name="Stopped").click()
    await assert_accessible(operator)


async def test_the_phone_with_a_brief_and_with_a_recall(
    city: RunningNode, screens: Screens
) -> None:
    brief = await briefed(city, TAKEN_BACK)
    officer = await screens.officer(city.port)
    await expect(officer.at("brief")).to_contain_text(TAKEN_BACK)
    await assert_accessible(officer)
    operator = await city.sign_in("operator")
    alert = (await operator.get(f"/api/alerts/{brief['alert_id']}")).json()["alert"]
    entry = alert["match"]["entry"]
    path = f"/api/lists/{entry['list_id']}/entries/{entry['entry_id']}/recall"
    assert (await operator.post(path, {"reason": "recovered"})).status_code == 200
    await expect(officer.at("recalled")).to_be_visible()
    await officer.at("gone").tap()
    await expect(officer.at("said")).to_be_visible()
    await assert_accessible(officer)


async def test_the_ledger_and_the_health_page(city: RunningNode, screens: Screens) -> None:
    auditor = await screens.sign_in(city.port, "auditor")
    await auditor.page.wait_for_url("**/audit")
    await expect(auditor.page.locator("[data-index]").first).to_be_visible()
    await assert_accessible(auditor)
    await auditor.page.locator(".personal button").first.click()
    await expect(auditor.page.get_by_role("dialog")).to_be_visible()
    await assert_accessible(auditor)
    await auditor.go("/health")
    await expect(auditor.page.locator(".findings")).to_be_visible()
    await assert_accessible(auditor)


async def _sent(town: Town, call: str, y: float, plate: str) -> None:
    """A call with most of what a card and a panel can show, to which the unit is sent."""
    await town.call(
        call, kind="weapon", priority=1, place=corner(X, y), units=assigned(UNIT),
        people="two men", vehicles=[{"says": "white F-150", "plate": plate, "state": "NM"}],
        hazards=[{"kind": "dog", "says": "loose dog", "source": "CAD premise file"}],
    )  # fmt: skip


async def test_the_calls_with_an_open_incident_a_fact_to_push_and_the_honest_clocks(
    town: Town, screens: Screens
) -> None:
    operator = await town.console(screens)
    call = f"26-32{UNIT}"
    await _sent(town, call, 600, SAW)
    await town.call(f"{call}-b", kind="medical", priority=3, address="by the old mill")
    await town.opened(operator, call)
    await expect(operator.page.get_by_text("Drawing the map")).to_have_count(0)
    await expect(operator.at("silent-sources")).to_be_visible()
    await assert_accessible(operator)
    await operator.press("f")
    await expect(operator.page.get_by_role("dialog", name="Push a fact")).to_be_visible()
    await assert_accessible(operator)
    await operator.go("/timings")
    await expect(operator.page.locator(f"[data-timing='{call}']")).to_be_visible()
    await assert_accessible(operator)
    await operator.page.get_by_role("button", name="Table").click()
    await assert_accessible(operator)


async def test_the_phone_with_a_call_a_question_and_in_motion(town: Town, screens: Screens) -> None:
    phone = await town.phone(screens, UNIT)
    await _sent(town, f"26-33{UNIT}", 200, SENT)
    await expect(phone.at("brief")).to_contain_text(f"26-33{UNIT}")
    await expect(phone.at("not-confirmed")).to_be_visible()
    await expect(phone.at("brief")).not_to_contain_text("being looked up")
    await assert_accessible(phone)
    await phone.at("ask").tap()
    await expect(phone.at("ask-own")).to_be_visible()
    await assert_accessible(phone)
    await phone.press("Escape")
    await town.drive(UNIT, X, 300, speed_mps=14)
    await expect(phone.at("moving")).to_be_visible()
    await assert_accessible(phone)
