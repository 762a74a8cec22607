"""To the node and back over HTTP: sealed messages out, wants in."""

from __future__ import annotations

import base64
import ssl
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import msgspec

from farolito.ingest.gunshot.wire import Want
from farolito.model import FarolitoError

PATH = "/ingest/gunshot/farolito"
WANTS_PATH = "/ingest/gunshot/wants"
CONNECT_S = 5.0
ANSWER_S = 10.0
HELD_S = 40.0  # the node holds a poll for 25
ANSWER_BYTES_MAX = 65_536
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# The node says no, and will say yes to the same bytes: once the sensor is registered or no longer
# set aside, the node stands again, or others have sent less.
_LATER = {401, 408, 425, 429}


class LinkDown(FarolitoError):
    """Nothing was taken: the same bytes are to be sent again."""


class NotTaken(FarolitoError):
    """The node will never take this message. `reason`: its word for it."""

    def __init__(self, reason: str, says: str, do: str = "") -> None:
        super().__init__(says, do)
        self.reason = reason


class Link(Protocol):
    """`send` returns once the message is durable: what is wanted now. Both raise LinkDown; `send`
    NotTaken as well."""

    async def send(self, sealed: bytes) -> list[Want]: ...

    async def wants(self, asked: bytes) -> list[Want]: ...

    async def close(self) -> None: ...


class _Answer(msgspec.Struct):
    wants: list[Want] = []
    error: str = ""
    says: str = ""
    do: str = ""


_answer = msgspec.json.Decoder(_Answer).decode


class HttpLink:
    """Raises FarolitoError for an address that would send in the clear over the network."""

    def __init__(self, node: str, authority: str = "") -> None:
        parts = urlsplit(node)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            do = "use https://, and authority = for a certificate of your own"
            raise FarolitoError(f"clips would travel in the clear to {node}", do)
        context = ssl.create_default_context(cafile=authority or None)
        # No proxy from the environment: a sensor speaks to its node alone.
        self._client = httpx.AsyncClient(
            base_url=node.rstrip("/"),
            verify=context,
            trust_env=False,
            limits=httpx.Limits(max_connections=4),
        )

    async def send(self, sealed: bytes) -> list[Want]:
        return await self._ask("POST", PATH, content=sealed)

    async def wants(self, asked: bytes) -> list[Want]:
        headers = {"x-farolito-sealed": base64.b64encode(asked).decode()}
        return await self._ask("GET", WANTS_PATH, headers=headers, answer_s=HELD_S)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        answer_s: float = ANSWER_S,
    ) -> list[Want]:
        try:
            request = self._client.build_request(
                method, path, content=content, headers=headers,
                timeout=httpx.Timeout(answer_s, connect=CONNECT_S),
            )  # fmt: skip
            response = await self._client.send(request, stream=True)
            try:
                body = await _body(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            says = f"no answer from the node ({type(error).__name__})"
            raise LinkDown(says, "see the network and the node") from error
        return _judged(response.status_code, body)


async def _body(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise LinkDown("an answer that is no node's", "see what stands at this address")
    return body


def _judged(status: int, body: bytes) -> list[Want]:
    try:
        answer = _answer(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LinkDown(f"an answer that is no node's (HTTP {status})", "see the address") from error
    if 200 <= status < 300:
        return answer.wants
    says, do = answer.says or f"the node answers {status}", answer.do
    if status >= 500 or status in _LATER:
        raise LinkDown(says, do)
    raise NotTaken(answer.error, says, do)
