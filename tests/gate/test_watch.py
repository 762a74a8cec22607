"""A camera's picture: no token without an entry, and nobody mints but the gate."""

from __future__ import annotations

import ast
import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import farolito
from farolito.audit import LedgerDown
from farolito.gate import HEARTBEAT, Ask
from farolito.media.token import NoToken, read
from farolito.model import CameraId, FarolitoError, Purpose, Refused, Role, Thing
from farolito.store import Database
from tests.desk.city import City, a_city

GATE = CameraId("gate")
MINUTES = 10.0


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[City]:
    async with a_city(database, tmp_path) as made:
        made.gate.token_secret = os.urandom(32)
        yield made


def ask(city: City, **more: Any) -> Ask:
    told = msgspec.structs.replace(
        city.ask("watch camera gate"), thing=Thing.CAMERA, facts={"consent_open": True}
    )
    return msgspec.structs.replace(told, **more)


async def entry_of(city: City, permit: int) -> dict[str, Any]:
    entries = await city.ledger.entries(permit - 1, 1)
    return dict(entries[0].entry)


async def test_a_token_is_for_one_person_one_camera_and_minutes(city: City) -> None:
    answer = await city.gate.watch(ask(city), GATE, MINUTES)
    now_us = round(city.clock().timestamp() * 1e6)
    grant = read(city.gate.token_secret, answer.value.token, now_us)
    assert (grant.permit, grant.person, grant.camera_id) == (
        answer.permit, city.operator.person_id, GATE,
    )  # fmt: skip
    assert answer.value.until - city.clock() == timedelta(minutes=MINUTES)
    with pytest.raises(NoToken, match="expired"):
        read(city.gate.token_secret, answer.value.token, now_us + 601_000_000)
    with pytest.raises(NoToken, match="forged"):
        read(b"another node's", answer.value.token, now_us)
    entry = await entry_of(city, answer.permit)
    assert (entry["act"], entry["thing"], entry["decision"]) == ("watch", "camera", "permit")
    assert await city.ledger.open_field(answer.permit, "query") == "watch camera gate"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"facts": {"consent_open": False}}, "no_consent"),
        ({"facts": {}}, "no_consent"),
        ({"purpose": Purpose.CRIMINAL_INVESTIGATION}, "purpose"),
        ({"purpose": None}, "no_purpose"),
    ],
)
async def test_a_refusal_is_an_entry_and_no_token(
    city: City, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as told:
        await city.gate.watch(ask(city, **more), GATE, MINUTES)
    assert told.value.reason == reason
    assert told.value.permit is not None
    entry = await entry_of(city, told.value.permit)
    assert (entry["decision"], entry["reason"]) == ("refusal", reason)


async def test_the_entry_is_durable_before_there_is_a_token(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = asyncio.Event()
    append = city.ledger.append

    async def slow(entry: Any) -> Any:
        await go.wait()
        return await append(entry)

    monkeypatch.setattr(city.ledger, "append", slow)
    watching = asyncio.create_task(city.gate.watch(ask(city), GATE, MINUTES))
    done, _ = await asyncio.wait({watching}, timeout=0.05)
    assert not done
    go.set()
    answer = await watching
    assert (await entry_of(city, answer.permit))["act"] == "watch"


async def test_without_the_ledger_no_token_and_no_heartbeat_but_every_end(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = (await city.gate.watch(ask(city), GATE, MINUTES)).permit

    async def away(_: Any) -> Any:
        raise LedgerDown("away")

    monkeypatch.setattr(city.ledger, "append", away)
    with pytest.raises(LedgerDown):
        await city.gate.watch(ask(city), GATE, MINUTES)
    with pytest.raises(LedgerDown):
        await city.gate.watched(ask(city), permit, HEARTBEAT)
    await city.gate.watched(ask(city), permit, "stop: left")
    assert city.spool.waiting == 1


async def test_a_node_without_pictures_says_so(city: City) -> None:
    city.gate.token_secret = b""
    with pytest.raises(FarolitoError, match="no pictures"):
        await city.gate.watch(ask(city), GATE, MINUTES)


async def test_what_was_permitted_is_asked_again_without_an_entry(city: City) -> None:
    await city.gate.watch(ask(city), GATE, MINUTES)
    size = city.ledger.status().size
    officer = msgspec.structs.replace(city.operator, role=Role.OFFICER)
    still = city.gate.may_still(
        [ask(city), ask(city, facts={"consent_open": False}), ask(city, person=officer)]
    )
    assert [one.reason if one else None for one in still] == [None, "no_consent", "not_your_unit"]
    city.later(12 * 3600 + 1)
    [late] = city.gate.may_still([ask(city, signed_in_at=city.clock() - timedelta(hours=13))])
    assert late is not None
    assert late.reason == "sign_in_too_old"
    assert city.ledger.status().size == size


async def test_heartbeat_and_end_name_the_permit(city: City) -> None:
    permit = (await city.gate.watch(ask(city), GATE, MINUTES)).permit
    for what in (HEARTBEAT, "stop: no_consent"):
        number = await city.gate.watched(ask(city), permit, what)
        assert (await entry_of(city, number))["reason"] == what
        query = await city.ledger.open_field(number, "query")
        assert query == f"{what} of permit {permit}: watch camera gate"
    with pytest.raises(AssertionError):
        await city.gate.watched(ask(city), permit, "stop: he left at 5")


def test_nothing_but_the_gate_mints() -> None:
    root = Path(farolito.__file__).parent
    minting = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if file.name != "token.py" and _names(ast.parse(file.read_text())) & {"mint"}
    }
    assert minting == {"gate/gate.py"}


def _names(tree: ast.AST) -> set[str]:
    """Every name that is imported, called or reached for."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(names=names):
                found |= {one.name for one in names}
            case ast.Attribute(attr=name) | ast.Name(id=name):
                found.add(name)
    return found
