"""What the sensor hears: pieces of sound become pulses, and for a want a clip, or a refusal."""

from __future__ import annotations

import base64
from collections import Counter, deque
from collections.abc import Iterable

import msgspec

from farolito.acoustics.onset import Onset, StreamPicker
from farolito.acoustics.wav import Recording, encode_wav
from farolito.ingest.gunshot.sensor.clip import (
    NOISE_S,
    TAIL_S,
    Window,
    is_impulse,
    rate_of,
    released,
)
from farolito.ingest.gunshot.sensor.ring import RING_S, SoundRing
from farolito.ingest.gunshot.sensor.sources import Piece
from farolito.ingest.gunshot.sensor.timeline import Timeline
from farolito.ingest.gunshot.wire import CLIP_S_MAX, Clip, Pulse, Want

TOLD_MAX = 1_000  # onsets remembered for wants; the ring forgets their sound sooner
AFTER_S = 0.25  # of sound after the end of a window, to judge what is in it
DECIBEL_MIN = -100.0  # as low as the wire goes


class Heard(msgspec.Struct, frozen=True):
    """A pulse on its way, with what a clip of it needs. `at_s`: when, seconds since 1970;
    `stream`: which of the sensor's streams."""

    pulse: Pulse
    at_s: float
    onset: Onset
    stream: int


class NotGiven(msgspec.Struct, frozen=True):
    """No clip. `reason`: `not_told`, `forgotten`, `not_yet`, `no_impulse`, `switched_off`."""

    reason: str


class Ears:
    """One channel of sound. Forgets everything when a new stream begins."""

    def __init__(self, full_scale_db: float | None = None, *, clips: bool = True) -> None:
        self._full_scale_db = full_scale_db
        self._clips = clips
        self._stream = 0
        self._picker: StreamPicker | None = None
        self._ring: SoundRing | None = None
        self._timeline: Timeline | None = None
        self._told: deque[Heard] = deque(maxlen=TOLD_MAX)
        self.refused: Counter[str] = Counter()

    @property
    def noise_db(self) -> float | None:
        """dB SPL; None for a sensor that nobody calibrated."""
        level = None if self._picker is None else self._picker.noise_db
        return None if level is None or self._full_scale_db is None else level + self._full_scale_db

    @property
    def timing_error_s(self) -> float:
        return 0.0 if self._timeline is None else self._timeline.error_s

    def hear(self, piece: Piece) -> list[Heard]:
        """The onsets that are certain now."""
        if piece.is_first or self._picker is None or self._ring is None:
            self._begin(piece)
        assert self._picker is not None
        assert self._ring is not None
        self._timeline = piece.timeline
        self._ring.add(piece.samples)
        return [self._heard(onset) for onset in self._picker.hear(piece.samples)]

    def end(self) -> list[Heard]:
        """The stream is over: what was waiting for later sound."""
        if self._picker is None:
            return []
        picker, self._picker = self._picker, None
        return [self._heard(onset) for onset in picker.end()]

    def told(self, heard: Iterable[Heard]) -> None:
        """The node has these: clips of them may be asked for."""
        self._told.extend(heard)

    def clip(self, want: Want, now_s: float) -> Clip | NotGiven:
        """The sound that is wanted, or why not; each refusal but `not_yet` is counted."""
        given = self._clip(want, now_s)
        if isinstance(given, NotGiven) and given.reason != "not_yet":
            self.refused[given.reason] += 1
        return given

    def _begin(self, piece: Piece) -> None:
        self._stream += 1
        self._picker = StreamPicker(piece.rate_hz)
        if self._ring is not None:
            self._ring.clear()
        self._ring = SoundRing(piece.rate_hz)

    def _heard(self, onset: Onset) -> Heard:
        assert self._timeline is not None
        at_s = self._timeline.at_s(onset.at_sample)
        base = self._full_scale_db
        pulse = Pulse(
            at=round(at_s * 1e6),
            level_db=None if base is None else onset.level_db + base,
            snr_db=onset.snr_db,
            bands_db=tuple(max(level + (base or 0.0), DECIBEL_MIN) for level in onset.bands_db),
            rise_ms=onset.rise_ms,
            decay_ms=onset.decay_ms,
        )
        return Heard(pulse, at_s, onset, self._stream)

    def _clip(self, want: Want, now_s: float) -> Clip | NotGiven:
        if not self._clips:
            return NotGiven("switched_off")
        if self._ring is None or self._timeline is None:
            return NotGiven("not_told")
        from_s = want.from_us / 1e6
        seconds = min(want.seconds, CLIP_S_MAX)
        if from_s + seconds < now_s - RING_S:
            return NotGiven("forgotten")
        rate = self._ring_rate
        start = round(self._timeline.sample_at(from_s))
        end = start + int(seconds * rate)
        onsets = [
            h.onset
            for h in self._told
            if h.stream == self._stream and start - TAIL_S * rate <= h.onset.at_sample < end
        ]
        if not any(start <= onset.at_sample for onset in onsets):
            return NotGiven("not_told")
        if self._ring.until < end + AFTER_S * rate and self._picker is not None:
            return NotGiven("not_yet")
        return self._cut(want, start, end, onsets)

    def _cut(self, want: Want, start: int, end: int, onsets: list[Onset]) -> Clip | NotGiven:
        assert self._ring is not None
        assert self._timeline is not None
        rate = self._ring_rate
        first = max(0, round(start - (TAIL_S + NOISE_S + AFTER_S) * rate), self._ring.since)
        last = min(round(end + AFTER_S * rate), self._ring.until)
        if first > start:
            return NotGiven("forgotten")
        sound = self._ring.take(first, last)
        if sound is None:
            return NotGiven("forgotten")
        window = Window(start, min(end, last), sound, first, rate)
        left = released(window, [onset.at_sample for onset in onsets if is_impulse(onset)])
        if left is None:
            return NotGiven("no_impulse")
        samples, begins = left
        wav = encode_wav(Recording(samples, rate_of(rate)))
        starts_us = round(self._timeline.at_s(begins) * 1e6)
        return Clip(want=want.want, starts_at=starts_us, wav=base64.b64encode(wav).decode())

    @property
    def _ring_rate(self) -> int:
        assert self._ring is not None
        return self._ring.rate_hz
