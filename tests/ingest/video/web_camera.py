"""A small HTTP server on the loopback that plays a camera's or a portal's web side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from hashlib import md5
from ipaddress import ip_network
from types import MappingProxyType
from typing import NamedTuple

from farolito.ingest.video.guard import Guard

LOOPBACK = Guard([ip_network("127.0.0.0/8")])


class Asked(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    cut_at: int | None = None  # bytes of the body after which the line is cut
    wait: bool = False  # never finish


Answering = Callable[[Asked], Answer]


class WebCamera:
    """`async with WebCamera(answer) as url`: one connection a request; `asked` remembers."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.asked: list[Asked] = []
        self.url = ""

    async def __aenter__(self) -> WebCamera:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                word.lower(): value.strip()
                for word, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            asked = Asked(head[0].split(" ")[1], headers, body)
            self.asked.append(asked)
            answer = self._answering(asked)
            told = {"Content-Length": str(len(answer.body)), "Connection": "close"}
            lines = [f"HTTP/1.1 {answer.status} X"]
            lines += [f"{word}: {value}" for word, value in {**told, **answer.headers}.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body[: answer.cut_at])
            await writer.drain()
            if answer.wait:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def digest_checked(answering: Answering, user: str, word: str) -> Answering:
    """Digest MD5 with qop=auth (RFC 7616), a nonce for all."""
    realm, nonce = "camera", "0123456789abcdef"

    def answer(asked: Asked) -> Answer:
        told = dict(
            part.strip().split("=", 1)
            for part in asked.headers.get("authorization", "Digest ").partition(" ")[2].split(",")
            if "=" in part
        )
        fields = {name: value.strip('"') for name, value in told.items()}
        ha1 = md5(f"{user}:{realm}:{word}".encode()).hexdigest()
        ha2 = md5(f"GET:{asked.path}".encode()).hexdigest()
        middle = f"{nonce}:{fields.get('nc')}:{fields.get('cnonce')}:auth"
        if fields.get("response") == md5(f"{ha1}:{middle}:{ha2}".encode()).hexdigest():
            return answering(asked)
        challenge = f'Digest realm="{realm}", nonce="{nonce}", qop="auth"'
        return Answer(b"<html>log in</html>", 401, {"WWW-Authenticate": challenge})

    return answer


async def until(claim: Callable[[], bool], wait_s: float = 10.0) -> None:
    """Waits for it to be true; the test fails where it does not become so."""
    async with asyncio.timeout(wait_s):
        while not claim():
            await asyncio.sleep(0.01)


async def ended(run: Awaitable[object], wait_s: float = 10.0) -> None:
    async with asyncio.timeout(wait_s):
        await run
