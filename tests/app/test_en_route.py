"""A call on its way through a whole node: the CAD's door, the operator's screen, the phone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from farolito.model import Point
from tests.desk.city import river_town
from tests.geo.towns import at
from tests.running import (
    Person,
    RunningNode,
    Watched,
    assigned,
    line,
    numbers,
    read,
    running_node,
)

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]


class City:
    """The node, its one dispatch system and its operator. Each test has units and a corner of
    its own."""

    def __init__(self, node: RunningNode, cad: str, operator: Person) -> None:
        self.node, self._cad, self.operator = node, cad, operator

    async def call(self, number: str, **more: Any) -> None:
        await self.node.call(self._cad, number, **more)

    async def incident(self, incident_id: str) -> dict[str, Any]:
        answer = await self.operator.get(f"/api/incidents/{incident_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def log(self, incident_id: str) -> list[tuple[str, str]]:
        return [(one["what"], one["says"]) for one in (await self.incident(incident_id))["log"]]

    async def of_call(self, number: str) -> dict[str, Any]:
        """The incident as the list has it at this moment."""
        answer = await self.operator.get("/api/incidents")
        [found] = [one for one in answer.json()["incidents"] if number in numbers(one)]
        return dict(found)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[City]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    async with running_node(folder) as node:
        node.streets(river_town())
        yield City(node, await node.cad_key(), await node.sign_in("operator"))
    shutil.rmtree(folder, ignore_errors=True)


def corner(x: float, y: float) -> dict[str, float]:
    """A corner of the town, in metres from its south-west end."""
    lat, lon = at(x, y)
    return {"lat": lat, "lon": lon}


def is_complete(brief: dict[str, Any]) -> bool:
    return "being looked up" not in line(brief, "hazards") + line(brief, "picture")


def beside(brief: dict[str, Any]) -> str:
    return line(brief, "with_you")


async def last_complete(phone: Watched, number: str) -> dict[str, Any]:
    """The first version with nothing left to look up: what follows, follows from facts."""
    return await phone.brief(lambda b: b["call"] == number and is_complete(b))


async def test_when_the_cad_has_its_answer_call_incident_and_brief_are_there(city: City) -> None:
    officer = await city.node.officer("1A03")
    async with city.operator.watched() as queue, officer.watched() as phone:
        await city.call(
            "26-1001", kind="shots_fired", priority=1, place=corner(100, 900),
            units=assigned("1A03"), taken_at=datetime.now(UTC).isoformat(),
        )  # fmt: skip
        incident = await city.of_call("26-1001")
        [mine] = [one["brief"] for one in (await officer.get("/api/briefs/mine")).json()["briefs"]]
        assert (mine["call"], mine["incident_id"]) == ("26-1001", incident["incident_id"])
        brief = await phone.brief()
        assert (brief["version"], brief["brief_id"]) == (1, mine["brief_id"])
        assert [one["kind"] for one in brief["lines"]] == [
            "what", "where", "hazards", "vehicle", "last_seen", "with_you", "picture",
        ]  # fmt: skip
        assert line(brief, "what").startswith("P1 shots fired.")
        assert "2th St @ J Ave" in line(brief, "where")
        shown = await queue.incident(lambda i: "26-1001" in numbers(i))
        assert [(u["unit"], u["status"]) for u in shown["units"]] == [("1A03", "assigned")]


async def test_each_fact_is_a_version_with_its_spoken_difference(city: City) -> None:
    officer = await city.node.officer("1A12")
    now = datetime.now(UTC).isoformat()
    told: list[tuple[dict[str, Any], str]] = [
        ({"notes": [{"note_id": "1", "at": now, "says": "caller hides in the office"}]},
         "caller hides in the office"),
        ({"hazards": [{"kind": "weapon", "says": "shotgun in the hall",
                       "source": "CAD premise file", "as_of": now}]}, "shotgun in the hall"),
        ({"vehicles": [{"colour": "white", "make": "Ford", "plate": "KLM4567", "state": "NM"}]},
         "plate NM KLM4567, not confirmed"),
        ({"going": {"says": "east on Ave B", "at": now, "heading_deg": 90}}, "heading east"),
    ]  # fmt: skip
    async with officer.watched() as phone:
        await city.call(
            "26-1002", kind="burglary", priority=2, place=corner(300, 100), units=assigned("1A12")
        )
        last = await last_complete(phone, "26-1002")
        for more, words in told:
            await city.call("26-1002", **more)
            brief = await phone.brief()
            assert brief["version"] == last["version"] + 1
            assert words in brief["change"]
            last = brief
        await city.call("26-1002", state="open")
        await city.call("26-1002", people="two men")
        brief = await phone.brief()
        assert brief["version"] == last["version"] + 1, "what says nothing new is no version"
        assert "two men" in brief["change"]


async def test_calls_near_each_other_are_one_and_split_they_are_two_again(city: City) -> None:
    first, second = await city.node.officer("1S10"), await city.node.officer("2A18")
    async with first.watched() as one, second.watched() as two:
        await city.call(
            "26-1003", kind="crash", priority=2, place=corner(700, 700), units=assigned("1S10")
        )
        await city.call(
            "26-1004", kind="crash", priority=2, place=corner(740, 700), units=assigned("2A18")
        )
        whole = await city.of_call("26-1003")
        assert numbers(whole) == {"26-1003", "26-1004"}
        [part] = [p for p in whole["parts"] if p["label"] == "26-1004"]
        assert (part["link"]["by"], part["joined_by"]) == ("near", None)
        assert "m by road apart" in part["link"]["says"]
        assert "several callers see the same crash" in part["link"]["says"]
        mine = await one.brief(lambda b: is_complete(b) and "2A18 is assigned" in beside(b))
        theirs = await two.brief(lambda b: is_complete(b) and "1S10 is assigned" in beside(b))
        done = await city.operator.post(
            f"/api/incidents/{whole['incident_id']}/split", {"part_id": part["part_id"]}
        )
        assert numbers(done.json()["incident"]) == {"26-1003"}
        apart = await city.of_call("26-1004")
        assert apart["incident_id"] != whole["incident_id"]
        alone = await one.brief(lambda b: "2A18 is assigned" not in beside(b))
        moved = await two.brief(lambda b: b["incident_id"] == apart["incident_id"])
        assert (alone["brief_id"], alone["version"]) == (mine["brief_id"], mine["version"] + 1)
        assert (moved["brief_id"], moved["version"]) == (
            theirs["brief_id"], theirs["version"] + 1,
        )  # fmt: skip
        assert moved["change"].startswith("This call now stands apart.")
        assert "1S10 is assigned" not in beside(moved)
        # What a person has split stays so, whatever the next message says.
        await city.call("26-1004", place=corner(741, 700))
        assert numbers(await city.of_call("26-1004")) == {"26-1004"}


async def test_the_end_of_the_call_ends_the_brief(city: City) -> None:
    officer = await city.node.officer("2A21")
    async with city.operator.watched() as queue, officer.watched() as phone:
        await city.call(
            "26-1005", kind="alarm", priority=3, place=corner(900, 100), units=assigned("2A21")
        )
        await last_complete(phone, "26-1005")
        await city.call("26-1005", state="closed")
        brief = await phone.brief()
        assert brief["ended_at"] is not None
        assert brief["change"] == "The call is closed."
        shown = await queue.incident(lambda i: i["state"] == "closed" and "26-1005" in numbers(i))
        assert "closed" in [what for what, _ in await city.log(shown["incident_id"])]


async def test_receipts_answers_and_a_pushed_fact_are_in_the_log(city: City) -> None:
    officer, other = await city.node.officer("2B05"), await city.node.officer("3B07")
    async with city.operator.watched() as queue, officer.watched() as phone:
        await city.call(
            "26-1006", kind="trespass", priority=3, place=corner(100, 300), units=assigned("2B05")
        )
        brief = await last_complete(phone, "26-1006")
        path, incident_id = f"/api/briefs/{brief['brief_id']}", str(brief["incident_id"])
        for kind in ("delivered", "opened", "heard"):
            receipt = {"version": brief["version"], "kind": kind}
            assert (await officer.post(f"{path}/receipt", receipt)).status_code == 200
            told = await queue.told("receipt", lambda m: m["unit"] == "2B05")
            assert (told["receipt"]["kind"], told["receipt"]["version"]) == (kind, brief["version"])
            refused = await other.post(f"{path}/receipt", receipt)
            assert refused.status_code == 403
        for kind, says in (
            ("en_route", ""), ("on_scene", ""), ("ask_rtcc", "is the gate open?"), ("clear", ""),
        ):  # fmt: skip
            answer = {
                "answer_id": str(uuid4()), "kind": kind, "says": says,
                "tapped_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            refused = await other.post(f"{path}/answer", {**answer, "answer_id": str(uuid4())})
            assert refused.status_code == 403
            for _ in range(2):  # a phone that lost the reply sends it again
                assert (await officer.post(f"{path}/answer", answer)).status_code == 200
            told = await queue.told("answer")
            assert told["answer"]["kind"] == kind
            if kind == "ask_rtcc":
                fact = {"line": "hazards", "says": "the gate is open, dog inside"}
                done = await city.operator.post(f"/api/incidents/{incident_id}/fact", fact)
                assert done.status_code == 200
                newer = await phone.brief(lambda b: "dog inside" in line(b, "hazards"))
                [hazards] = [one for one in newer["lines"] if one["kind"] == "hazards"]
                assert hazards["source"].startswith("operator Ana Ortiz; else ")
                assert "dog inside" in newer["change"]
        ended = await phone.brief(lambda b: b["ended_at"] is not None)
    seen = await city.incident(incident_id)
    [own] = seen["briefs"]
    assert {r["kind"] for r in own["receipts"]} == {"delivered", "opened", "heard"}
    assert own["versions"][0]["version"] == ended["version"]
    assert [one["kind"] for one in seen["answers"]] == ["en_route", "on_scene", "ask_rtcc", "clear"]
    log = [one["what"] for one in seen["log"]]
    assert log.count("receipt") == 3
    for what in ("unit_en_route", "unit_on_scene", "ask_rtcc", "fact", "unit_cleared"):
        assert log.count(what) == 1, what
    assert any("is the gate open?" in says for _, says in await city.log(incident_id))
    named = {one["name"] for one in seen["log"] if one["what"] == "fact"}
    assert named == {"Ana Ortiz"}


async def test_a_plate_is_the_officers_once_a_person_confirmed_it(city: City) -> None:
    officer = await city.node.officer("3B11")
    await city.node.list_plate("ZQX9071", list_id="fled", case_number="26-77001")
    reader = await city.node.reader_key()
    async with city.operator.watched() as queue, officer.watched() as phone:
        await city.call(
            "26-1007", kind="robbery", priority=1, place=corner(200, 200), units=assigned("3B11")
        )
        before = await last_complete(phone, "26-1007")
        assert (await city.node.send(reader, [read("ZQX9071")])).status_code == 202
        joined = await queue.incident(lambda i: {"26-1007", "ZQX9071"} <= numbers(i))
        await city.call("26-1007", people="two men in masks")
        after = await phone.brief(lambda b: "two men" in line(b, "what"))
        assert after["version"] == before["version"] + 1, "the alert made no version"
        mine = (await officer.get("/api/briefs/mine")).text
        assert "two men" in mine
        for told in (*phone.raw, mine):
            assert "ZQX9071" not in told
            assert "26-77001" not in told
        refused = await officer.get(f"/api/incidents/{joined['incident_id']}")
        assert (refused.status_code, "ZQX9071" in refused.text) == (403, False)
        alerts = (await city.operator.get("/api/alerts")).json()["alerts"]
        [alert] = [a for a in alerts if a["match"]["entry"]["plate"] == "ZQX9071"]
        path = f"/api/alerts/{alert['alert_id']}/confirm"
        done = await city.operator.post(path, {"version": alert["version"], "crop_compared": True})
        assert done.status_code == 200
        confirmed = await phone.brief()
        assert confirmed["version"] == after["version"] + 1
        assert "NM ZQX9071: plate confirmed." in line(confirmed, "vehicle")
        entry = alert["match"]["entry"]
        path = f"/api/admin/lists/{entry['list_id']}/entries/{entry['entry_id']}/recall"
        done = await city.node.admin("POST", path, {"reason": "recovered by its owner"})
        assert done.json()["alerts_recalled"] == 1
        recalled = await phone.brief()
        assert recalled["version"] == confirmed["version"] + 1
        assert recalled["change"].startswith("Recalled: recovered by its owner.")
        assert "withdrawn" in line(recalled, "vehicle")
        assert not recalled["recalled"], "the robbery goes on"


async def test_a_phone_that_was_away_misses_nothing(city: City) -> None:
    officer = await city.node.officer("3B15")
    async with officer.watched() as phone:
        await city.call(
            "26-1008", kind="domestic", priority=2, place=corner(500, 300), units=assigned("3B15")
        )
        last = await phone.told("brief", lambda m: is_complete(m["brief"]))
    seq, version = last["seq"], last["brief"]["version"]
    for number in range(3):
        await city.call("26-1008", people=f"{number + 2} people shout")
    async with officer.watched(after=seq) as phone:
        came = [await phone.brief() for _ in range(3)]
    assert [b["version"] for b in came] == [version + 1, version + 2, version + 3]
    [mine] = (await officer.get("/api/briefs/mine")).json()["briefs"]
    assert [b["version"] for b in mine["versions"]] == list(range(version + 3, 0, -1))
    assert mine["brief"] == came[-1]


async def test_a_phone_moves_its_own_unit_and_no_other(city: City) -> None:
    officer = await city.node.officer("4C02")
    await city.node.officer("4C09")
    lat, lon = at(400, 400)
    async with city.operator.watched() as queue, officer.watched() as phone:
        told = {
            "k": "position", "lat": lat, "lon": lon, "unit": "4C09", "speed_mps": 12.0,
            "at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        await phone.say("nonsense")
        await phone.say({**told, "lat": 1_000})
        await phone.say(told)
        moved = await queue.told(
            "positions", lambda m: any(r[0] == "4C02" and r[1] for r in m["p"])
        )
        [row] = [r for r in moved["p"] if r[0] == "4C02"]
        assert (row[1], row[2], row[8]) == (round(lat, 6), round(lon, 6), "phone")
        way = await phone.told("way", lambda m: m["speed_mps"] is not None)
        assert way["speed_mps"] == 12.0
    other = city.node.node.positions.get("4C09")  # type: ignore[arg-type]
    assert other is not None
    assert other.place is None


async def test_a_unit_is_found_en_route_with_its_time_by_road(city: City) -> None:
    officer = await city.node.officer("4C16")
    key = await city.node.radio_key()
    await city.node.positions(key, [("4C16", Point(*at(900, 900)))])
    async with officer.watched() as phone:
        await city.call(
            "26-1009", kind="welfare_check", priority=3, place=corner(900, 500),
            units=assigned("4C16"),
        )  # fmt: skip
        brief = await phone.brief()
        assert brief["eta_s"] == pytest.approx(40, abs=15)
        way = await phone.told("way", lambda m: m["eta_s"] is not None)
        assert (way["brief_id"], round(way["metres"])) == (brief["brief_id"], 400)
    seen = await city.incident(brief["incident_id"])
    [on_the_way] = seen["assigned"]
    assert (on_the_way["unit"], round(on_the_way["metres"])) == ("4C16", 400)
    assert timedelta(seconds=on_the_way["age_s"]) < timedelta(minutes=2)
