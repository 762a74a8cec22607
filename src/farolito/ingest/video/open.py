"""A line to any camera, by what its source speaks; and one key picture of it, for the sweep."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from farolito.codec import AccessUnit, Broken, Upstream
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.hls import HlsUpstream
from farolito.ingest.video.rtsp import RtspUpstream, rtsp_probe
from farolito.ingest.video.rtsp_talk import RtspCamera
from farolito.ingest.video.srt import SrtUpstream
from farolito.ingest.video.still import StillUpstream
from farolito.model import Login, PictureState, StreamSource


def open_upstream(
    source: StreamSource,
    login: Login | None,
    guard: Guard,
    *,
    now_us: Callable[[], int],
    ssl_context: ssl.SSLContext | None = None,
) -> Upstream:
    """Nothing is connected to before it runs. `ssl_context`: whose certificates are believed, of
    RTSPS; None: those that the machine believes."""
    match source.protocol:
        case "rtsp" | "rtsps":
            return RtspUpstream(RtspCamera(source, login, guard, now_us, ssl_context))
        case "hls":
            return HlsUpstream(source, login, guard, now_us)
        case "jpeg":
            return StillUpstream(source, login, guard, now_us)
        case "srt":
            return SrtUpstream(source, login, guard, now_us)


async def probe(
    source: StreamSource,
    login: Login | None,
    guard: Guard,
    *,
    ssl_context: ssl.SSLContext | None = None,
) -> None:
    """Is an RTSP camera there, and would it show its picture? None is asked for. Raises Broken."""
    await rtsp_probe(RtspCamera(source, login, guard, lambda: 0, ssl_context))


async def one_key_unit(upstream: Upstream, timeout_s: float) -> AccessUnit:
    """Runs a line until it gave its first key picture, then ends it. Raises Broken."""
    found: asyncio.Future[AccessUnit] = asyncio.get_running_loop().create_future()

    def take(unit: AccessUnit) -> None:
        if unit.is_key and not found.done():
            found.set_result(unit)

    running = asyncio.ensure_future(upstream.run(take))
    either: list[asyncio.Future[Any]] = [found, running]
    try:
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if found.done():
            return found.result()
        if running.done():
            await running  # raises why it ended
    finally:
        running.cancel()
        await asyncio.wait([running])
    raise Broken(
        PictureState.STALLED,
        f"the camera showed no key picture within {timeout_s:g} s",
        "set its key frame interval (GOP, I frame) to 2 s",
    )
