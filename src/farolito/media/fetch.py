"""Pictures that a source sends only as a signed link: taken at once, since the link expires.

Where a link may lead is a list of host names in the configuration; everything else is refused, so
that nobody who can send a read can make the node call an address of their choice.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Collection
from functools import cache
from urllib.parse import urlsplit

import httpx

from farolito.model import Rejected

PICTURE_BYTES_MAX = 4 * 2**20
FETCH_S_MAX = 5.0
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


async def fetch(url: str, hosts: Collection[str]) -> bytes:
    """The picture behind a link. Raises Rejected with what is wrong with link, host or answer."""
    host = _allowed(url, hosts)
    await _must_be_public(host)
    try:
        async with (
            asyncio.timeout(FETCH_S_MAX),
            httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=_trusted()) as http,
            http.stream("GET", url) as answer,
        ):
            if answer.status_code != 200:
                raise Rejected("no_picture", f"{host} answers {answer.status_code}", "")
            content = bytearray()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > PICTURE_BYTES_MAX:
                    raise Rejected("too_large", f"{host} sends a picture that is too large", "")
    except (httpx.HTTPError, TimeoutError) as error:
        raise Rejected("no_picture", f"{host} does not answer", "see its service") from error
    if not content.startswith(_MAGIC):
        raise Rejected("not_a_picture", f"{host} sends something that is no JPEG or PNG", "")
    return bytes(content)


@cache
def _trusted() -> ssl.SSLContext:
    """The world's certificates, read once: 25 ms each time otherwise."""
    return httpx.create_ssl_context(trust_env=False)


def _allowed(url: str, hosts: Collection[str]) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.username or parts.password:
        raise Rejected("forbidden_link", "a picture's link that is not plain https", "")
    if host not in hosts:
        raise Rejected(
            "forbidden_host", f"pictures from {host} are not fetched", "add it to [pictures] hosts"
        )
    return host


async def _must_be_public(host: str) -> None:
    """A name on the list that leads into our own network is not what was meant."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Rejected("no_picture", f"{host} is not found", "see the node's DNS") from error
    if not all(ipaddress.ip_address(where[4][0]).is_global for where in found):
        raise Rejected("forbidden_host", f"{host} leads to a private address", "see the DNS")
