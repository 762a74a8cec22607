"""The HTTP doors as a camera meets them: what is taken in, what is turned away and how."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from farolito.ingest.door import BODY_BYTES_MAX
from farolito.model import Device, DeviceId
from tests.running import AGENCY, READER, RunningNode, read

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;">]><EventNotificationAlert><dateTime>&c;</dateTime>
</EventNotificationAlert>"""


def hours_from_now(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def bad_reads() -> dict[str, tuple[str, bytes, int, str]]:
    """What may come wrong: format, body, status, and the word it is counted under."""
    one = msgspec.json.encode
    return {
        "truncated JSON": ("farolito", one([read("ABC1234")])[:-20], 422, "truncated"),
        "truncated XML": ("hikvision", b"<EventNotificationAlert><ANPR>", 422, "truncated"),
        "bomb in XML": ("hikvision", BOMB, 422, "forbidden_xml"),
        "40 characters": ("farolito", one([read("A" * 40, characters=None)]), 422, "not_a_plate"),
        "emoji": ("farolito", one([read("🚗🚗🚗")]), 422, "not_a_plate"),
        "year 1970": (
            "farolito",
            one([read("ABC1234", captured_at="1970-01-01T00:00:07Z")]),
            422,
            "ancient_time",
        ),
        "wrong zone": (
            "farolito",
            one([read("ABC1234", captured_at=hours_from_now(8))]),
            422,
            "future_time",
        ),
        "no zone": (
            "farolito",
            one([read("ABC1234", captured_at="2026-01-01T00:00:00")]),
            422,
            "bad_time",
        ),
        "two months old": (
            "farolito",
            one([read("ABC1234", captured_at=hours_from_now(-24 * 60))]),
            422,
            "too_old",
        ),
        "nothing": ("farolito", b"", 422, "truncated"),
        "no text": ("farolito", b"\xff\xfe\x00", 422, "malformed_json"),
    }


def reader(name: str, **more: Any) -> Device:
    return msgspec.structs.replace(READER, device_id=DeviceId(name), name=name, **more)


async def kept(node: RunningNode, device: str) -> list[dict[str, Any]]:
    """The dead letters of a device, after the next keeping."""
    await node.node.watch.keep()
    operator = await node.sign_in("operator")
    letters = (await operator.get("/api/dead-letters?limit=200")).json()["letters"]
    return [letter for letter in letters if letter["device"] == device]


async def source(node: RunningNode, device: str) -> dict[str, Any]:
    await node.node.watch.keep()
    operator = await node.sign_in("operator")
    sources = (await operator.get("/api/health")).json()["sources"]
    return next(s for s in sources if s["device"] == device)


@pytest.mark.parametrize("what", bad_reads())
async def test_what_is_wrong_is_named_counted_and_kept(shared_node: RunningNode, what: str) -> None:
    format_, body, status, reason = bad_reads()[what]
    name = "bad-" + what.lower().replace(" ", "-")
    key = await shared_node.reader_key(reader(name, format=format_))
    answer = await shared_node.send(key, body, format_)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert answer.json()["says"]
    assert (await source(shared_node, name))["rejected"] == {reason: 1}
    [letter] = await kept(shared_node, name)
    assert (letter["reason"], letter["size"]) == (reason, len(body))


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic !!!"},
     {"X-Farolito-Key": "ñ"}, {"Authorization": "Bearer"}],
)  # fmt: skip
async def test_a_stranger_is_turned_away_before_the_body_is_read(
    shared_node: RunningNode, headers: dict[str, str]
) -> None:
    await shared_node.reader_key()
    async with httpx.AsyncClient(base_url=shared_node.url, trust_env=False) as stranger:
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        answer = await stranger.post("/ingest/lpr/farolito", content=b"[]", headers=encoded)
    assert (answer.status_code, answer.json()["error"]) == (401, "wrong_key")
    assert "wrong_key" in {letter["reason"] for letter in await kept(shared_node, "unknown")}


