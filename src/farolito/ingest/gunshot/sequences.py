"""Which messages of a sensor are new, told before, or replayed by somebody.

Messages may overtake each other a little (a clip takes longer than a pulse), so what counts is
not that the sequence grows from one to the next, but that no number is taken twice and none from
before the window. Of a message taken in, a digest is kept as long as it is in the window: the
same bytes again are a sender that did not get our answer.
"""

from __future__ import annotations

from enum import Enum, auto

from farolito.ingest.gunshot.envelope import Head
from farolito.model import DeviceId, GunshotSensor, Rejected

WINDOW = 64  # messages back from the newest; an older one is refused as `replayed`
BOOT_AHEAD_S_MAX = 86_400  # a boot later than tomorrow would lock the sensor out of its own future


class Verdict(Enum):
    NEW = auto()
    TOLD_BEFORE = auto()
    IN_FLIGHT = auto()  # the same message is being taken in at this moment


class _Sensor:
    """`floor`: up to where everything was taken in before this process knew the sensor."""

    def __init__(self, known: GunshotSensor) -> None:
        self.public_key = known.public_key
        self.boot = known.boot
        self.highest = known.sequence
        self.floor = known.sequence
        self.taken: dict[int, bytes] = {}
        self.in_flight: dict[tuple[int, int], bytes] = {}


class Sequences:
    """Told of what was taken in, and asked whether a message may be. No clock, no disk."""

    def __init__(self) -> None:
        self._sensors: dict[DeviceId, _Sensor] = {}

    def judge(self, head: Head, digest: bytes, known: GunshotSensor, now_s: float) -> Verdict:
        """Of a message that its sensor signed. A NEW one must be ended with `taken` or `let_go`.

        `known`: as the store has it, for a sensor not heard since the start, or registered with
        another key since. Raises Rejected: `replayed` (409), `bad_boot`.
        """
        name = DeviceId(head.sensor)
        sensor = self._sensors.get(name)
        if sensor is None or sensor.public_key != known.public_key:
            sensor = self._sensors[name] = _Sensor(known)
        if head.boot > now_s + BOOT_AHEAD_S_MAX:
            do = "count starts, or wait for the time by GPS before the first message"
            raise Rejected("bad_boot", "a start later than tomorrow", do)
        under_way = sensor.in_flight.get((head.boot, head.sequence))
        if under_way is not None:
            if under_way == digest:
                return Verdict.IN_FLIGHT
            raise _replayed(sensor)
        if head.boot < sensor.boot:
            raise _replayed(sensor)
        if head.boot == sensor.boot:
            verdict = _within(sensor, head.sequence, digest)
            if verdict is Verdict.TOLD_BEFORE:
                return verdict
        sensor.in_flight[head.boot, head.sequence] = digest
        return Verdict.NEW

    def taken(self, head: Head) -> None:
        """It is durable: from now on it is a repeat."""
        sensor = self._sensors[DeviceId(head.sensor)]
        digest = sensor.in_flight.pop((head.boot, head.sequence), None)
        if digest is None or head.boot < sensor.boot:
            return  # overtaken by a new key, or by the first message after a start
        if head.boot > sensor.boot:
            sensor.boot, sensor.highest, sensor.floor = head.boot, head.sequence, -1
            sensor.taken = {}
        sensor.taken[head.sequence] = digest
        sensor.highest = max(sensor.highest, head.sequence)
        oldest = sensor.highest - WINDOW
        for sequence in [number for number in sensor.taken if number <= oldest]:
            del sensor.taken[sequence]

    def let_go(self, head: Head) -> None:
        """It was not taken in: it may come again."""
        self._sensors[DeviceId(head.sensor)].in_flight.pop((head.boot, head.sequence), None)

    def newest(self, sensor: DeviceId) -> tuple[int, int]:
        """Boot and sequence, to be kept."""
        known = self._sensors[sensor]
        return known.boot, known.highest


def _within(sensor: _Sensor, sequence: int, digest: bytes) -> Verdict:
    before = sensor.taken.get(sequence)
    if before is not None:
        if before == digest:
            return Verdict.TOLD_BEFORE
        raise _replayed(sensor)
    # The newest one before a restart of ours: its digest is gone, and its sender may not have got
    # our answer.
    if sequence == sensor.floor and sensor.highest == sensor.floor and sensor.boot > 0:
        return Verdict.TOLD_BEFORE
    if sequence <= max(sensor.floor, sensor.highest - WINDOW):
        raise _replayed(sensor)
    return Verdict.NEW


def _replayed(sensor: _Sensor) -> Rejected:
    says = f"a number that was used before: the newest is {sensor.boot} {sensor.highest}"
    return Rejected("replayed", says, "count on from there, or start with a larger boot", 409)
