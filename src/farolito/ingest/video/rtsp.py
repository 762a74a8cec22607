"""RTSP 1.0 (RFC 2326): a camera's H.264 over TCP, TLS or UDP, as units in decode order.

In: a StreamSource with its login. Out: access units to `on_unit`, or Broken with the reason.
Never: another address than the guard allowed, a login to another host, more bytes than Limits say,
half a picture, a wait without an end.

Figures (2 cores, both busy; 300 cameras of 720p25 at 2 Mbit/s over TCP on loopback): 16 % of a
core, of which 8 % is to read the sockets at all; 25 % where each packet comes alone; 3 MB together.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections import deque

from farolito.codec import Broken, Figures, OnUnit
from farolito.ingest.video.rtp import Depacketizer
from farolito.ingest.video.rtp_udp import UdpPair, receiver_report
from farolito.ingest.video.rtsp_line import Limits
from farolito.ingest.video.rtsp_message import Message, session_of
from farolito.ingest.video.rtsp_talk import Offer, RtspCamera, refusal
from farolito.model import PictureState

REPORT_S = 5.0
KEEP_ALIVE_SHARE = 0.4  # of the time after which the camera ends a silent session
KEEP_ALIVE_S_MAX = 30.0
_FPS_TICKS = 5
_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})")
_UNSUPPORTED_TRANSPORT = 461


class RtspUpstream:
    """A line to a camera (codec.Upstream). `run` once."""

    def __init__(self, camera: RtspCamera) -> None:
        self._camera = camera
        self._session: _Session | None = None

    @property
    def figures(self) -> Figures:
        return self._session.figures() if self._session else Figures()

    async def run(self, on_unit: OnUnit) -> None:
        """Delivers units until it is cancelled. Raises Broken."""
        offer = await self._camera.describe()
        session = self._session = _Session(offer, on_unit, self._camera.limits)
        try:
            await session.set_up(self._camera.source.transport)
            await session.play()
            await session.watch()
        finally:
            session.close()


async def rtsp_probe(camera: RtspCamera) -> None:
    """Does the camera answer, take our login and offer H.264? No picture is asked for. Raises
    Broken."""
    offer = await camera.describe()
    offer.talk.line.close()


class _Session:
    """From SETUP to TEARDOWN."""

    def __init__(self, offer: Offer, on_unit: OnUnit, limits: Limits) -> None:
        self._offer = offer
        self._limits = limits
        self._talk, self._line, self._meter = offer.talk, offer.talk.line, offer.meter
        self._track = Depacketizer(
            offer.track.payload_type, offer.track.sets, on_unit, offer.track.clock_hz
        )
        self._name = ""
        self._udp: UdpPair | None = None
        self._report_channel = 1
        self._clock = asyncio.get_running_loop().time
        self._keep_alive_s = KEEP_ALIVE_S_MAX
        self._keep_alive = "GET_PARAMETER"
        self._tick: asyncio.TimerHandle | None = None
        self._looked_at = self._report_at = self._alive_at = 0.0
        self._silent_s = self._pictureless_s = 0.0
        self._units: deque[tuple[float, int]] = deque([(self._clock(), 0)], maxlen=_FPS_TICKS)

    def figures(self) -> Figures:
        track = self._track
        (since, before), (until, after) = self._units[0], self._units[-1]
        return Figures(
            bytes=self._meter.bytes,
            units=track.units,
            keys=track.keys,
            lost=track.lost,
            spoiled=track.spoiled,
            last_us=self._meter.last_us,
            fps=(after - before) / (until - since) if until > since else 0.0,
            key_interval_s=track.key_interval_s,
            width=track.width,
            height=track.height,
            has_b_frames=track.has_b_frames,
        )

    async def set_up(self, transport: str) -> None:
        """Over TCP or UDP as the register says; over the other where the camera wants that."""
        message = await self._set_up(transport)
        if message.status == _UNSUPPORTED_TRANSPORT:
            message = await self._set_up("udp" if transport == "tcp" else "tcp")
        if message.status != 200:
            raise refusal("SETUP", message.status)
        self._name, timeout_s = session_of(message.header("session"))
        self._keep_alive_s = min(timeout_s * KEEP_ALIVE_SHARE, KEEP_ALIVE_S_MAX)

    async def _set_up(self, transport: str) -> Message:
        if transport == "tcp":
            wanted = "RTP/AVP/TCP;unicast;interleaved=0-1"
            self._line.take(0, self._track)
        else:
            own, address = self._line.own_address(), self._talk.address
            self._udp = UdpPair(own, address, self._meter, self._line.fail)
            wanted = f"RTP/AVP;unicast;client_port={self._udp.ports[0]}-{self._udp.ports[1]}"
        message = await self._talk.ask("SETUP", self._offer.track_url, {"Transport": wanted})
        given = message.header("transport")
        if message.status != 200:
            self._close_udp()
        elif self._udp is not None:
            await self._udp.open(self._track, given)
        elif found := _INTERLEAVED.search(given):
            self._line.take(int(found[1]), self._track)
            self._report_channel = (int(found[1]) + 1) & 0xFF
        return message

    async def play(self) -> None:
        headers = {"Session": self._name, "Range": "npt=0.000-"}
        message = await self._talk.ask("PLAY", self._offer.session_url, headers)
        if message.status != 200:
            raise refusal("PLAY", message.status)

    async def watch(self) -> None:
        """Until the line ends: keeps it alive, and sees that pictures come. Raises Broken."""
        now = self._looked_at = self._clock()
        self._report_at, self._alive_at = now + REPORT_S, now + self._keep_alive_s
        self._tick = asyncio.get_running_loop().call_later(self._limits.tick_s, self._ticked)
        await self._line.ended
        assert self._line.why is not None
        raise self._line.why

    def _ticked(self) -> None:
        now, loop = self._clock(), asyncio.get_running_loop()
        self._tick = loop.call_later(self._limits.tick_s, self._ticked)
        try:
            self._look(now, now - self._looked_at)
        except Broken as broken:
            self._line.fail(broken)
        self._looked_at = now
        if now >= self._report_at:
            self._report_at = now + REPORT_S
            self._report()
        if now >= self._alive_at:
            self._alive_at = now + self._keep_alive_s
            self._stay_alive()

    def _look(self, now: float, passed_s: float) -> None:
        """Raises Broken STALLED. Where we were late ourselves, the camera is not blamed."""
        was_late = passed_s > 2 * self._limits.tick_s + 1
        has_packets = self._track.has_moved()
        has_units = self._track.units > self._units[-1][1]
        self._units.append((now, self._track.units))
        self._silent_s = 0.0 if has_packets or was_late else self._silent_s + passed_s
        self._pictureless_s = 0.0 if has_units or was_late else self._pictureless_s + passed_s
        if self._silent_s >= self._limits.stall_s:
            says = f"the camera is connected, and sends nothing for {self._limits.stall_s:g} s"
            do = "restart the camera"
            if self._udp is not None and not self._track.units:
                do = "set its transport to tcp: a firewall may stop UDP"
            raise Broken(PictureState.STALLED, says, do)
        if self._pictureless_s >= self._limits.picture_s:
            says = f"the camera sends no whole key picture for {self._limits.picture_s:g} s"
            do = "set its key frame interval (GOP, I frame) to 2 s, and look for loss on its line"
            raise Broken(PictureState.STALLED, says, do)

    def _report(self) -> None:
        if self._udp is not None:
            self._udp.report(self._track)
        else:
            report = receiver_report(self._track)
            self._line.write(struct.pack(">BBH", 0x24, self._report_channel, len(report)) + report)

    def _stay_alive(self) -> None:
        headers = {"Session": self._name}
        answer = self._talk.post(self._keep_alive, self._offer.session_url, headers)
        answer.add_done_callback(self._stayed_alive)

    def _stayed_alive(self, answer: asyncio.Future[Message]) -> None:
        """A refusal does not end the picture; where it was meant so, the picture ends itself."""
        if answer.cancelled() or answer.exception() is not None:
            return
        status = answer.result().status
        if status == 401:
            try:
                self._talk.renew(answer.result())
            except Broken:
                return
            headers = {"Session": self._name}
            self._talk.post("OPTIONS", self._offer.session_url, headers)
        elif status != 200:
            self._keep_alive = "OPTIONS"

    def close(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if self._name and self._line.why is None:
            self._talk.post("TEARDOWN", self._offer.session_url, {"Session": self._name})
        self._line.close()
        self._close_udp()

    def _close_udp(self) -> None:
        if self._udp is not None:
            self._udp.close()
            self._udp = None
