"""A partner's node that keeps to no rule: the protocol of a leaf link, spoken by hand.

A well-behaved server holds its own clients to the rights it was told; this one says what it likes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Iterable
from pathlib import Path

import nkeys


class RawLink:
    """`got`: every line that the other server said, payloads among them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.got: list[bytes] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext, jwt: str, seed: str) -> RawLink:
        """Raises OSError (ssl.SSLError, ConnectionError) where the handshake fails."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        info = json.loads((await reader.readline()).removeprefix(b"INFO "))
        await writer.start_tls(tls, server_hostname="127.0.0.1")
        signature = nkeys.from_seed(seed.encode()).sign(info["nonce"].encode())
        connect = {
            "jwt": jwt, "sig": base64.urlsafe_b64encode(signature).decode().rstrip("="),
            "name": "raw", "server_id": "raw", "version": "2.15.1", "headers": True,
        }  # fmt: skip
        writer.write(b"CONNECT " + json.dumps(connect).encode() + b"\r\nPING\r\n")
        await writer.drain()
        return cls(reader, writer)

    async def say(self, *lines: bytes) -> None:
        self._writer.write(b"".join(line + b"\r\n" for line in lines))
        await self._writer.drain()

    async def subscribe(self, subjects: Iterable[str]) -> None:
        await self.say(*(b"LS+ " + subject.encode() for subject in subjects))

    async def publish(self, subject: str, raw: bytes, reply: str = "") -> None:
        head = " ".join(filter(None, ("LMSG", subject, reply, str(len(raw)))))
        await self.say(head.encode(), raw)

    async def settled(self) -> None:
        """Return when the server has taken what was said before, or has hung up."""
        before = self.got.count(b"PONG")
        await self.say(b"PING")
        async with asyncio.timeout(5):
            while self.got.count(b"PONG") == before and not self._reading.done():
                await asyncio.sleep(0.005)

    @property
    def is_up(self) -> bool:
        return not self._reading.done()

    async def close(self) -> None:
        self._reading.cancel()
        self._writer.close()

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self.got.append(line.rstrip(b"\r\n"))
                if line.startswith(b"PING"):
                    await self.say(b"PONG")
        except OSError as error:
            self.got.append(repr(error).encode())


def tls_of(
    trusted: str, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=trusted)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
