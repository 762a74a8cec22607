"""Which addresses may be connected to for a picture (R57): a camera's URL must not open our house.

A register is written by many hands, and a camera may answer with a redirect. A name is resolved
here once, every address it has must be allowed, and the connection then goes to the very address
that was looked at, so that the name cannot change in between.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from farolito.codec import Broken
from farolito.model import PictureState

RESOLVE_S_MAX = 5.0
URL_CHARACTERS_MAX = 2048
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}  # where a URL names none; srt must

# Services that nobody looks at a camera through, and that mistake our words for theirs.
FORBIDDEN_PORTS = frozenset(
    {19, 22, 23, 25, 53, 110, 143, 389, 445, 465, 587, 636, 993, 995}
    | {1433, 2049, 2375, 2376, 2379, 3306, 4222, 5432, 6379, 9092, 9200, 11211, 27017}
)

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_PRIVATE: tuple[_Network, ...] = tuple(
    ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
# A cloud gives a machine's secrets to whoever asks here; these lie inside what is else allowed.
_METADATA: tuple[_Network, ...] = tuple(
    ip_network(one) for one in ("fd00:ec2::/32", "168.63.129.16/32", "fd20:ce::/32")
)
_NAT64 = IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last four bytes
_IN_OLD_PYTHONS_GLOBAL: tuple[_Network, ...] = (IPv6Network("64:ff9b:1::/48"),)


class Allowed(NamedTuple):
    """`address` is the one to connect to; `host` goes into TLS and `Host`. `port` always stands."""

    scheme: str
    host: str
    port: int
    address: str


class Guard:
    """`networks` are allowed besides private and public addresses ("127.0.0.0/8" for tests).

    `own_ports`: where this node listens; no camera of it is there, whatever networks say.
    """

    def __init__(
        self,
        networks: Sequence[_Network] = (),
        *,
        own_ports: Collection[int] = (),
        forbidden_ports: Collection[int] = FORBIDDEN_PORTS,
    ) -> None:
        self._networks = tuple(networks)
        self._own_ports = frozenset(own_ports)
        self._forbidden_ports = frozenset(forbidden_ports)

    async def allow(self, url: str, schemes: Collection[str]) -> Allowed:
        """Raises Broken: BLOCKED, or UNREACHABLE where the name is not known."""
        parts, host, port = _parts(url, schemes)
        if port in self._forbidden_ports:
            raise _blocked(f"its port {port} is not one of a camera")
        addresses = await _resolve(host, port)
        for address in addresses:
            self._check(address, port)
        return Allowed(parts.scheme, host, port, str(addresses[0]))

    def _check(self, address: _Address, port: int) -> None:
        plain = _plain(address)
        ours = _is_ours(address) or (plain != address and _is_ours(plain))
        if ours and port in self._own_ports:
            raise _blocked("it leads to a port of this node itself")
        if any(one in network for network in self._networks for one in (address, plain)):
            return
        if ours:
            raise _blocked("it leads to this machine itself")
        if not _is_open(plain):
            raise _blocked("it leads into a network where no camera is")


def _is_open(address: _Address) -> bool:
    if any(address in network for network in _METADATA):
        return False
    if any(address in network for network in _PRIVATE):
        return True
    odd = address.is_multicast or address.is_reserved or address.is_link_local
    if isinstance(address, IPv6Address):
        odd = odd or address.is_site_local
    return address.is_global and not (
        odd or any(address in network for network in _IN_OLD_PYTHONS_GLOBAL)
    )


def _is_ours(address: _Address) -> bool:
    """Is it one of this machine's own? The machine lets only those be bound."""
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            tried.bind((str(address), 0))
    except OSError as error:
        # Where the machine has no IPv6 at all, no IPv6 address leads anywhere.
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
    return True


def _parts(url: str, schemes: Collection[str]) -> tuple[SplitResult, str, int]:
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \\")
    if not is_plain or len(url) > URL_CHARACTERS_MAX:
        raise _blocked("it has characters that no address has, or too many")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError as error:
        raise _blocked("it is no address") from error
    if parts.scheme not in schemes:
        raise _blocked(f"it does not begin with {' or '.join(f'{one}:' for one in schemes)}")
    if "@" in parts.netloc:
        raise _blocked("it holds a user or password", "keep them apart, as the camera's login")
    if port is None:
        port = PORTS.get(parts.scheme)
    if not host or "%" in host or not port:
        raise _blocked("it names no host, or no port")
    return parts, host, port


async def _resolve(host: str, port: int) -> list[_Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        async with asyncio.timeout(RESOLVE_S_MAX):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise Broken(
            PictureState.UNREACHABLE,
            "the camera's name is not known",
            "check its address in the register, and the name server",
        ) from error
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


def _blocked(why: str, do: str = "correct the address, or name its network in [video]") -> Broken:
    return Broken(PictureState.BLOCKED, f"the camera's address is not allowed: {why}", do)
