"""A conversation with one camera: connected where the guard allows, logged in, asked in turn."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from farolito.codec import Broken
from farolito.ingest.video.guard import URL_CHARACTERS_MAX, Allowed, Guard
from farolito.ingest.video.rtsp_auth import Answers, best_challenge
from farolito.ingest.video.rtsp_line import Limits, Line, Meter
from farolito.ingest.video.rtsp_message import Message, control_url, malformed
from farolito.ingest.video.sdp import Track, h264_track
from farolito.model import Login, PictureState, StreamSource

REDIRECTS_MAX = 3
_TRIES_MAX = 3  # without a login or with an old nonce, with it, with the next nonce


class Talk:
    """`login` None: the camera gets none, whatever it asks."""

    def __init__(self, line: Line, login: Login | None, address: str, limits: Limits) -> None:
        self.line = line
        self.address = address
        self._login = login
        self._limits = limits
        self._answers: Answers | None = None

    def post(
        self, method: str, uri: str, headers: Mapping[str, str] | None = None
    ) -> asyncio.Future[Message]:
        """Asks, with the login as far as it is known how the camera wants it."""
        told = dict(headers or {})
        if self._answers is not None:
            told["Authorization"] = self._answers.header(method, uri)
        return self.line.post(method, uri, told)

    async def ask(self, method: str, uri: str, headers: Mapping[str, str] | None = None) -> Message:
        """The answer, whatever its status but 401. Raises Broken."""
        answered = False
        for _ in range(_TRIES_MAX):
            message = await self._answer(self.post(method, uri, headers))
            if message.status != 401:
                return message
            is_stale = self.renew(message)
            if answered and not is_stale:
                break
            answered = True
        raise Broken(
            PictureState.REFUSED,
            "the camera does not take our user or password",
            "correct the camera's login",
        )

    def renew(self, message: Message) -> bool:
        """Takes the challenge of a 401; True where only its number was too old. Raises Broken."""
        challenge = best_challenge(message.headers.get("www-authenticate", []))
        if challenge is None:
            says = "the camera asks for a login in a way that we do not speak"
            raise Broken(PictureState.UNSUPPORTED, says, "set it to Digest authentication")
        if self._login is None:
            says = "the camera asks for a user and password, and none is kept for it"
            raise Broken(PictureState.REFUSED, says, "register the camera's login")
        self._answers = Answers(challenge, self._login)
        return challenge.is_stale

    async def _answer(self, answer: asyncio.Future[Message]) -> Message:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await answer
        except TimeoutError as error:
            raise Broken(
                PictureState.STALLED,
                f"the camera is connected, and answers nothing for {self._limits.answer_s:g} s",
                "restart the camera",
            ) from error


class Offer(NamedTuple):
    """A camera that said what it sends. `base`: what its controls are relative to."""

    talk: Talk
    meter: Meter
    base: str
    track: Track

    @property
    def track_url(self) -> str:
        return control_url(self.base, self.track.control)

    @property
    def session_url(self) -> str:
        return control_url(self.base, self.track.session_control)


class RtspCamera(NamedTuple):
    """Whom we call, and on what terms. The login goes to the host that the source names, and to
    none that the camera redirects us to."""

    source: StreamSource
    login: Login | None
    guard: Guard
    now_us: Callable[[], int]
    ssl_context: ssl.SSLContext | None = None
    limits: Limits = Limits()

    async def describe(self) -> Offer:
        """Raises Broken, with the line closed."""
        schemes = ("rtsps",) if self.source.protocol == "rtsps" else ("rtsp", "rtsps")
        url, home = self.source.url, ""
        for _ in range(REDIRECTS_MAX + 1):
            allowed = await self.guard.allow(url, schemes)
            home = home or allowed.host
            talk, meter = await self._connect(allowed, self.login if allowed.host == home else None)
            try:
                message = await _described(talk, url)
                if message.status < 300:
                    return Offer(talk, meter, _base(message, url), h264_track(message.body))
                url = message.header("location")
                talk.line.close()
            except BaseException:
                talk.line.close()
                raise
        raise malformed("sends us from one address to the next")

    async def _connect(self, allowed: Allowed, login: Login | None) -> tuple[Talk, Meter]:
        loop = asyncio.get_running_loop()
        meter = Meter(self.now_us, loop.time, self.limits.bytes_per_s)
        context = None
        if allowed.scheme == "rtsps":
            context = self.ssl_context or _machines_own()
        try:
            async with asyncio.timeout(self.limits.connect_s):
                _, line = await loop.create_connection(
                    lambda: Line(meter),
                    allowed.address,
                    allowed.port,
                    ssl=context,
                    server_hostname=allowed.host if context else None,
                )
        except ssl.SSLCertVerificationError as error:
            says = "the camera shows a certificate that nobody we trust has signed"
            do = "give the certificate of who signed it, or of the camera itself"
            raise Broken(PictureState.UNREACHABLE, says, do) from error
        except (OSError, TimeoutError, ValueError) as error:
            raise Broken(
                PictureState.UNREACHABLE,
                "the camera cannot be reached",
                "look at its power, its cable and its switch",
            ) from error
        return Talk(line, login, allowed.address, self.limits), meter


@cache  # to read all that the machine believes takes 20 ms
def _machines_own() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _described(talk: Talk, url: str) -> Message:
    """The answer to DESCRIBE, or a redirect."""
    message = await talk.ask("OPTIONS", url)
    if not 300 <= message.status < 400:
        message = await talk.ask("DESCRIBE", url, {"Accept": "application/sdp"})
    if message.status >= 400:
        raise refusal("DESCRIBE", message.status)
    return message


def _base(message: Message, url: str) -> str:
    base = message.header("content-base") or message.header("content-location")
    is_url = base.isascii() and base.isprintable() and " " not in base
    return base if base and is_url and len(base) <= URL_CHARACTERS_MAX else url


def refusal(method: str, status: int) -> Broken:
    """What an error of the camera means, in words."""
    if status == 403:
        says, do = "the camera forbids its picture to our user", "give that user the right to view"
        return Broken(PictureState.REFUSED, says, do)
    if status in (404, 410):
        says, do = "the camera knows no such stream", "look up the path of its stream"
        return Broken(PictureState.NOT_FOUND, says, do)
    if status in (453, 503):
        says, do = "the camera has no room for one more viewer", "end other viewers of it"
        return Broken(PictureState.UNREACHABLE, says, do)
    says = f"the camera answers {status} to {method}"
    if status >= 500 and status not in (501, 505, 551):
        return Broken(PictureState.UNREACHABLE, says, "restart the camera")
    return Broken(PictureState.UNSUPPORTED, says, "look whether it speaks RTSP 1.0 at this address")
