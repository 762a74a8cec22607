"""A GTFS-realtime feed, asked for over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from google.transit.gtfs_realtime_pb2 import FeedMessage

from farolito.ingest.avl.gtfs import BODY_BYTES_MAX, GtfsSource
from farolito.ingest.avl.heard import Origin
from farolito.ingest.avl.sources import GtfsFeed
from farolito.model import AgencyId, Rejected, UnitPosition

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
THEN = int(NOW.timestamp()) - 4


class FeedServer:
    """Answers as a transit agency's server does: with an ETag, and 304 to who has it."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(head.lower())
                tag = b'"%d"' % hash(self.body)
                status, body = b"%d" % self.status, self.body
                if b"if-none-match: " + tag in head.lower():
                    status, body = b"304", b""
                writer.write(
                    b"HTTP/1.1 %b x\r\nETag: %b\r\nContent-Length: %d\r\n\r\n%b"
                    % (status, tag, len(body), body)
                )
                await writer.drain()
        writer.close()


class Heard:
    def __init__(self) -> None:
        self.positions: list[UnitPosition] = []
        self.told: Counter[str] = Counter()

    async def hear(self, positions: Sequence[UnitPosition]) -> None:
        self.positions += positions

    def tell(self, why: Rejected, body: bytes) -> None:
        self.told[why.reason] += 1


@pytest.fixture
async def server() -> AsyncIterator[tuple[FeedServer, str]]:
    feed = FeedServer()
    listening = await asyncio.start_server(feed.serve, "127.0.0.1", 0)
    yield feed, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/vehicles.pb"
    listening.close()


def a_feed(*vehicles: dict[str, Any]) -> bytes:
    told = FeedMessage()
    told.header.gtfs_realtime_version = "2.0"
    told.header.timestamp = THEN
    for number, said in enumerate(vehicles):
        entity = told.entity.add(id=str(number))
        vehicle = entity.vehicle
        vehicle.vehicle.label = said.get("label", "")
        vehicle.vehicle.id = said.get("id", "")
        if "lat" in said:
            vehicle.position.latitude, vehicle.position.longitude = said["lat"], said["lon"]
        for name in ("bearing", "speed"):
            if name in said:
                setattr(vehicle.position, name, said[name])
        if "at" in said:
            vehicle.timestamp = said["at"]
    return bytes(told.SerializeToString())


async def ask(url: str, times: int = 1, **said: Any) -> Heard:
    heard = Heard()
    feed = GtfsFeed(name="transit", url=url, **({"units": {"bus-12": "2A14"}} | said))
    origin = Origin(AgencyId("practice-pd"), "transit")
    source = GtfsSource(feed, origin, heard.hear, heard.tell, lambda: NOW)
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(times):
            await source.ask(client)
    return heard


async def test_a_vehicle_in_the_table_is_a_unit(server: tuple[FeedServer, str]) -> None:
    feed, url = server
    place = {"lat": 35.0844, "lon": -106.6504}
    feed.body = a_feed(
        {"label": "bus-12", "bearing": 271.0, "speed": 12.5, "at": THEN + 1} | place,
        {"id": "bus-12"} | place,
        {"label": "bus-99"} | place,
    )
    heard = await ask(url)
    first, second = heard.positions
    assert first.place.lat == pytest.approx(35.0844, abs=1e-5)
    assert (first.unit, first.heading_deg, first.speed_mps) == ("2A14", 271.0, 12.5)
    assert first.at.timestamp() == THEN + 1
    assert second.at.timestamp() == THEN, "the feed's time where the vehicle has none"
    assert (second.heading_deg, second.speed_mps) == (None, None)
    assert heard.told == {"unknown_unit": 1}


async def test_any_vehicle_is_heard_by_its_label_where_that_is_asked_for(
    server: tuple[FeedServer, str],
) -> None:
    feed, url = server
    place = {"lat": 35.0, "lon": -106.0}
    feed.body = a_feed({"label": "bus-99"} | place, {"label": "bus-12"} | place)
    heard = await ask(url, any_vehicle=True)
    assert [position.unit for position in heard.positions] == ["bus-99", "2A14"]


async def test_a_feed_that_has_not_changed_is_not_read_again(
    server: tuple[FeedServer, str],
) -> None:
    feed, url = server
    feed.body = a_feed({"label": "bus-12", "lat": 35.0, "lon": -106.0})
    heard = await ask(url, times=3)
    assert len(heard.positions) == 1
    assert [b"if-none-match" in asked for asked in feed.asked] == [False, True, True]


async def test_bad_vehicles_are_named_and_the_others_heard(server: tuple[FeedServer, str]) -> None:
    feed, url = server
    good = {"label": "bus-12", "lat": 35.0, "lon": -106.0}
    nowhere = {"lat": 0.0, "lon": 0.0}
    late = {"at": THEN + 10 * 86_400}
    feed.body = a_feed({"label": "bus-12"}, good | nowhere, good | {"lat": 95.0}, good | late, good)
    heard = await ask(url)
    assert len(heard.positions) == 1
    assert heard.told == {"no_place": 3, "future_time": 1}


async def test_what_is_no_feed_is_named(server: tuple[FeedServer, str]) -> None:
    feed, url = server
    feed.body = b"<html>moved</html>"
    assert (await ask(url)).told == {"malformed_proto": 1}


@pytest.mark.parametrize(
    ("status", "size", "reason"), [(503, 0, "feed_away"), (200, 1, "too_large")]
)
async def test_a_feed_that_is_away_is_raised_to_the_supervisor(
    server: tuple[FeedServer, str], status: int, size: int, reason: str
) -> None:
    feed, url = server
    feed.status, feed.body = status, b"x" * (BODY_BYTES_MAX + 1) * size
    with pytest.raises(Rejected) as why:
        await ask(url)
    assert why.value.reason == reason
