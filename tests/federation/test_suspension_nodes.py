"""A suspension crosses between two real nodes, over real NATS."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from farolito.app.clock import now
from farolito.federation.envelope import body_of
from farolito.federation.questions import Found, Question
from farolito.model import AgreementId, PersonId, Purpose, Role
from tests.metro import CITY, SHERIFF, Metro, metro, search
from tests.running import told, until

pytestmark = pytest.mark.node


async def test_a_suspended_detective_asks_nothing_of_the_neighbour() -> None:
    async with metro((CITY, SHERIFF)) as joined:
        agreed = await joined.agree(joined.city, joined.sheriff)
        detective = await joined.sheriff.sign_in("operator")
        answer = await search(detective, "ABC1234", ["city-pd"])
        assert answer["owners"][1]["state"] == "nothing", answer
        person_id = PersonId(UUID(detective.session["person"]["person_id"]))
        city = joined.city.node.federation.suspensions
        async with detective.live() as live:
            await told(live, "hello")
            began = time.perf_counter()
            path = f"/api/admin/people/{person_id}/suspend"
            said = await joined.sheriff.admin("POST", path, {"because": "misuse"})
            assert said.json()["told"] == ["city-pd"], said.text
            await until(lambda: city.is_suspended(joined.sheriff.node.agency.agency_id, person_id))
            crossed_s = time.perf_counter() - began
            await told(live, "closed")
            closed_s = time.perf_counter() - began
        print(f"suspension at the partner after {crossed_s:.2f} s, live closed {closed_s:.2f} s")
        assert crossed_s < 5
        assert closed_s < 5
        assert (await detective.get("/api/alerts")).status_code == 401
        refused = await _asked_all_the_same(joined, person_id, agreed["agreement_id"])
        assert (refused.state, refused.reason) == ("refused", "suspended")


async def _asked_all_the_same(joined: Metro, person_id: PersonId, agreement_id: str) -> Found:
    """Even a node that would still ask for them: the owner refuses by itself."""
    node, at = joined.sheriff.node, now()
    checkpoint = await node.ledger.entries(-1, 1)
    question = Question(
        person_id=person_id, name="Joan", role=Role.OPERATOR, agency=node.agency.agency_id,
        ori=node.agency.ori, purpose=Purpose.IN_PROGRESS_CALL, case="26-000117",
        on_behalf_of=None, on_behalf_agency=None, signed_in_s=10,
        agreement_id=AgreementId(UUID(agreement_id)), plate="ABC1234", state=None,
        since=at, until=at,
        receipt=f"{node.agency.agency_id}#{checkpoint[0].index}:{checkpoint[0].leaf}",
    )  # fmt: skip
    back = await node.federation.post.ask(joined.city.node.agency.agency_id, "ask", question)
    found: Found = body_of(back, Found)
    return found