async def test_a_format_that_nobody_speaks_is_404(shared_node: RunningNode) -> None:
    answer = await shared_node.send(await shared_node.reader_key(), [read("ABC1234")], "betamax")
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_format")
    assert "farolito" in answer.json()["do"]


async def test_made_up_formats_do_not_fill_the_figures(shared_node: RunningNode) -> None:
    for n in range(20):
        await shared_node.send("nonsense", [], f"made-up-{n}")
    await shared_node.node.watch.keep()
    async with shared_node.node.database.transaction(AGENCY) as connection:
        formats = await connection.fetch("select distinct format from source_health")
    assert not [row["format"] for row in formats if row["format"].startswith("made-up")]


async def test_a_name_that_the_store_cannot_hold_stops_nothing(shared_node: RunningNode) -> None:
    """A zero byte in the path, then an ordinary rejection: both must be kept."""
    key = await shared_node.reader_key(reader("zero-byte"))
    await shared_node.send(key, [], "fa%00rolito")
    await shared_node.send(key, b"[", "farolito")
    reasons = {letter["reason"] for letter in await kept(shared_node, "zero-byte")}
    assert reasons == {"unknown_format", "truncated"}


async def test_only_a_post_goes_in(shared_node: RunningNode) -> None:
    async with httpx.AsyncClient(base_url=shared_node.url, trust_env=False) as camera:
        assert (await camera.get("/ingest/lpr/farolito")).status_code == 405


async def test_a_plate_readers_key_moves_no_unit(shared_node: RunningNode) -> None:
    position = [{"unit": "2A14", "lat": 35.0, "lon": -106.0, "at": hours_from_now(0)}]
    async with httpx.AsyncClient(base_url=shared_node.url, trust_env=False) as thief:
        answer = await thief.post(
            "/ingest/avl/farolito",
            content=msgspec.json.encode(position),
            headers={"X-Farolito-Key": await shared_node.reader_key()},
        )
    assert (answer.status_code, answer.json()["error"]) == (403, "wrong_door")


async def test_50_mb_declared_are_refused_unread(shared_node: RunningNode) -> None:
    key = await shared_node.reader_key(reader("huge"))
    status, sent = await push(shared_node, key, f"Content-Length: {50 * 2**20}", bytes, most=0)
    assert (status, sent) == (413, 0), "the answer comes before the body"
    assert (await source(shared_node, "huge"))["rejected"] == {"too_large": 1}


async def test_50_mb_in_chunks_are_refused_at_the_limit(shared_node: RunningNode) -> None:
    key = await shared_node.reader_key(reader("huge-chunks"))

    def chunked(part: bytes) -> bytes:
        return f"{len(part):x}\r\n".encode() + part + b"\r\n"

    status, sent = await push(shared_node, key, "Transfer-Encoding: chunked", chunked)
    assert status == 413
    # What the node could have held: the limit, and what the sockets' own buffers took.
    assert sent < BODY_BYTES_MAX + 8 * 2**20


async def test_an_ordinary_client_that_sends_50_mb_hears_the_413(shared_node: RunningNode) -> None:
    key = await shared_node.reader_key(reader("huge-httpx"))
    answer = await shared_node.send(key, bytes(50 * 2**20))
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def push(
    node: RunningNode,
    key: str,
    length: str,
    wrap: Callable[[bytes], bytes],
    most: int = 50 * 2**20,
) -> tuple[int, int]:
    """Send up to `most` bytes over a bare socket until an answer comes: (status, bytes sent)."""
    reader_, writer = await asyncio.open_connection("127.0.0.1", int(node.url.rpartition(":")[2]))
    head = f"POST /ingest/lpr/farolito HTTP/1.1\r\nHost: x\r\nX-Farolito-Key: {key}\r\n{length}"
    writer.write(head.encode() + b"\r\n\r\n")
    answered = asyncio.ensure_future(reader_.readline())
    sent, part = 0, wrap(b"x" * 65536)
    async with asyncio.timeout(20):
        while not answered.done() and sent < most:
            try:
                writer.write(part)
                await writer.drain()
            except ConnectionError:
                break
            sent += 65536
            await asyncio.sleep(0)
        line = await answered
    writer.close()
    return int(line.split()[1]), sent


