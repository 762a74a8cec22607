"""The HTTP doors: a device's key, a body limit, a decoder, the bus, and only then "accepted".

A plain ASGI application: cameras send one read a request, thousands a second, and everything
between the socket and the bus is time the bus could have used. Single reads that arrive together
are gathered into one message, since the bus syncs a message, not a read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from farolito.bus import BusDown, ReadBatch
from farolito.ingest import avl, cad
from farolito.ingest.cad import cloudevents
from farolito.ingest.cad.door import SIGNED_BYTES_MAX, CadDoor, Message
from farolito.ingest.gunshot import farolito as sensors
from farolito.ingest.gunshot import vendor
from farolito.ingest.gunshot.door import SensorDoor
from farolito.ingest.gunshot.envelope import SEALED_BYTES_MAX
from farolito.ingest.gunshot.vendor_door import VendorDoor
from farolito.ingest.gunshot.wants import HELD_S_MAX
from farolito.ingest.lpr import FORMATS, Decoded
from farolito.model import Device, PlateRead, Rejected, UnitPosition

BODY_BYTES_MAX = 8 * 2**20  # a larger body is refused with 413 before it is read
GATHER_READS_MAX = 200
GATHER_WAIT_S = 0.002  # how long a lone read waits for company
IN_FLIGHT_MAX = 2_000  # requests at once; the next one is told to come again (503)
RETRY_AFTER_S = 2
LOOK_UP_S = 1.0  # how soon one who waits for a want is let go when the node stops

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Publish = Callable[[ReadBatch], Awaitable[None]]

_encode = msgspec.json.Encoder().encode


class Watch(Protocol):
    """Where the door tells what happened at it; counting and keeping are the app's."""

    def heard(self, device: Device, format_: str, reads: int, at: datetime) -> None: ...

    def rejected(
        self, device: Device | None, format_: str, why: Rejected, body: bytes, at: datetime
    ) -> None: ...


class GunshotDoors(NamedTuple):
    """What takes in what sensors seal, and the alerts of vendors."""

    sensors: SensorDoor
    vendors: VendorDoor


