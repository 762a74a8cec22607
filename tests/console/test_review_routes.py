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
