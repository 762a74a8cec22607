"""HTTP to a camera or its server: only where the guard lets us, never more than we take.

Every request is looked at by the guard and goes to the address that it looked at, a redirect's too.
The login is shown to the camera's own origin and to nobody it sends us to.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from farolito.codec import Broken
from farolito.ingest.video.guard import Guard
from farolito.model import Login, PictureState

SCHEMES = ("http", "https")
REDIRECTS_MAX = 3  # of one request; then it is not found
HOSTS_MAX = 8  # that one camera may send us to
CONNECT_S_MAX = 5.0
READ_S_MAX = 10.0  # without a byte
_CHUNK_BYTES = 65_536
_AGENT = "Farolito"
_MOVED = {301, 302, 303, 307, 308}


class Fetched(NamedTuple):
    """`url`: where it was in the end. `status`: 200, 206 or 304."""

    status: int
    headers: httpx.Headers
    content: bytes
    url: str


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request to the address that the guard allowed for it; host and SNI stay. What
    verifies a certificate for one host never carries another's request."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._tls = tls
        self._inner: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Broken: BLOCKED, UNREACHABLE; httpx's own errors."""
        allowed = await self._guard.allow(str(request.url), SCHEMES)
        if allowed.host not in self._inner:
            if len(self._inner) >= HOSTS_MAX:
                says = f"the camera sends us to more than {HOSTS_MAX} other hosts"
                raise Broken(PictureState.BLOCKED, says, "correct its address")
            self._inner[allowed.host] = httpx.AsyncHTTPTransport(
                verify=self._tls or _tls(), trust_env=False
            )
        guarded = httpx.Request(
            request.method,
            request.url.copy_with(host=allowed.address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": allowed.host},
        )
        return await self._inner[allowed.host].handle_async_request(guarded)

    async def aclose(self) -> None:
        for inner in self._inner.values():
            await inner.aclose()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class Fetcher:
    """GET for one source, with its login. Use as `async with`. `ssl_context`: whose certificates
    are believed; None: those that the machine believes."""

    def __init__(
        self,
        source_url: str,
        login: Login | None,
        guard: Guard,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._origin = _origin(source_url)
        self._login = login
        self._auth: httpx.Auth | None = None
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(guard, ssl_context),
            timeout=httpx.Timeout(READ_S_MAX, connect=CONNECT_S_MAX),
            headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(
        self, url: str, bytes_max: int, wait_s: float, headers: Mapping[str, str] | None = None
    ) -> Fetched:
        """Raises Broken, with the state that fits: `wait_s` is for all of it."""
        try:
            async with asyncio.timeout(wait_s):
                return await self._following(url, bytes_max, dict(headers or {}))
        except TimeoutError as error:
            says = f"the camera took more than {wait_s:g} s to answer"
            raise Broken(PictureState.STALLED, says, "check its network") from error
        except httpx.TimeoutException as error:
            raise _timed_out(error) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _failed(error) from error

    async def _following(self, url: str, bytes_max: int, headers: dict[str, str]) -> Fetched:
        for _ in range(REDIRECTS_MAX + 1):
            fetched = await self._one(url, bytes_max, headers)
            if fetched.status not in _MOVED:
                return fetched
            onward = urljoin(url, fetched.headers.get("location", ""))
            if urlsplit(url).scheme == "https" and urlsplit(onward).scheme != "https":
                says = "the camera sends us from an encrypted address to one that is not"
                raise Broken(PictureState.BLOCKED, says, "correct its address")
            url = onward
        raise Broken(PictureState.NOT_FOUND, "the camera sends us in a circle", _ADDRESS)

    async def _one(self, url: str, bytes_max: int, headers: dict[str, str]) -> Fetched:
        fetched = await self._send(url, bytes_max, headers)
        if fetched.status == 401 and self._may_log_in(url):
            # A stale nonce and the first challenge look alike: log in anew, once.
            self._auth = self._authentication(fetched.headers.get_list("www-authenticate"))
            fetched = await self._send(url, bytes_max, headers)
        _check(fetched.status)
        return fetched

    async def _send(self, url: str, bytes_max: int, headers: dict[str, str]) -> Fetched:
        auth = self._auth if self._may_log_in(url) else None
        try:
            request = self._client.build_request("GET", url, headers=headers)
            response = await self._client.send(request, auth=auth, stream=True)
        except (KeyError, NotImplementedError) as error:  # httpx, of a Digest it does not speak
            says = "the camera asks for a kind of Digest login that we do not speak"
            raise Broken(PictureState.REFUSED, says, "set it to Digest MD5 or SHA-256") from error
        try:
            return Fetched(
                response.status_code, response.headers, await _content(response, bytes_max), url
            )
        finally:
            await response.aclose()

    def _may_log_in(self, url: str) -> bool:
        return self._login is not None and _origin(url) == self._origin

    def _authentication(self, challenges: list[str]) -> httpx.Auth:
        assert self._login is not None
        if any(one.lstrip().lower().startswith("digest") for one in challenges):
            return httpx.DigestAuth(self._login.user, self._login.word)
        return httpx.BasicAuth(self._login.user, self._login.word)


async def _content(response: httpx.Response, bytes_max: int) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        says = "the camera compresses what we asked for plain"
        raise Broken(PictureState.MALFORMED, says, "switch compression off")
    told = response.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:20]) > bytes_max:
        raise too_much(bytes_max)
    content = bytearray()
    async for chunk in response.aiter_raw(_CHUNK_BYTES):
        content += chunk
        if len(content) > bytes_max:
            raise too_much(bytes_max)
    return bytes(content)


def too_much(bytes_max: int) -> Broken:
    says = f"the camera sends more than {bytes_max // 1024} KiB at once"
    return Broken(PictureState.TOO_MUCH, says, "lower its bit rate or the size of its picture")


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


_ADDRESS = "check the address in the register"


def _check(status: int) -> None:
    """Raises Broken for an answer that is no content."""
    if status in {200, 206, 304} or status in _MOVED:
        return
    if status in {401, 403}:
        says = f"the camera does not take our user or password (HTTP {status})"
        raise Broken(PictureState.REFUSED, says, "check its login in the register")
    if status == 429 or status >= 500:
        says = f"the camera's server is not ready (HTTP {status})"
        raise Broken(PictureState.UNREACHABLE, says, "wait, or ask its owner")
    raise Broken(PictureState.NOT_FOUND, f"there is no picture (HTTP {status})", _ADDRESS)


def _timed_out(error: httpx.TimeoutException) -> Broken:
    if isinstance(error, httpx.ConnectTimeout):
        says = f"the camera does not answer within {CONNECT_S_MAX:g} s"
        return Broken(PictureState.UNREACHABLE, says, "check its power and its network")
    says = f"the camera sent nothing for {READ_S_MAX:g} s"
    return Broken(PictureState.STALLED, says, "check its network")


def _failed(error: Exception) -> Broken:
    if isinstance(error, httpx.ConnectError):
        if "certificate" in str(error).lower():
            do = "give it a certificate that this machine trusts, or use http"
            return Broken(PictureState.UNREACHABLE, "the camera's certificate is not valid", do)
        do = "check its power and its network"
        return Broken(PictureState.UNREACHABLE, "the camera cannot be reached", do)
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return Broken(PictureState.STALLED, "the camera hung up", "check its network")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Broken(PictureState.NOT_FOUND, "the camera sends us to no address", _ADDRESS)
    return Broken(PictureState.MALFORMED, "the camera does not speak HTTP as it should", _ADDRESS)
