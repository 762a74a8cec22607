"""The load: prepared HTTP requests over kept-alive connections, as cheaply as Python sends them.

It shares the machine with what it measures, so it prepares every byte beforehand and parses of an
answer only its status and length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import msgspec

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


class Sent(msgspec.Struct, frozen=True):
    """`accepted` requests of all; `latencies_s` from the first byte sent to the answer."""

    requests: int
    accepted: int
    seconds: float
    latencies_s: list[float]


def request(path: str, key: str, body: bytes) -> bytes:
    return HEAD.format(path=path, key=key, length=len(body)).encode() + body


async def send_all(
    host: str, port: int, requests: Sequence[bytes], connections: int, per_s: float | None = None
) -> Sent:
    """Send every request once; `per_s` paces them, None sends as fast as answers come."""
    queue = iter(enumerate(requests))
    latencies: list[float] = []
    accepted = 0
    start = time.perf_counter()

    async def work() -> None:
        nonlocal accepted
        reader, writer = await asyncio.open_connection(host, port)
        for number, whole in queue:
            if per_s is not None:
                await asyncio.sleep(max(0.0, start + number / per_s - time.perf_counter()))
            sent = time.perf_counter()
            writer.write(whole)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            latencies.append(time.perf_counter() - sent)
            accepted += head.startswith(b"HTTP/1.1 202")
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return Sent(len(latencies), accepted, time.perf_counter() - start, latencies)


def _length(head: bytes) -> int:
    low = head.lower()
    at = low.index(b"content-length:") + len(b"content-length:")
    return int(low[at : low.index(b"\r\n", at)])
