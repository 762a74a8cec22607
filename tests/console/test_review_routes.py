"""Reviews and explanations over HTTP, at a real node."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.running import Person, RunningNode

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

WAIT_S_MAX = 20.0


async def searched(
    person: Person, plate: str, case: str, purpose: str = "in_progress_call"
) -> dict[str, Any]:
    headers = {
        "X-Farolito-CSRF": person.session["csrf"],
        "X-Farolito-Purpose": purpose,
        "X-Farolito-Case": case,
    }
    body = {"plate": plate, "since_h": 24}
    answer = await person.http.post("/api/search/plate", json=body, headers=headers)
    return {"status": answer.status_code, **answer.json()}


async def asked(person: Person, path: str, body: Any = None) -> dict[str, Any]:
    headers = {
        "X-Farolito-CSRF": person.session["csrf"],
        "X-Farolito-Purpose": "in_progress_call",
        "X-Farolito-Case": "26-000901",
    }
    method = "GET" if body is None else "POST"
    answer = await person.http.request(method, path, json=body, headers=headers)
    return {"status": answer.status_code, **answer.json()}


async def review_of(person: Person, entry: int) -> dict[str, Any]:
    """The open review that holds this entry, once the node has looked."""
    async with asyncio.timeout(WAIT_S_MAX):
        while True:
            told = (await person.get("/api/reviews")).json()
            for one in told["reviews"]:
                if entry in one["entries"]:
                    return dict(one)
            await asyncio.sleep(0.2)


async def test_a_prohibited_search_reaches_the_auditor_who_opens_and_decides(
    shared_node: RunningNode,
) -> None:
    operator = await shared_node.sign_in("operator")
    auditor = await shared_node.sign_in("auditor")
    no = await searched(operator, "RVW100", "26-000901", "protected_health_care")
    assert (no["status"], no["error"]) == (403, "prohibited_purpose")
    review = await review_of(auditor, no["permit"])
    assert (review["rule"], review["about_role"], review["own"], review["overdue"]) == (
        "on_behalf", "operator", True, False,
    )  # fmt: skip
    (search,) = review["searches"]
    assert (search["purpose"], search["permitted"]) == ("protected_health_care", False)
    told = str(review)
    for secret in ("RVW100", "26-000901", operator.session["person"]["person_id"]):
        assert secret not in told
    path = f"/api/reviews/{review['review_id']}"
    bare = await auditor.post(
        f"{path}/open", {"entry": no["permit"], "field": "case", "reason": ""}
    )
    assert bare.status_code == 403
    why = {"entry": no["permit"], "field": "user", "reason": "misuse_report"}
    opened = (await auditor.post(f"{path}/open", why)).json()
    assert opened["value"].startswith("Ana Ortiz, operator")
    done = await auditor.post(f"{path}/decide", {"decision": "misuse"})
    assert done.json()["review"]["decided_by_name"] == "Lee Chavez"
    again = await auditor.post(f"{path}/decide", {"decision": "explained"})
    assert (again.status_code, again.json()["error"]) == (409, "decided")
    decided = (await auditor.get("/api/reviews?decided=true")).json()["reviews"]
    assert review["review_id"] in {one["review_id"] for one in decided}
    digest = (await auditor.get("/api/reviews/digest")).json()
    (counted,) = [one for one in digest["rules"] if one["rule"] == "on_behalf"]
    assert counted["decided"]["misuse"] == 1


async def test_a_supervisors_search_goes_to_the_oversight_body(shared_node: RunningNode) -> None:
    supervisor = await shared_node.sign_in("supervisor")
    oversight = await shared_node.sign_in("oversight")
    auditor = await shared_node.sign_in("auditor")
    no = await searched(supervisor, "RVW200", "26-000902", "personal")
    review = await review_of(oversight, no["permit"])
    assert review["assigned"] == "oversight"
    there = (await auditor.get("/api/reviews")).json()["reviews"]
    assert review["review_id"] not in {one["review_id"] for one in there}
    path = f"/api/reviews/{review['review_id']}/decide"
    refused = await auditor.post(path, {"decision": "explained"})
    assert (refused.status_code, refused.json()["error"]) == (403, "not_yours")


@pytest.mark.parametrize("persona", ["operator", "supervisor", "admin"])
async def test_whoever_works_or_commands_sees_no_review(
    shared_node: RunningNode, persona: str
) -> None:
    person = await shared_node.sign_in(persona)
    for path in ("/api/reviews", "/api/reviews/digest"):
        assert (await person.get(path)).status_code == 403


async def test_two_people_put_on_record_what_a_case_is_about(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    supervisor = await shared_node.sign_in("supervisor")
    body = {"case": "26-000901", "plate": "rvw-300"}
    before = await asked(operator, "/api/search/explained?plate=RVW300")
    assert (before["about"], before["says"]) == (False, "there is no such case")
    told = (await asked(operator, "/api/search/explain", body))["explanation"]
    path = f"/api/search/explanations/{told['explanation_id']}/confirm"
    own = await asked(operator, path, {"case": "26-000901"})
    assert (own["status"], own["error"]) == (403, "second_person")
    waits = await asked(supervisor, "/api/search/explained?plate=RVW300")
    assert [one["by_name"] for one in waits["waiting"]] == ["Ana Ortiz"]
    other = await asked(supervisor, path, {"case": "26-000999"})
    assert (other["status"], other["error"]) == (404, "no_review")
    done = await asked(supervisor, path, {"case": "26-000901"})
    assert done["explanation"]["confirmed_by_name"] == "Dolores Aragon"
    after = await asked(operator, "/api/search/explained?plate=RVW300")
    assert (after["about"], after["says"]) == (True, "the case is about it")


async def test_protected_plates_are_counted_and_never_listed(shared_node: RunningNode) -> None:
    auditor = await shared_node.sign_in("auditor")
    put = await auditor.post("/api/reviews/protected", {"plate": "RVW400"})
    assert put.json()["count"] == 1
    operator = await shared_node.sign_in("operator")
    found = await searched(operator, "RVW400", "26-000903")
    assert (await review_of(auditor, found["permit"]))["rule"] == "protected"
    off = await auditor.post("/api/reviews/protected", {"plate": "RVW400", "on": False})
    assert off.json()["count"] == 0


async def from_devices(person: Person, plate: str, *devices: dict[str, str]) -> int:
    """One sign-in, a search from each of these devices in turn; the last one's entry."""
    for n, device in enumerate(devices):
        person.http.headers.update(device)
        found = await searched(person, f"{plate}{n}", "26-000905")
        assert found["status"] == 200, found
    return int(found["permit"])


