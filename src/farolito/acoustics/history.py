"""What is known of each sensor: signs of life, rates, and how it heard the sources others heard.

`Watch` keeps it from what passes by; `trust.judge` makes a standing of it. A source teaches only
when it is sure and settled, ten seconds after its last round.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import msgspec
import numpy as np

from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Net, Pulse
from farolito.acoustics.source import Source
from farolito.geo import Plane
from farolito.model.impulse import SensorReport

BEATS_KEPT = 5
BEAT_GAP_S = 90.0  # heartbeats farther apart are not in a row
PULSES_KEPT = 20_000  # of one sensor; the oldest go first
KEPT_S = 300.0  # pulses, and rates
BUCKET_S = 10.0
RATE_S = 60.0
SETTLED_S = 10.0  # after its last round a source is no longer revised
SURE = 0.9
EARS_MIN = 6  # a source that fewer heard does not judge the others
CHANCE_MIN = 0.3  # where a sensor was less likely to hear, its silence says nothing
SOURCES_KEPT = 40
OFFSET_MAX_S = 0.75
OFFSETS_KEPT = 24
HEARD_S = 0.060  # a pulse so near to its expected arrival was the source's
ECHO_S = 1.0
STRAYS_PER_S, STRAYS_WEIGHT_S = 0.05, 120.0  # prior: as if seen for two minutes
STRAYS_FORGET_S = 900.0
STRAYS_LOW, STRAYS_HIGH = 0.005, 3.0
HEARS_WEIGHT, HEARS_FORGET = 5.0, 0.98
HEARS_LOW, HEARS_HIGH = 0.05, 1.15


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat in the net's plane. `at_s`: when it arrived; `ahead_s`: its clock's time at
    sending beyond that, at most what its clock is ahead."""

    sensor: str
    at_s: float
    ahead_s: float = 0.0
    clock_error_s: float | None = None
    clock_source: str = "none"
    x_m: float | None = None
    y_m: float | None = None
    place_error_m: float | None = None

    @classmethod
    def of(cls, report: SensorReport, plane: Plane) -> Beat:
        x_m, y_m = (None, None)
        if report.place is not None:
            x_m, y_m = plane.to_m((report.place.lat, report.place.lon))
        return cls(
            sensor=str(report.sensor),
            at_s=report.received_at.timestamp(),
            ahead_s=max(0.0, (report.at - report.received_at).total_seconds()),
            clock_error_s=report.clock_error_s,
            clock_source=report.clock_source,
            x_m=x_m,
            y_m=y_m,
            place_error_m=report.place_error_m,
        )


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """A source that a sensor was to hear with chance `p`: where, whether it did, and by how much
    its pulses about that time miss the arrivals (s, late is positive)."""

    x_m: float
    y_m: float
    sound_mps: float
    p: float
    was_heard: bool
    offsets_s: tuple[float, ...] = ()


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor, as far as it is known. Times in s, rates a second. `ahead_s`: the most its
    times ran ahead of their arrival in the last minutes; `busiest_per_s`: its busiest minute of
    the last five; `locked_at_s`: when it last had GPS or network time."""

    sensor: str
    x_m: float
    y_m: float
    heard_at_s: float | None = None
    beats: tuple[Beat, ...] = ()
    beats_in_a_row: int = 0
    locked_at_s: float | None = None
    ahead_s: float = 0.0
    pulses_per_s: float = 0.0
    busiest_per_s: float = 0.0
    strays_per_s: float = STRAYS_PER_S
    hears: float = 1.0
    expected: tuple[Expected, ...] = ()

    @property
    def last_beat(self) -> Beat | None:
        return self.beats[-1] if self.beats else None


class _Known:
    """The accumulations of one sensor."""

    def __init__(self) -> None:
        self.heard_at_s: float | None = None
        self.beats: deque[Beat] = deque(maxlen=BEATS_KEPT)
        self.in_a_row = 0
        self.locked_at_s: float | None = None
        self.ahead: deque[tuple[float, float]] = deque(maxlen=100)
        self.pulses: deque[Pulse] = deque(maxlen=PULSES_KEPT)
        self.buckets: dict[int, int] = {}
        self.expected: deque[Expected] = deque(maxlen=SOURCES_KEPT)
        self.strays, self.strays_s, self.strays_at_s = 0.0, 0.0, None
        self.heard, self.hoped = 0.0, 0.0

    strays_at_s: float | None


class Watch:
    """Keeps the history of every registered sensor. The clock is the caller's."""

    def __init__(self, net: Net, deployment: Deployment | None = None) -> None:
        self.net = net
        self.deployment = deployment or Deployment()
        self._known: dict[str, _Known] = {sensor.name: _Known() for sensor in net.sensors}
        self._sources: dict[int, Source] = {}  # by track, not settled yet
        self._used: dict[tuple[str, str], float] = {}  # pulses that belong to a source

    def register(self, net: Net) -> None:
        """Another net: who stays keeps its history, unless it was moved."""
        moved = {
            sensor.name
            for sensor in net.sensors
            if sensor.name in self.net.index
            and math.hypot(
                sensor.x_m - self.net.x_m[self.net.index[sensor.name]],
                sensor.y_m - self.net.y_m[self.net.index[sensor.name]],
            )
            > 1.0
        }
        for name in moved:
            self._known[name].expected.clear()
        self._known = {s.name: self._known.get(s.name) or _Known() for s in net.sensors}
        self.net = net

    def beat(self, beat: Beat) -> None:
        known = self._known.get(beat.sensor)
        if known is None:
            return
        last = known.beats[-1] if known.beats else None
        in_time = last is not None and beat.at_s - last.at_s <= BEAT_GAP_S
        known.in_a_row = known.in_a_row + 1 if in_time else 1
        known.beats.append(beat)
        known.heard_at_s = max(known.heard_at_s or beat.at_s, beat.at_s)
        known.ahead.append((beat.at_s, beat.ahead_s))
        if beat.clock_source != "none" or known.locked_at_s is None:
            known.locked_at_s = beat.at_s

    def hear(self, pulses: Iterable[Pulse], received_at_s: float) -> None:
        """Pulses as they came in, those of sensors set aside too: they show when one is well
        again."""
        for pulse in pulses:
            known = self._known.get(pulse.sensor)
            if known is None:
                continue
            known.pulses.append(pulse)
            known.heard_at_s = max(known.heard_at_s or received_at_s, received_at_s)
            bucket = int(received_at_s // BUCKET_S)
            known.buckets[bucket] = known.buckets.get(bucket, 0) + 1
            if pulse.at_s > received_at_s:
                known.ahead.append((received_at_s, pulse.at_s - received_at_s))

    def source(self, source: Source) -> None:
        """A source in its newest revision; the last one before it settles teaches."""
        self._sources[source.track] = source

    def histories(self, now_s: float) -> list[History]:
        """Every sensor's history, in the net's order, after learning what has settled."""
        self._learn(now_s)
        return [
            self._history(sensor.name, sensor.x_m, sensor.y_m, now_s) for sensor in self.net.sensors
        ]

    def _learn(self, now_s: float) -> None:
        settled = [s for s in self._sources.values() if now_s - s.rounds[-1].at_s > SETTLED_S]
        for source in settled:
            del self._sources[source.track]
            for ear in source.ears:
                for pulse_id in ear.pulses:
                    self._used[ear.sensor, pulse_id] = now_s
            if source.probability >= SURE and len(source.ears) >= EARS_MIN:
                self._teach(source)
        for name, known in self._known.items():
            self._count_strays(name, known, now_s - SETTLED_S - ECHO_S)
            while known.pulses and now_s - known.pulses[0].at_s > KEPT_S:
                known.pulses.popleft()
            oldest = int((now_s - KEPT_S) // BUCKET_S)
            known.buckets = {at: n for at, n in known.buckets.items() if at >= oldest}
        if len(self._used) > PULSES_KEPT:
            self._used = {k: at for k, at in self._used.items() if now_s - at < KEPT_S}

    def _teach(self, source: Source) -> None:
        place, ears = source.place, {ear.sensor for ear in source.ears}
        metres = np.hypot(self.net.x_m - place.x_m, self.net.y_m - place.y_m)
        for at, sensor in enumerate(self.net.sensors):
            p = self.deployment.hears(float(metres[at]))
            if p < CHANCE_MIN:
                continue
            known = self._known[sensor.name]
            along = 0.0
            if metres[at] > 1.0:
                east = (sensor.x_m - place.x_m) / metres[at]
                north = (sensor.y_m - place.y_m) / metres[at]
                along = source.wind_x_mps * east + source.wind_y_mps * north
            sound_mps = (source.sound_mps or 340.0) + float(along)
            travel_s = float(metres[at]) / sound_mps
            offsets = _offsets([p.at_s for p in known.pulses], source, travel_s)
            heard = sensor.name in ears or any(abs(offset) <= HEARD_S for offset in offsets)
            known.expected.append(
                Expected(
                    x_m=place.x_m,
                    y_m=place.y_m,
                    sound_mps=sound_mps,
                    p=p,
                    was_heard=heard,
                    offsets_s=offsets,
                )
            )
            known.heard = HEARS_FORGET * known.heard + heard
            known.hoped = HEARS_FORGET * known.hoped + p

    def _count_strays(self, name: str, known: _Known, until_s: float) -> None:
        """Counts the pulses up to then that belong to no source and are no echo of one."""
        since_s = known.strays_at_s
        known.strays_at_s = until_s
        if since_s is None or until_s <= since_s:
            return
        strays, busy_until = 0, -math.inf
        # Pulses come in nearly, not wholly, in order of time.
        for pulse in sorted(known.pulses, key=lambda one: one.at_s):
            if pulse.at_s <= since_s - ECHO_S:
                continue
            if (name, pulse.pulse_id) in self._used:
                busy_until = pulse.at_s + ECHO_S
            elif since_s < pulse.at_s <= until_s and pulse.at_s > busy_until:
                strays += 1
        fade = math.exp(-(until_s - since_s) / STRAYS_FORGET_S)
        known.strays = fade * known.strays + strays
        known.strays_s = fade * known.strays_s + (until_s - since_s)

    def _history(self, name: str, x_m: float, y_m: float, now_s: float) -> History:
        known = self._known[name]
        bucket = int(now_s // BUCKET_S)
        span = int(RATE_S // BUCKET_S)
        counts = [known.buckets.get(bucket - back, 0) for back in range(int(KEPT_S // BUCKET_S))]
        minutes = [sum(counts[at : at + span]) / RATE_S for at in range(len(counts) - span + 1)]
        strays = (STRAYS_PER_S * STRAYS_WEIGHT_S + known.strays) / (
            STRAYS_WEIGHT_S + known.strays_s
        )
        hears = (HEARS_WEIGHT + known.heard) / (HEARS_WEIGHT + known.hoped)
        return History(
            sensor=name,
            x_m=x_m,
            y_m=y_m,
            heard_at_s=known.heard_at_s,
            beats=tuple(known.beats),
            beats_in_a_row=known.in_a_row,
            locked_at_s=known.locked_at_s,
            ahead_s=max((by for at, by in known.ahead if now_s - at < KEPT_S), default=0.0),
            pulses_per_s=minutes[0],
            busiest_per_s=max(minutes),
            strays_per_s=min(STRAYS_HIGH, max(STRAYS_LOW, strays)),
            hears=min(HEARS_HIGH, max(HEARS_LOW, hears)),
            expected=tuple(known.expected),
        )


def _offsets(pulses_s: list[float], source: Source, travel_s: float) -> tuple[float, ...]:
    """By how much each pulse about that time misses the arrival of each round, smallest first."""
    misses = [
        pulse_s - (one.at_s + travel_s)
        for one in source.rounds
        for pulse_s in pulses_s
        if abs(pulse_s - one.at_s - travel_s) <= OFFSET_MAX_S
    ]
    return tuple(sorted(misses, key=abs)[:OFFSETS_KEPT])
