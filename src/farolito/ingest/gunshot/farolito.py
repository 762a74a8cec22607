"""The messages of our own sensors: JSON of wire.py into impulses, a report, a clip.

Cost: a message of ten pulses takes about 40 µs here and its signature 100 µs; a hundred sensors
that all hear one string at once are a hundred messages, 15 ms.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, cast

import msgspec

from farolito.ingest.gunshot import wire
from farolito.ingest.gunshot.clip import read_clip
from farolito.ingest.gunshot.decoded import Heard, RejectedPart, part
from farolito.ingest.gunshot.json_text import json_value
from farolito.model import (
    Device,
    Impulse,
    ImpulseId,
    Invalid,
    Point,
    Rejected,
    SensorReport,
    SoundClip,
)
from farolito.model.ids import digest_ids

NAME: Final = "farolito"
AHEAD_S_MAX = 1.0  # an onset further ahead of its arrival is refused as `future`
AGE_S_MAX = 30.0  # an older one is refused as `stale`,
LATE_S_MAX = 120.0  # but up to this age taken from a sensor that says that it was cut off

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_FINE = re.compile(r"\.[0-9]{4,}")
_YEARS = range(2000, 2100)
_MESSAGE = msgspec.json.Decoder(wire.Parts)
_PULSE = msgspec.json.Decoder(wire.Pulse)
_HEARTBEAT = msgspec.json.Decoder(wire.Heartbeat)
_CLIP = msgspec.json.Decoder(wire.Clip)
_NOTHING = (b"", b"null")


def decode(body: bytes, device: Device, received_at: datetime) -> Heard:
    """The message's content. Raises Rejected, and nothing else whatever the bytes.

    A bad part takes only itself; a message of which nothing is left is bad itself.
    """
    message = json_value(_MESSAGE, body)
    if len(message.pulses) > wire.PULSES_MAX:
        do = f"send at most {wire.PULSES_MAX} at once"
        raise Rejected("too_many", f"{len(message.pulses)} pulses in a message", do, 413)
    ears = _Ears(device, received_at, message.late)
    for item, raw in enumerate(message.pulses):
        ears.attempt(f"pulse {item}", lambda raw=raw: ears.pulse(raw))  # type: ignore[misc]
    if bytes(message.heartbeat) not in _NOTHING:
        ears.attempt("heartbeat", lambda: ears.report(json_value(_HEARTBEAT, message.heartbeat)))
    if bytes(message.clip) not in _NOTHING:
        ears.attempt("clip", lambda: ears.clip(json_value(_CLIP, message.clip)))
    return ears.heard()


class _Ears:
    """Makes the values of one message."""

    def __init__(self, device: Device, received_at: datetime, late: bool) -> None:
        self.device = device
        self.received_at = received_at
        self.says_late = late
        self.late = 0
        self.impulses: dict[ImpulseId, Impulse] = {}
        self.reports: list[SensorReport] = []
        self.clips: list[SoundClip] = []
        self.sounds: dict[str, bytes] = {}
        self.answers: dict[int, str] = {}
        self.errors: list[Rejected] = []
        self.rejected: list[RejectedPart] = []
        ids = digest_ids(device.agency, device.device_id)
        self._impulse_id = cast("Callable[[int, str], ImpulseId]", ids)

    def attempt(self, name: str, make: Callable[[], None]) -> None:
        try:
            make()
        except Rejected as why:
            self.errors.append(why)
            self.rejected.append(part(name, why))

    def heard(self) -> Heard:
        if self.errors and not (self.impulses or self.reports or self.clips):
            raise self.errors[0]
        return Heard(
            impulses=tuple(self.impulses.values()),
            reports=tuple(self.reports),
            clips=tuple(self.clips),
            sounds=self.sounds,
            answers=self.answers,
            rejected=tuple(self.rejected),
            late=self.late,
        )

    def pulse(self, raw: msgspec.Raw) -> None:
        told = json_value(_PULSE, raw)
        onset_at = _moment(told.at, fine=True)
        is_late = self._believed(onset_at)
        onset_us = (onset_at - _EPOCH) // _US
        impulse_id = self._impulse_id(onset_us // 1000, str(onset_us))
        if impulse_id in self.impulses:
            raise Rejected("told_twice", "two pulses of one onset", "tell each once")
        self.late += is_late
        self.impulses[impulse_id] = Impulse(
            impulse_id=impulse_id,
            agency=self.device.agency,
            sensor=self.device.device_id,
            onset_at=onset_at,
            received_at=self.received_at,
            level_db=told.level_db,
            snr_db=told.snr_db,
            bands_db=told.bands_db or (),
            rise_ms=told.rise_ms,
            decay_ms=told.decay_ms,
        )

    def _believed(self, onset_at: datetime) -> bool:
        """Whether it is late. Raises Rejected `future` or `stale`."""
        age_s = (self.received_at - onset_at).total_seconds()
        if age_s < -AHEAD_S_MAX:
            says = f"an onset {-age_s:.1f} s ahead of its arrival"
            raise Rejected("future", says, "set the sensor's clock by GPS")
        if age_s > (LATE_S_MAX if self.says_late else AGE_S_MAX):
            do = (
                f"a sensor that was cut off says late, up to {LATE_S_MAX:.0f} s; else set its clock"
            )
            raise Rejected("stale", f"an onset {age_s:.1f} s before its arrival", do)
        return age_s > AGE_S_MAX

    def report(self, told: wire.Heartbeat) -> None:
        """Its time may be wrong: that is what somebody should see."""
        self.reports.append(
            SensorReport(
                agency=self.device.agency,
                sensor=self.device.device_id,
                at=_moment(told.at),
                received_at=self.received_at,
                clock_error_s=told.clock_error_s,
                clock_source=told.clock_source,
                noise_db=told.noise_db,
                temperature_c=told.temperature_c,
                wind_mps=told.wind_mps,
                wind_from_deg=told.wind_from_deg,
                place=_place(told),
                place_error_m=told.place_error_m,
                uptime_s=told.uptime_s,
                dropped=told.dropped,
                version="".join(c for c in told.version if c.isprintable()),
            )
        )

    def clip(self, told: wire.Clip) -> None:
        wav = read_clip(told.wav)
        name = sha256(wav.raw).hexdigest()
        self.clips.append(
            SoundClip(
                sensor=self.device.device_id,
                sha256=name,
                starts_at=_moment(told.starts_at, fine=True),
                seconds=wav.seconds,
                rate_hz=wav.rate_hz,
            )
        )
        self.sounds[name] = wav.raw
        self.answers[told.want] = name


def _place(told: wire.Heartbeat) -> Point | None:
    """None where the GPS knows none, which it says by leaving it out or by 0, 0."""
    if told.lat is None or told.lon is None:
        return None
    try:
        return Point(told.lat, told.lon)
    except Invalid:
        return None


def _moment(told: int | str, *, fine: bool = False) -> datetime:
    """UTC. Raises Rejected `bad_time`, or `coarse_time` where 0.1 ms cannot be told."""
    do = "send µs since 1970, or ISO 8601 with a zone and four decimals or more"
    try:
        if isinstance(told, int):
            at = _EPOCH + timedelta(microseconds=told)
        else:
            at = datetime.fromisoformat(told)
            if at.tzinfo is None:
                raise Rejected("bad_time", "a time without a zone", do)
            if fine and not _FINE.search(told):
                raise Rejected("coarse_time", "an onset that is not told to 0.1 ms", do)
            at = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Rejected("bad_time", "a time that is none", do) from error
    if at.year not in _YEARS:
        raise Rejected("bad_time", "a time of another century", "set the sensor's clock by GPS")
    return at