async def rules_about(auditor: Person, entry: int) -> set[str]:
    told = (await auditor.get("/api/reviews")).json()["reviews"]
    return {one["rule"] for one in told if entry in one["entries"]}


async def looked_at(node: RunningNode, entry: int) -> None:
    """Returns when the node has looked at this search."""
    async with asyncio.timeout(WAIT_S_MAX):
        while node.node.reviews.watching.seen < entry:
            await asyncio.sleep(0.1)


async def test_one_sign_in_on_two_devices_in_turn_is_reviewed(shared_node: RunningNode) -> None:
    operator, auditor = await shared_node.sign_in("operator"), await shared_node.sign_in("auditor")
    desk, car = {"User-Agent": "Desk/1"}, {"User-Agent": "Car/7"}
    entry = await from_devices(operator, "RVD1", desk, car, desk)
    review = await review_of(auditor, entry)
    assert (review["rule"], review["count"]) == ("shared_session", 3)
    assert "by two devices within ten minutes" in review["says"]


@pytest.mark.parametrize(
    ("plate", "addresses"),
    [
        ("RVD2", ["203.0.113.5", "203.0.114.9", "203.0.113.5"]),  # within one network
        ("RVD3", ["2001:db8:1::5", "2001:db8:2::9", "2001:db8:1::5"]),
        ("RVD4", ["203.0.113.5", "198.51.100.7", "198.51.100.8"]),  # it moved once
    ],
)
async def test_one_device_that_changes_its_address_is_one(
    shared_node: RunningNode, plate: str, addresses: list[str]
) -> None:
    operator, auditor = await shared_node.sign_in("operator"), await shared_node.sign_in("auditor")
    asked_from = [{"X-Forwarded-For": f"10.9.9.9, {address}"} for address in addresses]
    entry = await from_devices(operator, plate, *asked_from)
    await looked_at(shared_node, entry)
    assert await rules_about(auditor, entry) == set()


async def test_the_ledger_keeps_a_word_for_the_device_and_no_address(
    shared_node: RunningNode,
) -> None:
    auditor = await shared_node.sign_in("auditor")
    words = set()
    for address in ("203.0.113.5", "198.51.100.7"):
        operator = await shared_node.sign_in("operator")
        entry = await from_devices(operator, "RVD5", {"X-Forwarded-For": address})
        page = await auditor.get(f"/api/ledger?after={entry - 1}&limit=1")
        assert address not in page.text
        (told,) = page.json()["entries"]
        words.add(told["entry"]["device"])
    assert len(words) == 2
    assert all(word.startswith("d-") and len(word) == 18 for word in words)