class Door:
    """`POST /ingest/{lpr|avl|cad|gunshot}/{format}`: plate reads, positions of units, calls, sound.

    Without `cad` and `gunshot` (a door in a process of its own) it takes neither calls nor what
    is told of shots. `away`: what looking up a key or a signer raises while the store is not there.
    """

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        publish: Publish,
        device_for_key: Callable[[str], Awaitable[Device | None]],
        watch: Watch,
        hear: Callable[[Sequence[UnitPosition]], Awaitable[None]],
        refusing: Callable[[], str | None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        cad: CadDoor | None = None,
        away: tuple[type[Exception], ...] = (),
        gunshot: GunshotDoors | None = None,
    ) -> None:
        self._gatherer = Gatherer(publish)
        self._device_for_key = device_for_key
        self._watch = watch
        self._hear = hear
        self._refusing = refusing
        self._clock = clock
        self._cad = cad
        self._away = away
        self._gunshot = gunshot
        self._in_flight = 0

    async def close(self) -> None:
        await self._gatherer.close()
        if self._gunshot is not None:
            await self._gunshot.sensors.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        kind, format_ = _kind_and_format(scope["path"])
        if self._gunshot is not None and (kind, format_) == ("gunshot", "wants"):
            # Held while nothing is wanted: it is no request in flight.
            await _reply(send, *await self._wants(self._gunshot.sensors, scope, receive))
            return
        self._in_flight += 1
        try:
            status, answer = await self._answer(scope, receive, kind, format_)
        finally:
            self._in_flight -= 1
        await _reply(send, status, answer)

    async def take(
        self, device: Device, format_: str, content_type: str, body: bytes, received_at: datetime
    ) -> tuple[int, dict[str, Any]]:
        """One message of a known device, from whichever transport: decoded, durable, counted."""
        try:
            decoded = _decode(format_, body, content_type, device, received_at)
            await self._gatherer.publish(decoded.reads, decoded.pictures)
        except Rejected as why:
            self._watch.rejected(device, format_, why, body, received_at)
            return why.status, _words(why)
        except BusDown as why:
            return 503, {"error": "bus_down", "says": why.says, "do": why.do}
        self._watch.heard(device, format_, len(decoded.reads), received_at)
        answer: dict[str, Any] = {"accepted": len(decoded.reads)}
        if decoded.rejected:
            answer["rejected"] = decoded.rejected
            for item in decoded.rejected:
                why_not = Rejected(item.reason, item.says, item.do)
                self._watch.rejected(device, format_, why_not, b"", received_at)
        if decoded.dropped:
            answer["dropped"] = decoded.dropped
        return 202, answer

    async def take_positions(
        self, device: Device, format_: str, body: bytes, received_at: datetime
    ) -> tuple[int, dict[str, Any]]:
        try:
            positions = avl.FORMATS[format_].decode(body, device, received_at)
            await self._hear(positions)
        except Rejected as why:
            self._watch.rejected(device, format_, why, body, received_at)
            return why.status, _words(why)
        self._watch.heard(device, format_, 0, received_at)
        answer: dict[str, Any] = {"accepted": len(positions)}
        if positions.rejected:
            answer["rejected"] = positions.rejected
            for item in positions.rejected:
                why_not = Rejected(item.reason, item.says, item.do)
                self._watch.rejected(device, format_, why_not, b"", received_at)
        return 202, answer

    async def _answer(  # noqa: PLR0911 - one for each way to be turned away
        self, scope: Scope, receive: Receive, kind: str, format_: str
    ) -> tuple[int, dict[str, Any]]:
        now = self._clock()
        device: Device | None = None
        try:
            if scope["method"] != "POST":
                raise Rejected("method", "this door takes POST", "send the message as POST", 405)
            if self._in_flight > IN_FLIGHT_MAX:
                return 503, {"error": "busy", "says": "too many requests at once", "do": "retry"}
            full = self._refusing()
            if full:
                return 503, {"error": "refusing", "says": full, "do": "see the health page"}
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            query = scope.get("query_string", b"")
            if self._gunshot is not None and _is_signed_sound(kind, format_, headers):
                door = self._gunshot
                return await self._answer_sound(door, format_, query, receive, headers, now)
            if self._cad is not None and (kind, format_) == ("cad", cloudevents.NAME):
                return await self._answer_signed(self._cad, query, receive, headers, now)
            device = await self._device_for_key(_key(headers))
            if device is None:
                raise Rejected("wrong_key", "no device has this key", "register the reader", 401)
            formats = self._formats(kind)
            if format_ not in formats:
                known = ", ".join(sorted(formats)) or "/ingest/lpr/… or /ingest/avl/…"
                raise Rejected("unknown_format", f"no format {format_!r}", f"use {known}", 404)
            _right_door(device, kind)
            body = await _body(receive, headers)
        except Rejected as why:
            self._watch.rejected(device, format_, why, b"", now)
            return why.status, _words(why)
        except self._away:
            says = "the records are away for a moment: nobody knows whose message this is"
            return 503, {"error": "store_away", "says": says, "do": "send it again"}
        if device.is_recording:
            now = _told_arrival(headers, now)
        return await self._hand_over(kind, format_, device, headers, body, now)

    async def _hand_over(  # noqa: PLR0913 - what a request is made of
        self,
        kind: str,
        format_: str,
        device: Device,
        headers: Mapping[bytes, str],
        body: bytes,
        now: datetime,
    ) -> tuple[int, dict[str, Any]]:
        if kind == "avl":
            return await self.take_positions(device, format_, body, now)
        content_type = headers.get(b"content-type", "")
        if kind == "cad" and self._cad is not None:
            return await self._cad.answer(device, Message(format_, content_type, body, now))
        if kind == "gunshot" and self._gunshot is not None:
            return await self._gunshot.vendors.answer(device, content_type, body, now)
        return await self.take(device, format_, content_type, body, now)

    def _formats(self, kind: str) -> Mapping[str, object]:
        if kind == "cad":
            return cad.FORMATS if self._cad is not None else {}
        if kind == "gunshot" and self._gunshot is not None:
            return {vendor.NAME: vendor}
        return {"lpr": FORMATS, "avl": avl.FORMATS}.get(kind, {})

    async def _answer_signed(
        self,
        cad_door: CadDoor,
        query: bytes,
        receive: Receive,
        headers: Mapping[bytes, str],
        now: datetime,
    ) -> tuple[int, dict[str, Any]]:
        """A message that its signature vouches for, not a key. Raises Rejected."""
        body = await _body(receive, headers, SIGNED_BYTES_MAX)
        named = {name.decode("latin-1"): value for name, value in headers.items()}
        device, mark = await cad_door.signed_by(query, named, body)
        if device.kind != "cad":
            raise Rejected("wrong_door", "the secret of another kind", "use a CAD's secret", 403)
        content_type = headers.get(b"content-type", "")
        message = Message(cloudevents.NAME, content_type, body, now, mark)
        return await cad_door.answer(device, message)

    async def _answer_sound(  # noqa: PLR0913 - what a request is made of
        self,
        gunshot: GunshotDoors,
        format_: str,
        query: bytes,
        receive: Receive,
        headers: Mapping[bytes, str],
        now: datetime,
    ) -> tuple[int, dict[str, Any]]:
        """A sensor's sealed message, or a vendor's signed one. Raises Rejected."""
        if format_ == sensors.NAME:
            return await gunshot.sensors.hear(await _body(receive, headers, SEALED_BYTES_MAX), now)
        body = await _body(receive, headers, vendor.BODY_BYTES_MAX)
        named = {name.decode("latin-1"): value for name, value in headers.items()}
        device = await gunshot.vendors.signed_by(query, named, body)
        content_type = headers.get(b"content-type", "")
        return await gunshot.vendors.answer(device, content_type, body, now)

    async def _wants(
        self, door: SensorDoor, scope: Scope, receive: Receive
    ) -> tuple[int, dict[str, Any]]:
        """`GET /ingest/gunshot/wants`: held until a clip is wanted of the sensor that asks."""
        if scope["method"] != "GET":
            return 405, {"error": "method", "says": "wants are asked for with GET", "do": ""}
        full = self._refusing()
        if full:
            return 503, {"error": "refusing", "says": full, "do": "see the health page"}
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        sealed = headers.get(b"x-farolito-sealed", "")
        waiting = asyncio.ensure_future(door.wait(sealed, self._clock(), HELD_S_MAX))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            while not waiting.done() and not gone.done() and not self._refusing():
                await asyncio.wait(
                    {waiting, gone}, timeout=LOOK_UP_S, return_when=asyncio.FIRST_COMPLETED
                )
            return waiting.result() if waiting.done() else (200, {"wants": []})
        finally:
            for task in (waiting, gone):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


