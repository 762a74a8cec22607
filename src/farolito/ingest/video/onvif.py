"""ONVIF (profiles S and T), by `onveef`: what a camera is, its streams, its clock, turning it.

One small interface of ours, so that the library behind it can be another one. Every request goes
through the guard. A camera often names an address of its own that nobody reaches (behind NAT, or
one it had last year): what it names is taken to be at the host where it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
from onveef.aclient import AsyncOnvifClient
from onveef.transport import OnvifEndpoint

from farolito.codec import Broken
from farolito.ingest.video.entry import RowFault, split_login
from farolito.ingest.video.fetch import GuardedTransport
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.onvif_ask import ASK_S_MAX, asked, text_of
from farolito.ingest.video.onvif_ptz import OnvifPtz, Spaces, spaces_of
from farolito.model import Login, PictureState, PtzLimits, StreamSource

DEVICE_PATH = "/onvif/device_service"
ANSWER_BYTES_MAX = 1 * 2**20  # a longer answer is MALFORMED
PROFILES_MAX = 32  # of one camera; the rest is not looked at
# A wrong password in answer to a wrong clock is tried anew; more would lock an account.
_RETRIES = 0


class Device(NamedTuple):
    """What it says it is."""

    maker: str
    model: str
    firmware: str
    serial: str


class ClockError(NamedTuple):
    """The camera's clock less ours, seconds; the truth lies within `bound_s` of it: half of the
    second that it tells whole, and half of the way there and back."""

    error_s: float
    bound_s: float
    measured_at: datetime


class Offered(NamedTuple):
    """The streams of a camera that we can show: `main` the richest H.264, `sub` the leanest other
    one. `ptz`: the limits that it tells, None where it does not turn. `profile`: ONVIF's token of
    `main`, by which it is turned."""

    profile: str
    main: StreamSource
    sub: StreamSource | None
    snapshot_url: str
    ptz: PtzLimits | None


class _Profile(NamedTuple):
    token: str
    pixels: int
    bits: int
    turns: bool


class OnvifCamera:
    """One camera. Use as `async with`; every method raises Broken."""

    def __init__(
        self, url: str, login: Login | None, guard: Guard, now: Callable[[], datetime]
    ) -> None:
        self._now = now
        self._http = httpx.AsyncClient(
            transport=GuardedTransport(guard), follow_redirects=False, trust_env=False
        )
        self._client = AsyncOnvifClient(
            endpoint=OnvifEndpoint(url),
            username=login.user if login else "",
            password=login.word if login else "",
            auto_discover=True,
            timeout_s=ASK_S_MAX,
            http_auth="digest",  # never the password in the clear
            retries=_RETRIES,
            max_response_bytes=ANSWER_BYTES_MAX,
            http_client=self._http,
        )

    async def __aenter__(self) -> OnvifCamera:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def device(self) -> Device:
        told = await asked(self._client.get_device_information())
        words = ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber")
        device = Device(*(text_of(told.get(word)) for word in words))
        if not any(device):
            says, do = "what answers there is no ONVIF camera", "check address and port"
            raise Broken(PictureState.MALFORMED, says, do)
        return device

    async def clock(self) -> ClockError:
        begun = self._now()
        told = await asked(self._client.get_system_date_time())
        ended = self._now()
        try:
            camera = datetime(**told["UTCDateTime"], tzinfo=UTC)
        except (KeyError, TypeError, ValueError, OverflowError):
            says, do = "the camera tells no time", "set its clock to NTP"
            raise Broken(PictureState.MALFORMED, says, do) from None
        way_s = max((ended - begun).total_seconds(), 0.0)
        middle = begun + (ended - begun) / 2
        error_s = (camera - middle).total_seconds() + 0.5
        return ClockError(error_s, 0.5 + way_s / 2, middle)

    async def offered(self, rest_bearing_deg: float = 0.0) -> Offered:
        """Raises Broken UNSUPPORTED for a camera without an H.264 profile."""
        await self.device()  # says whether our user is taken, which a profile may not
        profiles = await self._profiles()
        main = profiles[0]
        sub = profiles[-1] if len(profiles) > 1 else None
        turning = next((one for one in profiles if one.turns), None)
        return Offered(
            profile=(turning or main).token,
            main=await self._stream(main),
            sub=await self._stream(sub) if sub else None,
            snapshot_url=await self._snapshot(main),
            ptz=(await self._spaces()).limits(rest_bearing_deg) if turning else None,
        )

    async def ptz(self, profile: str, limits: PtzLimits, rest_bearing_deg: float) -> OnvifPtz:
        """`rest_bearing_deg`: where it looks, from north, when it says that its pan is 0."""
        return OnvifPtz(self._client, profile, await self._spaces(), limits, rest_bearing_deg)

    async def _profiles(self) -> list[_Profile]:
        """Those in H.264, the richest first."""
        told = await asked(self._client.get_profiles())
        profiles, others = [], set()
        for one in told[:PROFILES_MAX]:
            encoder = one.get("video_encoder") or {}
            encoding = str(encoder.get("encoding", "")).upper().replace(".", "")
            if encoding == "H264" and one.get("token"):
                pixels = int(encoder.get("width") or 0) * int(encoder.get("height") or 0)
                bits = int(encoder.get("bitrate_kbps") or 0)
                profiles.append(_Profile(str(one["token"]), pixels, bits, bool(one.get("ptz"))))
            elif encoding:
                others.add(encoding[:20])
        if not profiles:
            what = " and ".join(sorted(others)) or "no video"
            says = f"the camera offers {what}, not H.264"
            raise Broken(PictureState.UNSUPPORTED, says, "set one of its streams to H.264")
        return sorted(profiles, key=lambda one: (-one.pixels, -one.bits))

    async def _stream(self, profile: _Profile) -> StreamSource:
        told = await asked(self._client.get_stream_uri(profile_token=profile.token))
        url = _bare(told, ("rtsp", "rtsps"))
        return StreamSource(protocol="rtsps" if url.startswith("rtsps") else "rtsp", url=url)

    async def _snapshot(self, profile: _Profile) -> str:
        """Empty where it offers none."""
        try:
            told = await asked(self._client.get_snapshot_uri(profile_token=profile.token))
            return _bare(told, ("http", "https"))
        except Broken as broken:
            if broken.state in {PictureState.UNSUPPORTED, PictureState.MALFORMED}:
                return ""
            raise

    async def _spaces(self) -> Spaces:
        return spaces_of(await asked(self._client.ptz_get_nodes()))


def device_url(host: str, port: int = 80, *, tls: bool = False) -> str:
    """Where a camera's ONVIF usually is."""
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{name}:{port}{DEVICE_PATH}"


def _bare(told: str, schemes: Iterable[str]) -> str:
    """An address without the login that some cameras put in. Raises Broken MALFORMED."""
    try:
        return split_login(told, tuple(schemes))[0]
    except RowFault as fault:
        says = f"the camera names an address that is none: {fault.says}"
        raise Broken(PictureState.MALFORMED, says, "give its addresses by hand") from fault
