"""Three agencies, each sovereign: joined, asked, refused, agreed, answered, revoked, proved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from farolito.model import Device, DeviceId
from tests.metro import Metro, metro, search
from tests.running import READER, RunningNode

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three() -> AsyncIterator[Metro]:
    async with metro() as made:
        yield made


def reader_of(node: RunningNode) -> Device:
    return Device(
        device_id=DeviceId("here-1"), agency=node.node.agency.agency_id, kind="plate_reader",
        name="Main @ 1st", format="farolito", place=READER.place,
    )  # fmt: skip


async def read(node: RunningNode, plate: str) -> None:
    """A reader of this node's reads a plate; returns when it is kept."""
    key = await node.reader_key(reader_of(node))
    now = datetime.now(UTC)
    body = [{"id": f"{plate}-{now.timestamp()}", "plate": plate, "captured_at": now.isoformat()}]
    before = node.node.pipeline.recorded
    answer = await node.send(key, body)
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(10):
        while node.node.pipeline.recorded <= before:
            await asyncio.sleep(0.02)


def of(answer: dict[str, Any], agency: str) -> dict[str, Any]:
    return next(one for one in answer["owners"] if one["agency_id"] == agency)


async def test_the_whole_story(three: Metro) -> None:
    await read(three.sheriff, "ABC1234")
    ana = await three.city.sign_in("operator")
    refused = of(await search(ana, "ABC1234", ["county-so"]), "county-so")
    assert refused["state"] == "refused", refused
    assert refused["reason"] == "no_agreement"
    agreement = await three.agree(three.sheriff, three.city)
    answered = of(await search(ana, "ABC1234", ["county-so"]), "county-so")
    assert answered["state"] == "answered", answered
    assert [r["plate"] for r in answered["reads"]] == ["ABC1234"]
    boss = await three.sheriff.sign_in("supervisor")
    ended = await boss.post(
        f"/api/agreements/{agreement['agreement_id']}/revoke", {"because": "misuse"}
    )
    assert ended.status_code == 200, ended.text
    again = of(await search(ana, "ABC1234", ["county-so"]), "county-so")
    assert again["state"] == "refused"
