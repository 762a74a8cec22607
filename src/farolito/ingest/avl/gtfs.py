"""GTFS-realtime vehicle positions, asked for again and again (most feeds renew in 5 to 30 s).

A position's own time counts, else the feed's. Places are 32-bit floats there: good to about 1 m.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.transit.gtfs_realtime_pb2 import FeedMessage, VehiclePosition

from farolito.ingest.avl.heard import Clock, Hear, Origin, Strangers, Tell, named
from farolito.ingest.avl.sources import GtfsFeed
from farolito.model import Rejected, UnitPosition

BODY_BYTES_MAX = 8 * 2**20  # a feed of 500 vehicles has 17 kB
VEHICLES_MAX = 10_000
ANSWER_S_MAX = 10.0
EVERY_S_MIN = 1.0


def decode(
    body: bytes, feed: GtfsFeed, origin: Origin, received_at: datetime
) -> Iterator[tuple[str, UnitPosition | Rejected]]:
    """Each entity's id with the vehicle's position, or why it is none.

    Raises Rejected: `malformed_proto`, `too_many`. Reasons of one vehicle: `no_place`, `no_time`,
    `bad_time`, `unknown_unit`, and as Origin.position.
    """
    told = FeedMessage()
    try:
        told.ParseFromString(body)
    except DecodeError as error:
        do = "give the address of a VehiclePositions feed"
        raise Rejected("malformed_proto", "no GTFS-realtime feed", do) from error
    if len(told.entity) > VEHICLES_MAX:
        raise Rejected("too_many", f"more than {VEHICLES_MAX} vehicles", "split the feed")
    for entity in told.entity:
        if not entity.HasField("vehicle") or entity.is_deleted:
            continue
        try:
            vehicle = entity.vehicle
            seconds = vehicle.timestamp or told.header.timestamp
            yield entity.id, _position(vehicle, seconds, feed, origin, received_at)
        except Rejected as why:
            yield entity.id, why


def _position(
    vehicle: VehiclePosition, seconds: int, feed: GtfsFeed, origin: Origin, received_at: datetime
) -> UnitPosition:
    label, number = vehicle.vehicle.label, vehicle.vehicle.id
    unit = (label or number) if feed.any_vehicle else ""
    for name in (label, number):
        unit = feed.units.get(name, unit)
    told = vehicle.position
    if not vehicle.HasField("position"):
        raise Rejected("no_place", "a vehicle without a position", "leave it out")
    return origin.position(
        unit or named(feed.units, label, number),
        (round(told.latitude, 6), round(told.longitude, 6)),
        _time(seconds),
        received_at,
        told.bearing if told.HasField("bearing") else None,
        told.speed if told.HasField("speed") else None,
    )


def _time(seconds: int) -> datetime:
    if not seconds:
        raise Rejected("no_time", "a vehicle and a feed without a time", "send a timestamp")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Rejected("bad_time", "a time past the year 9999", "send seconds") from error


class GtfsSource:
    """One feed. `run` asks until it fails: the supervisor begins again."""

    def __init__(
        self,
        feed: GtfsFeed,
        origin: Origin,
        hear: Hear,
        tell: Tell,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._feed = feed
        self._origin = origin
        self._hear = hear
        self._tell = tell
        self._strangers = Strangers(tell, clock)
        self._clock = clock
        self._etag: str | None = None
        self._last: bytes | None = None

    async def run(self) -> None:
        """Until cancelled. Raises Rejected `feed_away` for an answer that is none, and httpx's
        errors for a feed that does not answer."""
        async with httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as client:
            while True:
                await self.ask(client)
                await asyncio.sleep(max(EVERY_S_MIN, self._feed.every_s))

    async def ask(self, client: httpx.AsyncClient) -> None:
        """Once. A feed that has not changed is not read again."""
        body = await self._body(client)
        if body is None or body == self._last:
            return
        self._last = body
        positions = []
        try:
            for vehicle, told in decode(body, self._feed, self._origin, self._clock()):
                if isinstance(told, Rejected):
                    self._strangers.tell(vehicle, told)
                else:
                    positions.append(told)
        except Rejected as why:
            self._tell(why, body)
            return
        await self._hear(positions)

    async def _body(self, client: httpx.AsyncClient) -> bytes | None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        async with client.stream("GET", self._feed.url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if answer.status_code != httpx.codes.OK:
                says = f"feed {self._feed.name} answered {answer.status_code}"
                raise Rejected("feed_away", says, "check its url in [[gtfs]]")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    says = f"feed {self._feed.name} is over {BODY_BYTES_MAX // 2**20} MiB"
                    raise Rejected("too_large", says, "check its url in [[gtfs]]")
            self._etag = answer.headers.get("etag")
            return bytes(body)
