"""The honest clocks of a whole node: the page's figures, the export, and who may see them."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from farolito.model import Point
from tests.running import (
    WAIT_S_MAX,
    Person,
    RunningNode,
    Watched,
    assigned,
    numbers,
    running_node,
)

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

STEPS = (
    "call_at", "here_at", "assigned_at", "composed_at", "delivered_at", "opened_at", "heard_at",
    "on_scene_at", "freed_at",
)  # fmt: skip


class Shift:
    """The node, its dispatch system, its operator, and the officers' phones."""

    def __init__(self, node: RunningNode, keys: tuple[str, str], operator: Person) -> None:
        self.node, self._cad, self.radio, self.operator = node, keys[0], keys[1], operator

    async def call(self, number: str, **more: Any) -> None:
        await self.node.call(self._cad, number, **more)

    async def row(self, number: str, unit: str) -> dict[str, Any]:
        told = (await self.operator.get("/api/timings?hours=1")).json()
        [row] = [r for r in told["rows"] if (r["label"], r["unit"]) == (number, unit)]
        return dict(row)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shift() -> AsyncIterator[Shift]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    async with running_node(folder) as node:
        keys = (await node.cad_key(), await node.radio_key())
        yield Shift(node, keys, await node.sign_in("operator"))
    shutil.rmtree(folder, ignore_errors=True)


async def received(officer: Person, phone: Watched, number: str) -> str:
    """The officer's page gets, opens and speaks the brief. Answers its id."""
    brief = await phone.brief(lambda b: b["call"] == number)
    for kind in ("delivered", "opened", "heard"):
        path = f"/api/briefs/{brief['brief_id']}/receipt"
        done = await officer.post(path, {"version": brief["version"], "kind": kind})
        assert done.status_code == 200
    return str(brief["brief_id"])


async def exported(shift: Shift, *words: str) -> tuple[int, str, str]:
    """`farolito export timings` as a process of its own: exit status, stdout, stderr."""
    token = shift.node.node.state / "admin.token"
    child = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "farolito", "export", "timings", "--node", shift.node.url],
        *["--token-file", str(token), *words],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


async def test_the_clocks_tell_the_true_order_from_call_to_scene(
    shift: Shift, tmp_path: Path
) -> None:
    officer = await shift.node.officer("1A03")
    began = datetime.now(UTC)
    async with officer.watched() as phone:
        await shift.call(
            "26-5001", kind="burglary", priority=1, units=assigned("1A03"),
            taken_at=began.isoformat(),
        )  # fmt: skip
        brief_id = await received(officer, phone, "26-5001")
        for kind in ("on_scene", "clear"):
            answer = {"answer_id": str(uuid4()), "kind": kind}
            done = await officer.post(f"/api/briefs/{brief_id}/answer", answer)
            assert done.status_code == 200
    row = await shift.row("26-5001", "1A03")
    times = [datetime.fromisoformat(row[step]) for step in STEPS]
    assert times == sorted(times)
    assert times[0] == began
    assert times[-1] <= datetime.now(UTC)
    assert (row["on_scene_by"], row["level"], row["by_alert"]) == ("officer", 1, False)
    told = (await shift.operator.get("/api/timings?hours=1")).json()
    composed, on_scene = times[STEPS.index("composed_at")], times[STEPS.index("on_scene_at")]
    assert told["steps"]["composed_to_on_scene"]["n"] >= 1
    status, out, _ = await exported(shift, "--json", "--hours", "1")
    [same] = [r for r in json.loads(out)["rows"] if r["label"] == "26-5001"]
    assert (status, same) == (0, row)
    file = tmp_path / "timings.csv"
    status, _, says = await exported(shift, str(file))
    assert status == 0
    [line] = [r for r in csv.DictReader(file.open()) if r["label"] == "26-5001"]
    assert datetime.fromisoformat(line["on_scene_at"]) - datetime.fromisoformat(
        line["composed_at"]
    ) == (on_scene - composed)
    permit = int(says.rpartition("permit ")[2].rstrip().rstrip("."))
    async with shift.node.node.database.system() as connection:
        entry = await connection.fetchval(
            "select entry from ledger_entries where entry_index = $1", permit
        )
    written = json.loads(entry)
    assert (written["act"], written["thing"], written["decision"]) == (
        "export", "timing", "permit",
    )  # fmt: skip


async def test_whose_word_it_is_that_a_unit_is_on_the_scene_is_told(shift: Shift) -> None:
    here = Point(35.05, -106.6)
    officer = await shift.node.officer("1A12")
    async with shift.operator.watched() as queue:
        await shift.call(
            "26-5002", kind="fire", place={"lat": here.lat, "lon": here.lon},
            units=assigned("1A12", "1S10"),
        )  # fmt: skip
        await shift.call("26-5002", units=assigned("1A12") + assigned("1S10", status="on_scene"))
        await queue.incident(
            lambda i: "26-5002" in numbers(i) and any(u["status"] == "on_scene" for u in i["units"])
        )
        assert (await shift.row("26-5002", "1S10"))["on_scene_by"] == "cad"
        assert (await shift.row("26-5002", "1A12"))["on_scene_by"] is None
        await shift.node.positions(shift.radio, [("1A12", here)], speed_mps=0.0)
        async with asyncio.timeout(WAIT_S_MAX):
            while (row := await shift.row("26-5002", "1A12"))["on_scene_by"] is None:
                await asyncio.sleep(0.1)
        assert row["on_scene_by"] == "position"
        # The officer's own tap comes later: the first that told stays.
        mine = (await officer.get("/api/briefs/mine")).json()["briefs"][0]["brief"]
        answer = {"answer_id": str(uuid4()), "kind": "on_scene"}
        await officer.post(f"/api/briefs/{mine['brief_id']}/answer", answer)
        assert await shift.row("26-5002", "1A12") == row


async def test_a_wrong_clock_of_the_cad_makes_no_negative_time(shift: Shift) -> None:
    ahead = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1).isoformat()
    await shift.call("26-5003", kind="alarm", units=assigned("2A18"), taken_at=ahead)
    row = await shift.row("26-5003", "2A18")
    told = (await shift.operator.get("/api/timings?hours=1")).json()
    assert row["here_at"] is not None
    for spread in told["steps"].values():
        assert spread["p50_s"] is None or 0 <= spread["p50_s"] < 3600


async def test_who_may_not_see_the_clocks_is_refused_and_that_is_written(shift: Shift) -> None:
    officer = await shift.node.officer("2A21")
    refused = await officer.get("/api/timings?hours=3")
    assert refused.status_code == 403
    assert "rows" not in refused.json()
    (wrong := shift.node.node.state / "wrong.token").write_text("wrong")
    status, out, err = await exported(shift, "--token-file", str(wrong))
    assert status != 0
    assert "26-" not in out + err
    auditor = await shift.node.sign_in("auditor")
    told = (await auditor.get("/api/ledger?limit=200")).json()["entries"]
    entries = [one["entry"] for one in told]
    refusals = [e for e in entries if (e["thing"], e["decision"]) == ("timing", "refusal")]
    assert [e["actor_role"] for e in refusals] == ["officer"]