class Gatherer:
    """Joins reads that arrive within a moment into one durable message (a group commit)."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._reads: list[PlateRead] = []
        self._pictures: dict[str, bytes] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def publish(self, reads: tuple[PlateRead, ...], pictures: Mapping[str, bytes]) -> None:
        """Return when these reads are durable. Raises BusDown where they are not."""
        if not reads:
            return
        if len(reads) >= GATHER_READS_MAX // 4 or pictures:
            await self._publish(ReadBatch(reads, pictures))
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._reads.extend(reads)
        self._waiting.append(done)
        if len(self._reads) >= GATHER_READS_MAX:
            self._send()
        elif self._timer is None:
            self._timer = loop.call_later(GATHER_WAIT_S, self._send)
        await done

    async def close(self) -> None:
        if self._timer is not None:
            self._send()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._reads:
            return
        batch, waiting = ReadBatch(tuple(self._reads)), self._waiting
        self._reads, self._waiting = [], []
        task = asyncio.create_task(self._send_batch(batch, waiting))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_batch(self, batch: ReadBatch, waiting: list[asyncio.Future[None]]) -> None:
        try:
            await self._publish(batch)
        except BusDown as why:
            for done in waiting:
                if not done.done():
                    done.set_exception(BusDown(why.says, why.do))
        else:
            for done in waiting:
                if not done.done():
                    done.set_result(None)


def _kind_and_format(path: str) -> tuple[str, str]:
    """`/ingest/lpr/hikvision` → lpr, hikvision."""
    parts = path.strip("/").split("/")
    return (parts[1], parts[2]) if len(parts) == 3 else ("", "")


def _right_door(device: Device, kind: str) -> None:
    """A key opens the door of its device's kind: a stolen camera's key moves no unit."""
    doors = {"positions": "avl", "cad": "cad", "gunshot_sensor": "gunshot"}
    at_door = doors.get(device.kind, "lpr")
    if kind != at_door:
        do = "use the key of a device that is registered for this door"
        raise Rejected("wrong_door", f"the key of a {device.kind}", do, 403)


def _is_signed_sound(kind: str, format_: str, headers: Mapping[bytes, str]) -> bool:
    """A sensor seals whatever it says; a vendor signs, or shows the key of its device."""
    if kind != "gunshot":
        return False
    return format_ == sensors.NAME or (format_ == vendor.NAME and b"webhook-signature" in headers)


async def _gone(receive: Receive) -> None:
    """Returns when the other side has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _decode(
    format_: str, body: bytes, content_type: str, device: Device, received_at: datetime
) -> Decoded:
    return FORMATS[format_].decode(body, content_type, device, received_at)


def _key(headers: Mapping[bytes, str]) -> str:
    """The device's key: a bearer token, our own header, or the password of Basic (old cameras)."""
    given = headers.get(b"x-farolito-key")
    if given:
        return given
    scheme, _, value = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _told_arrival(headers: Mapping[bytes, str], now: datetime) -> datetime:
    """When a recorded message arrived the first time, as the replaying side says."""
    try:
        at = datetime.fromisoformat(headers.get(b"x-farolito-received-at", ""))
    except ValueError:
        return now
    return at if at.tzinfo is not None and at <= now else now


async def _body(
    receive: Receive, headers: Mapping[bytes, str], bytes_max: int = BODY_BYTES_MAX
) -> bytes:
    declared = headers.get(b"content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    message = await receive()
    if not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        if len(whole) > bytes_max:
            raise _too_large(bytes_max)
        return whole
    parts, size = [message.get("body", b"")], len(message.get("body", b""))
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Rejected("truncated", "the sender hung up", "send the whole message", 400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise _too_large(bytes_max)
    return b"".join(parts)


def _too_large(bytes_max: int) -> Rejected:
    return Rejected(
        "too_large",
        f"a body over {bytes_max // 2**10} KiB",
        "send less at once, or smaller pictures",
        413,
    )


def _words(why: Rejected) -> dict[str, Any]:
    return {"error": why.reason, "says": why.says, "do": why.do}


async def _reply(send: Send, status: int, answer: Mapping[str, Any]) -> None:
    body = _encode(answer)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status in {429, 503}:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="farolito"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
