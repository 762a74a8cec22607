"""EIDOs by subscription: NENA-STA-024.1a, the conveyance of incidents over a WebSocket.

We subscribe; the service sends events, each with a transaction and the EIDOs that are news; we
answer each with 200 once its calls are durable. An event without EIDOs says that the service
lives. What is sent as a reference only is fetched from the retrieval service.

Names and status codes are those of NENA's published schema (WebSocket-Subscribe-Notify); the
subprotocol `emergency-ent1.0` is what an open implementation of the service asks for. Assumed,
since the schema leaves it open: an entry of `notification` with `$ref` and no `$id`, or without
any component, is a reference; the retrieval service answers `GET …/incidents/{incident id}`; a
subscription is renewed by a `subscribe` with its id before it expires.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from farolito.ingest.cad import eido
from farolito.ingest.cad.decoded import Decoded
from farolito.ingest.cad.door import Alive, Take, Watch
from farolito.ingest.cad.eido_parts import objects, referenced, text_of
from farolito.ingest.cad.sources import CadConveyance
from farolito.model import Device, FarolitoError, Rejected

SUBPROTOCOL = Subprotocol("emergency-ent1.0")
MESSAGE_BYTES_MAX = 8 * 2**20  # a longer one ends the connection
WAITING_MAX = 16  # messages in memory; then the service is not read from: TCP holds it back
EIDOS_MAX = 500  # of one event; one with more is refused whole (413)
ANSWER_WAIT_S = 10.0  # for the answer to our subscription, or a reference's document
SILENCE = 3  # times `min_rate_s` for which a ping is unanswered: the connection is given up
RENEW_BEFORE = 0.5  # of the time that a subscription lasts
AWAY_WAIT_S = 1.0  # before the store is tried again

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ServiceRefused(FarolitoError):
    """The service does not take our subscription, ended it, or fell silent."""


class Conveyance:
    """One subscription. `run` lasts until the connection is lost, and then raises; the supervisor
    connects anew, and the service tells the incidents as they are then."""

    FORMAT = eido.NAME

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        config: CadConveyance,
        device: Device,
        take: Take,
        watch: Watch,
        *,
        away: tuple[type[Exception], ...] = (),
        alive: Alive = lambda name, at: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._device = device
        self._take = take
        self._watch = watch
        self._away = away
        self._alive = alive
        self._clock = clock
        self._subscription: str | None = None
        self._renew_s = RENEW_BEFORE * config.expires_s
        self._is_holding = False  # an event waits for the store, so we read nothing, not even pongs

    async def run(self) -> None:
        """Raises OSError, ServiceRefused, or an error of websockets, when the connection ends."""
        self._subscription = None
        tls = tls_context(self._config)
        async with (
            connect(
                self._config.url,
                ssl=tls if self._config.url.startswith("wss:") else None,
                subprotocols=[SUBPROTOCOL],
                max_size=MESSAGE_BYTES_MAX,
                max_queue=WAITING_MAX,
                open_timeout=ANSWER_WAIT_S,
                ping_interval=None,  # we ping ourselves: a pong is a sign of life
                proxy=None,
            ) as socket,
            httpx.AsyncClient(verify=tls, timeout=ANSWER_WAIT_S, trust_env=False) as http,
        ):
            await self._subscribe(socket)
            doing = [
                asyncio.create_task(step)
                for step in (self._listen(socket, http), self._renew(socket), self._ping(socket))
            ]
            try:
                done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
                await next(iter(done))
            finally:
                for task in doing:
                    task.cancel()
                await asyncio.gather(*doing, return_exceptions=True)

    async def _listen(self, socket: ClientConnection, http: httpx.AsyncClient) -> None:
        while True:
            try:
                async with asyncio.timeout(ANSWER_WAIT_S if self._subscription is None else None):
                    message = await socket.recv()
            except TimeoutError:
                says = f"no answer to our subscription for {ANSWER_WAIT_S:.0f} s"
                raise ServiceRefused(says, "see whether this is an EIDO service") from None
            self._alive(self._device.device_id, self._clock())
            await self._answer(socket, http, message)

    async def _ping(self, socket: ClientConnection) -> None:
        """A service without news still shows that it is there."""
        within_s = SILENCE * self._config.min_rate_s
        while True:
            await asyncio.sleep(self._config.min_rate_s)
            answered = await socket.ping()
            try:
                async with asyncio.timeout(within_s):
                    await answered
            except TimeoutError:
                if self._is_holding:
                    continue
                says = f"the EIDO service said nothing for {within_s:.0f} s"
                raise ServiceRefused(says, "see whether it runs") from None
            self._alive(self._device.device_id, self._clock())

    async def _subscribe(self, socket: ClientConnection) -> None:
        asked: dict[str, Any] = {"requestId": str(uuid4())}
        if self._subscription is None:
            asked |= {"requestType": "EIDO", "requestSubType": "new"}
            asked["minRate"] = self._config.min_rate_s
            if self._config.filter:
                asked["qualFilter"] = self._config.filter
        else:
            asked["subscriptionId"] = self._subscription
        await _send(socket, subscribe=asked | {"expires": self._config.expires_s})

    async def _renew(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(self._renew_s)
            await self._subscribe(socket)

    async def _answer(
        self, socket: ClientConnection, http: httpx.AsyncClient, message: str | bytes
    ) -> None:
        """One message of the service; one that is none of the standard's is named and kept."""
        body = message.encode("utf-8", "replace") if isinstance(message, str) else message
        try:
            told = _any(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._refused(Rejected("malformed_json", "a message that is no JSON", ""), body)
            return
        if not isinstance(told, dict):
            told = {}
        if isinstance(told.get("event"), dict):
            await self._event(socket, http, told["event"], body)
        elif isinstance(told.get("subscribeResponse"), dict):
            self._subscribed(told["subscribeResponse"])
        elif isinstance(told.get("terminate"), dict):
            await self._terminated(socket, told["terminate"])
        elif not {"unsubscribeResponse", "response"} & told.keys():
            do = "ask the service's maker which version it speaks"
            self._refused(Rejected("unknown_message", "no message of the standard", do), body)

    def _subscribed(self, response: dict[str, Any]) -> None:
        status, name = response.get("statusCode"), text_of(response.get("subscriptionId"))
        if status != 200:
            reason = (text_of(response.get("statusText")) or "no reason given")[:200]
            says = f"the EIDO service refuses our subscription: {status} {reason}"
            raise ServiceRefused(says, "check url, certificate and filter")
        self._subscription = name or self._subscription
        lasts_s = response.get("expires")
        if isinstance(lasts_s, int) and not isinstance(lasts_s, bool) and lasts_s > 0:
            self._renew_s = RENEW_BEFORE * lasts_s

    async def _terminated(self, socket: ClientConnection, told: dict[str, Any]) -> None:
        names = {key: told[key] for key in ("requestId", "subscriptionId") if key in told}
        await _send(socket, terminateResponse=names | {"statusCode": 200, "statusText": "OK"})
        raise ServiceRefused("the EIDO service ended our subscription", "we subscribe anew")

    async def _event(
        self, socket: ClientConnection, http: httpx.AsyncClient, event: dict[str, Any], body: bytes
    ) -> None:
        """Answered when its calls are durable; while the store is away, the event waits here and
        the service is not read from."""
        status, text = 200, "OK"
        eidos = objects(event.get("notification"))
        if len(eidos) > EIDOS_MAX:
            status, text = 413, f"more than {EIDOS_MAX} EIDOs"
            self._refused(Rejected("too_many", f"{len(eidos)} EIDOs in an event", text), body)
            eidos = []
        for one in eidos:
            try:
                document = await self._whole(http, one)
                at = self._clock()
                decoded = eido.decode_document(document, self._device, at)
            except Rejected as why:
                status = 503 if why.reason == "not_retrieved" else 400
                text = f"{why.reason}: {why.says}"[:200]
                self._refused(why, _encode(one))
            else:
                await self._durable(decoded, document)
                self._watch.heard(self._device, self.FORMAT, len(decoded.updates), at)
        answer = {"transactionId": event.get("transactionId")}
        await _send(socket, eventResponse=answer | {"statusCode": status, "statusText": text})

    async def _durable(self, decoded: Decoded, document: Any) -> None:
        mark = "eido:" + sha256(_encode(document)).hexdigest()
        while True:
            try:
                await self._take(self._device, decoded.updates, mark)
            except self._away:
                self._is_holding = True
                await asyncio.sleep(AWAY_WAIT_S)
            else:
                self._is_holding = False
                return

    async def _whole(self, http: httpx.AsyncClient, told: dict[str, Any]) -> Any:
        """The document itself; one that is only referred to is fetched. Raises Rejected."""
        name = referenced(told) if "$id" not in told else None
        if name is None and "$id" in told and not _has_component(told):
            name = text_of(told["$id"])
        if name is None:
            return told
        if not self._config.retrieval_url:
            do = "set retrieval_url in the configuration"
            raise Rejected("only_a_reference", "an incident that is only referred to", do)
        url = f"{self._config.retrieval_url.rstrip('/')}/incidents/{quote(name, safe='')}"
        return await _fetched(http, url)

    def _refused(self, why: Rejected, body: bytes) -> None:
        self._watch.rejected(self._device, self.FORMAT, why, body, self._clock())


def _has_component(told: dict[str, Any]) -> bool:
    return any(name.endswith("Component") for name in told)


async def _fetched(http: httpx.AsyncClient, url: str) -> Any:
    """The document at a service's address, never more of it than a message may have."""
    do = "see whether the retrieval service runs and knows us"
    try:
        async with http.stream("GET", url, headers={"Accept": "application/json"}) as answer:
            if answer.status_code != 200:
                says = f"the retrieval service answers {answer.status_code}"
                raise Rejected("not_retrieved", says, do)
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MESSAGE_BYTES_MAX:
                    raise Rejected("too_large", "a document that is too large", do, 413)
        return _any(body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Rejected("not_retrieved", "the retrieval service is away", do) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Rejected("malformed_json", "a retrieved document that is no JSON", do) from error


async def _send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(_encode(message).decode())


def tls_context(config: CadConveyance) -> ssl.SSLContext:
    """Who may be at the other end, and who we are. Raises OSError for a file that is none."""
    context = ssl.create_default_context(cafile=config.authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.certificate:
        context.load_cert_chain(config.certificate, config.key or None)
    return context
