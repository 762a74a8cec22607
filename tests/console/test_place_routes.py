"""Which cars passed a place, over HTTP at a real node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farolito.model.search import RADIUS_M_MAX
from tests.console.test_review_routes import asked
from tests.desk.city import river_town
from tests.running import READER, RunningNode, until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

assert READER.place is not None
AT = {"lat": READER.place.lat, "lon": READER.place.lon}


def near(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    times = {"since": (now - timedelta(minutes=10)).isoformat(), "until": now.isoformat()}
    return {"at": AT, "radius_m": 50, **times, **more}


async def seen(node: RunningNode, *plates: str) -> None:
    key, now = await node.reader_key(READER), datetime.now(UTC).isoformat()
    before = node.node.pipeline.recorded
    reads = [{"id": f"{plate}-{now}", "plate": plate, "captured_at": now} for plate in plates]
    assert (await node.send(key, reads)).status_code == 202
    await until(lambda: node.node.pipeline.recorded >= before + len(plates))


async def test_an_operator_sees_who_passed_and_the_ledger_says_so(
    shared_node: RunningNode,
) -> None:
    await seen(shared_node, "PASS01", "PASS02")
    operator = await shared_node.sign_in("operator")
    told = await asked(operator, "/api/search/place", near())
    assert told["status"] == 200, told
    (own,) = told["owners"]
    assert {read["plate"] for read in own["reads"]} >= {"PASS01", "PASS02"}
    assert (own["own"], own["permit"], told["readers"]["inside"]) == (True, told["permit"], 1)
    query = await shared_node.node.ledger.open_field(told["permit"], "query")
    assert query is not None
    assert query.startswith(f"place {AT['lat']:.5f},{AT['lon']:.5f} within 50 m, ")
    far = await asked(operator, "/api/search/place", near(at={"lat": 35.2, "lon": -106.6}))
    assert (far["owners"][0]["state"], far["readers"]["inside"]) == ("nothing", 0)
    assert far["readers"]["nearest_m"] > 10_000


async def test_an_address_is_found_on_the_map_or_said_not_to_be(shared_node: RunningNode) -> None:
    shared_node.streets(river_town())
    operator = await shared_node.sign_in("operator")
    crossing = near(at=None, address="C Ave & 4th St")
    told = await asked(operator, "/api/search/place", crossing)
    assert told["status"] == 200, told
    assert (told["words"], told["within_m"]) == ("4th St @ C Ave", 20.0)
    no = await asked(operator, "/api/search/place", near(at=None, address="Nowhere & Never"))
    assert (no["status"], no["error"]) == (422, "invalid")
    assert "no place called 'Nowhere & Never'" in no["says"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": None}, {"address": "Central & 4th"}, {"radius_m": RADIUS_M_MAX + 1},
        {"radius_m": 0}, {"at": {"lat": 95, "lon": 0}}, {"since": "2026-01-01T00:00:00Z"},
        {"until": "yesterday"},
    ],
)  # fmt: skip
async def test_a_question_that_is_none_is_told_what_to_send(
    shared_node: RunningNode, wrong: dict[str, Any]
) -> None:
    operator = await shared_node.sign_in("operator")
    told = await asked(operator, "/api/search/place", near(**wrong))
    assert told["status"] in (400, 422), told
    assert told["says"], told


async def test_two_people_put_on_record_that_a_case_is_about_a_place(
    shared_node: RunningNode,
) -> None:
    operator = await shared_node.sign_in("operator")
    supervisor = await shared_node.sign_in("supervisor")
    here = f"/api/search/explained?lat={AT['lat']}&lon={AT['lon']}"
    assert not (await asked(operator, here))["about"]
    body = {"case": "26-000901", "place": AT}
    told = (await asked(operator, "/api/search/explain", body))["explanation"]
    path = f"/api/search/explanations/{told['explanation_id']}/confirm"
    assert (await asked(supervisor, path, {"case": "26-000901"}))["status"] == 200
    assert (await asked(operator, here))["about"]
    both = await asked(operator, "/api/search/explain", {**body, "plate": "ABC123"})
    assert (both["status"], both["says"]) == (422, "a plate or a place")


@pytest.mark.parametrize("persona", ["auditor", "admin", "officer"])
async def test_only_who_searches_plates_searches_places(
    shared_node: RunningNode, persona: str
) -> None:
    person = await shared_node.sign_in(persona)
    told = await asked(person, "/api/search/place", near())
    plate = await asked(person, "/api/search/plate", {"plate": "PASS01", "since_h": 1})
    assert (told["status"], told["error"]) == (plate["status"], plate["error"])
    assert told["status"] == 403
