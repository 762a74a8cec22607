"""What the doors do with sealed messages: who signed, is it new, what does it say, is it durable.

The same over HTTP and MQTT. A message is answered "accepted" when the bus has it on disk and the
store knows its number, so that it can neither be lost nor played again, whenever the node falls.
The bus itself takes a message of one name once in two minutes, and no pulse is believed that is
older: what was taken in just before a fall and comes again is still one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import msgspec

from farolito.bus import BusDown, SoundBatch
from farolito.ingest.gunshot import farolito, wire
from farolito.ingest.gunshot.decoded import Heard, RejectedPart, part
from farolito.ingest.gunshot.envelope import Says, Sealed, open_sealed
from farolito.ingest.gunshot.flood import Flood
from farolito.ingest.gunshot.json_text import json_value
from farolito.ingest.gunshot.sequences import Sequences, Verdict
from farolito.ingest.gunshot.together import Together
from farolito.ingest.gunshot.wants import Wants
from farolito.model import Device, DeviceId, GunshotSensor, Rejected, SensorMark

NAME = farolito.NAME
NOT_NOW_S = 60.0  # a poll for wants that was signed longer ago, or so far ahead, is refused
ALARMS = frozenset({"replayed", "flood", "stale", "future", "bad_boot"})

Publish = Callable[[SoundBatch], Awaitable[None]]
SensorFor = Callable[[DeviceId], Awaitable[GunshotSensor | None]]
Keep = Callable[[Sequence[SensorMark]], Awaitable[None]]
Alarm = Callable[[DeviceId, str, str, datetime], None]
Answer = tuple[int, dict[str, Any]]

_asked = msgspec.json.Decoder(wire.WantsAsked)


class Watch(Protocol):
    """Where is told what happened; counting and keeping are the app's."""

    def heard(self, device: Device, format_: str, reads: int, at: datetime) -> None: ...

    def rejected(
        self, device: Device | None, format_: str, why: Rejected, body: bytes, at: datetime
    ) -> None: ...