async def test_the_good_ones_of_a_batch_go_in(shared_node: RunningNode) -> None:
    key = await shared_node.reader_key(reader("mixed"))
    before = shared_node.node.pipeline.recorded
    batch = [
        read("GDA0001"),
        read("B" * 40, characters=None),
        {"plate": "GDA0003"},
        read("GDA0004"),
    ]
    answer = await shared_node.send(key, batch)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    assert [(r["item"], r["reason"]) for r in answer.json()["rejected"]] == [
        (1, "not_a_plate"),
        (2, "wrong_shape"),
    ]
    await shared_node.recorded(before + 2)
    assert await rows(shared_node, "GDA000_") == ["GDA0001", "GDA0004"]
    assert len(await kept(shared_node, "mixed")) == 2


async def rows(node: RunningNode, like: str) -> list[str]:
    async with node.node.database.system() as connection:
        found = await connection.fetch(
            "select plate from reads where plate like $1 order by plate", like
        )
    return [row["plate"] for row in found]


async def test_a_message_told_twice_is_one_row_and_one_alert(shared_node: RunningNode) -> None:
    await shared_node.list_plate("TWC2222", list_id="twice")
    key = await shared_node.reader_key(reader("repeats"))
    before = shared_node.node.pipeline.recorded
    message = [read("TWC2222"), read("TWC0000")]
    for _ in range(3):
        assert (await shared_node.send(key, message)).status_code == 202
    # The bus knows a repeated message by itself; these three come another way round.
    for part in (message[:1], message[1:], [*message, read("TWC3333")]):
        assert (await shared_node.send(key, part)).status_code == 202
    await shared_node.recorded(before + 3)
    assert await rows(shared_node, "TWC%") == ["TWC0000", "TWC2222", "TWC3333"]
    [alert] = await alerts_of(shared_node, "TWC2222")
    assert alert["repeats"] == 0
    assert (await source(shared_node, "repeats"))["duplicates"] >= 2


async def alerts_of(node: RunningNode, plate: str) -> list[dict[str, Any]]:
    operator = await node.sign_in("operator")
    queue = (await operator.get("/api/alerts")).json()["alerts"]
    return [a for a in queue if a["match"]["entry"]["plate"] == plate]


async def test_a_day_late_is_recorded_and_alarms_nobody(shared_node: RunningNode) -> None:
    await shared_node.list_plate("LTE7777", list_id="late")
    key = await shared_node.reader_key(reader("late"))
    before = shared_node.node.pipeline.recorded
    await shared_node.send(key, [read("LTE7777", captured_at=hours_from_now(-24))])
    await shared_node.recorded(before + 1)
    assert await rows(shared_node, "LTE%") == ["LTE7777"]
    assert await alerts_of(shared_node, "LTE7777") == []
    operator = await shared_node.sign_in("operator")
    stopped = (await operator.get("/api/stopped")).json()["matches"]
    says = [
        check["says"]
        for one in stopped
        if one["match"]["entry"]["plate"] == "LTE7777"
        for check in one["match"]["checks"]
        if check["outcome"] == "stopped"
    ]
    assert len(says) == 1
    assert "for the history, not for an alert" in says[0]


async def test_dead_letters_are_bounded_and_the_newest_stay(shared_node: RunningNode) -> None:
    watch = shared_node.node.watch
    key = await shared_node.reader_key(reader("flood"))
    usual, watch._letters_kept = watch._letters_kept, 5
    try:
        for n in range(12):
            await shared_node.send(key, b"[" + b" " * n)
        letters = await kept(shared_node, "flood")
    finally:
        watch._letters_kept = usual
    assert [letter["size"] for letter in letters] == [12, 11, 10, 9, 8]
    assert (await source(shared_node, "flood"))["rejected"] == {"truncated": 12}
