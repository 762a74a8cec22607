"""Which addresses we may call (R57): a subscription must not make this node call its own house.

A browser names the address to be woken at, so anybody signed in could name the database's or a
camera's. The name is resolved here, every address it has must be public, and the connection then
goes to the very address that was looked at, so that the name cannot change in between.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from farolito.model import Rejected

_NAT64 = IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last four bytes
_Address = IPv4Address | IPv6Address


class Target(NamedTuple):
    """`url` names the checked address instead of the host; `host` goes into TLS and `Host`."""

    url: str
    host: str
    authority: str


class Targets:
    """`allowed`: names ("push.agency.example") and networks ("10.1.2.0/24") that may be private.

    `loopback_http`: plain HTTP to this machine itself, for tests.
    """

    def __init__(self, allowed: Sequence[str] = (), *, loopback_http: bool = False) -> None:
        self._networks = [ip_network(one) for one in allowed if "/" in one]
        self._names = frozenset(one.casefold() for one in allowed if "/" not in one)
        self._loopback_http = loopback_http

    async def check(self, url: str) -> Target:
        """Raises Rejected: `no_address`, `not_https`, `private_target`, `no_such_host`."""
        parts, host, port = _parts(url)
        addresses = await _resolve(host, port)
        if parts.scheme == "http":
            if not (self._loopback_http and all(a.is_loopback for a in addresses)):
                raise Rejected("not_https", "a push address without https", "subscribe again")
        elif not all(self._may(host, address) for address in addresses):
            raise Rejected(
                "private_target",
                "a push address inside a private network",
                "allow-list the push service if it is the agency's own",
            )
        first = addresses[0]
        literal = f"[{first}]" if isinstance(first, IPv6Address) else str(first)
        path = parts.path or "/"
        query = f"?{parts.query}" if parts.query else ""
        return Target(
            f"{parts.scheme}://{literal}:{port}{path}{query}", host, parts.netloc.rpartition("@")[2]
        )

    def _may(self, host: str, address: _Address) -> bool:
        if host in self._names or any(address in network for network in self._networks):
            return True
        plain = _plain(address)
        return plain.is_global and not plain.is_multicast


def _parts(url: str) -> tuple[SplitResult, str, int]:
    if not (url.isascii() and url.isprintable()):
        raise Rejected("no_address", "a web address with characters none has", "subscribe again")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").casefold().rstrip(".")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Rejected("no_address", "not a web address", "subscribe again") from error
    if parts.scheme not in {"https", "http"} or not host:
        raise Rejected("no_address", "not a web address", "subscribe again")
    return parts, host, port


async def _resolve(host: str, port: int) -> list[_Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Rejected("no_such_host", "the push service's name is not known") from error
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _plain(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        if address.sixtofour:
            return address.sixtofour
    return address