class SensorDoor:
    """`publish` returns when a batch is on disk, `keep` when marks are. `away`: what looking up
    and keeping raise while the store is not there: sound goes in all the same from sensors that
    were heard before, and their marks are kept with the next ones. `alarm` is told of what is
    wrong in a message that its sensor signed: sensor, reason, words, time. `replayed` is not the
    sensor's fault: somebody else may have copied its message."""

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        publish: Publish,
        sensor_for: SensorFor,
        keep: Keep,
        watch: Watch,
        wants: Wants,
        *,
        away: tuple[type[Exception], ...] = (),
        alarm: Alarm = lambda sensor, reason, says, at: None,
        flood: Flood | None = None,
    ) -> None:
        self._publish = publish
        self._sensor_for = sensor_for
        self._keep = keep
        self._watch = watch
        self.wants = wants
        self._away = away
        self._alarm = alarm
        self._flood = flood or Flood()
        self._sequences = Sequences()
        self._marks = Together(self._keep_marks)
        self._unkept: dict[DeviceId, SensorMark] = {}
        self._known: dict[DeviceId, GunshotSensor] = {}

    async def close(self) -> None:
        """Answers who waits, and returns when every mark is kept."""
        self.wants.wake()
        await self._marks.close()

    async def hear(self, sealed: bytes, at: datetime, named: str | None = None) -> Answer:
        """One message, from whichever transport: HTTP status and answer. `named`: the sensor that
        the transport itself names (an MQTT topic), which must be the one that signed."""
        device: Device | None = None
        try:
            opened = open_sealed(sealed)
            sensor = await self._signed_by(opened, Says.SOUND)
            device = sensor.device
            if named is not None and named != opened.head.sensor:
                do = "publish to the topic of your own name"
                raise Rejected("wrong_topic", "a message in another sensor's topic", do, 403)
            digest = sha256(sealed).digest()
            verdict = self._sequences.judge(opened.head, digest, sensor, at.timestamp())
        except Rejected as why:
            return self._refused(device, why, sealed, at)
        except self._away:
            return _come_again("store_away", "the records are away: nobody knows who signed this")
        if verdict is Verdict.IN_FLIGHT:
            return _come_again("in_flight", "this message is being taken in at this moment")
        if verdict is Verdict.TOLD_BEFORE:
            # Not a sign of life: whoever copied it can send it as well.
            return 202, {"accepted": 0, "known": True, **self._wanted(device)}
        try:
            return await self._take(opened, sensor, sealed, at)
        finally:
            self._sequences.let_go(opened.head)

    async def wait(self, header: str, at: datetime, seconds: float) -> Answer:
        """What is wanted of a sensor, as soon as something is. `header`: a sealed farolito-wants
        in base64."""
        device: Device | None = None
        try:
            try:
                opened = open_sealed(base64.b64decode(header, validate=True))
            except (binascii.Error, ValueError) as error:
                do = "seal farolito-wants, and put it in X-Farolito-Sealed in base64"
                raise Rejected("not_sealed", "a poll that is not signed", do, 401) from error
            sensor = await self._signed_by(opened, Says.WANTS)
            device = sensor.device
            if abs(at.timestamp() - opened.head.sent_us / 1e6) > NOT_NOW_S:
                do = "set the sensor's clock by GPS, and sign each poll anew"
                raise Rejected("not_now", "a poll from another time", do, 401)
            after = json_value(_asked, opened.body).after
            found = await self.wants.held(device.device_id, after, seconds)
        except Rejected as why:
            return self._refused(device, why, b"", at)
        except self._away:
            return _come_again("store_away", "the records are away: nobody knows who signed this")
        return 200, {"wants": found}

    async def _signed_by(self, opened: Sealed, says: Says) -> GunshotSensor:
        """Raises Rejected: `unknown_sensor`, `wrong_signature`, `wrong_door`."""
        name = DeviceId(opened.head.sensor)
        try:
            sensor = await self._sensor_for(name)
        except self._away:
            sensor = self._known.get(name)
            if sensor is None:
                raise
        if sensor is None:
            self._known.pop(name, None)
            do = f"farolito reader add {name} --kind gunshot_sensor --public-key …"
            raise Rejected("unknown_sensor", "a sensor that is not registered", do, 401)
        opened.check(sensor.public_key)
        self._known[name] = sensor
        if sensor.device.kind != "gunshot_sensor":
            raise Rejected("wrong_door", f"the key of a {sensor.device.kind}", "", 403)
        if opened.head.says is not says:
            raise Rejected("wrong_door", f"a {opened.head.says} message", f"send {says} here", 403)
        return sensor

    async def _take(
        self, opened: Sealed, sensor: GunshotSensor, sealed: bytes, at: datetime
    ) -> Answer:
        """A new message. It is `taken` once the bus has it, and only then."""
        device, name = sensor.device, sensor.device.device_id
        try:
            heard = self._only_asked(name, farolito.decode(opened.body, device, at))
            if not self._flood.may(name, len(heard.impulses), at.timestamp()):
                do = "see why it hears so much, or set it aside"
                raise Rejected("flood", "more pulses than a sensor can hear", do, 429)
            if not heard.is_empty:
                await self._publish(_batch(heard, sealed))
        except Rejected as why:
            return self._refused(device, why, sealed, at)
        except BusDown as why:
            return _come_again("bus_down", why.says)
        self._sequences.taken(opened.head)
        for want in heard.answers:
            self.wants.met(name, want)
        await self._marks.put(self._mark(opened, heard, at))
        self._watch.heard(device, NAME, len(heard.impulses), at)
        for one in heard.rejected:
            self._tell(device, Rejected(one.reason, one.says, one.do), b"", at)
        return 202, self._accepted(device, heard)

    def _only_asked(self, sensor: DeviceId, heard: Heard) -> Heard:
        """Without a clip that nobody asked for. Raises Rejected where nothing else is in it."""
        if not heard.clips:
            return heard
        try:
            [(want, _)] = heard.answers.items()
            self.wants.asked_for(sensor, want, heard.clips[0])
        except Rejected as why:
            if not (heard.impulses or heard.reports):
                raise
            without: tuple[RejectedPart, ...] = (*heard.rejected, part("clip", why))
            return msgspec.structs.replace(heard, clips=(), sounds={}, answers={}, rejected=without)
        return heard

    def _mark(self, opened: Sealed, heard: Heard, at: datetime) -> SensorMark:
        name = DeviceId(opened.head.sensor)
        boot, sequence = self._sequences.newest(name)
        return SensorMark(
            sensor=name,
            boot=boot,
            sequence=sequence,
            heard_at=at,
            report=heard.reports[-1] if heard.reports else None,
        )

    async def _keep_marks(self, marks: list[SensorMark]) -> None:
        """What cannot be kept now goes with the next: until then this process remembers it."""
        try:
            await self._keep([*self._unkept.values(), *marks])
        except self._away:
            self._unkept |= {mark.sensor: mark for mark in marks}
        else:
            self._unkept.clear()

    def _accepted(self, device: Device, heard: Heard) -> dict[str, Any]:
        parts = len(heard.impulses) + len(heard.reports) + len(heard.clips)
        answer: dict[str, Any] = {"accepted": parts, **self._wanted(device)}
        if heard.late:
            answer["late"] = heard.late
        if heard.rejected:
            answer["rejected"] = heard.rejected
        return answer

    def _wanted(self, device: Device) -> dict[str, Any]:
        return {"wants": self.wants.open(device.device_id)}

    def _refused(self, device: Device | None, why: Rejected, body: bytes, at: datetime) -> Answer:
        self._tell(device, why, body, at)
        return why.status, {"error": why.reason, "says": why.says, "do": why.do}

    def _tell(self, device: Device | None, why: Rejected, body: bytes, at: datetime) -> None:
        # Of what is refused the first bytes are kept to be looked at: not of anybody's voice.
        self._watch.rejected(device, NAME, why, body.partition(b'"wav"')[0], at)
        if device is not None and why.reason in ALARMS:
            self._alarm(device.device_id, why.reason, why.says, at)


def _batch(heard: Heard, sealed: bytes) -> SoundBatch:
    """Named by the message's own bytes: handed in again, it is stored once."""
    return SoundBatch(
        name=sha256(sealed).hexdigest(),
        impulses=heard.impulses,
        reports=heard.reports,
        clips=heard.clips,
        sounds=heard.sounds,
    )


def _come_again(error: str, says: str) -> Answer:
    return 503, {"error": error, "says": says, "do": "send it again"}
