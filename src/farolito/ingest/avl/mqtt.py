"""Positions over MQTT: what the OwnTracks phone application publishes, and our own JSON.

OwnTracks: `{"_type":"location","lat","lon","tst","vel","cog","acc"}`, km/h and Unix seconds; its
other types are ignored. Ours: `{"lat","lon","at"}` and what `avl/farolito.py` takes besides. The
topic says which unit it is, since a broker can hold a user to a topic but not to a field.
Positions are asked for with QoS 0: the next one is a second away.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import msgspec

from farolito.ingest.avl.heard import FROM_68_TO_95, Clock, Hear, Origin, Strangers, Tell, named
from farolito.ingest.avl.sources import MqttPositions
from farolito.model import FarolitoError, Rejected, UnitPosition

MESSAGE_BYTES_MAX = 16_384  # a position has about 200
WAITING_MAX = 10_000  # messages in memory; more are dropped by the client under us, and logged
KEEPALIVE_S = 30
KMH_MPS = 1 / 3.6


class _OwnTracks(msgspec.Struct, tag_field="_type", tag="location"):
    lat: float
    lon: float
    tst: int
    vel: float | None = None
    cog: float | None = None
    acc: float | None = None


class _Ours(msgspec.Struct):
    lat: float
    lon: float
    at: datetime
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None


class _Kind(msgspec.Struct):
    kind: str | None = msgspec.field(default=None, name="_type")


_kind = msgspec.json.Decoder(_Kind).decode
_own_tracks = msgspec.json.Decoder(_OwnTracks).decode
_ours = msgspec.json.Decoder(_Ours).decode


def decode(
    topic: str, body: bytes, config: MqttPositions, origin: Origin, received_at: datetime
) -> UnitPosition | None:
    """None for an OwnTracks message that is no location. Raises Rejected: `malformed`,
    `too_large`, `bad_time`, `unknown_unit`, and as Origin.position."""
    if len(body) > MESSAGE_BYTES_MAX:
        raise Rejected("too_large", f"a position over {MESSAGE_BYTES_MAX} bytes", "send less")
    try:
        kind = _kind(body).kind
        if kind not in {None, "location"}:
            return None
        unit = _unit(topic, config)
        if kind == "location":
            return _from_own_tracks(unit, _own_tracks(body), origin, received_at)
        told = _ours(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        do = "send OwnTracks locations, or lat, lon, at"
        raise Rejected("malformed", "no position in the message", do) from error
    return origin.position(
        unit,
        (told.lat, told.lon),
        told.at,
        received_at,
        told.heading_deg,
        told.speed_mps,
        told.accuracy_m,
    )


def _from_own_tracks(
    unit: str, told: _OwnTracks, origin: Origin, received_at: datetime
) -> UnitPosition:
    try:
        at = datetime.fromtimestamp(told.tst, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Rejected("bad_time", "a time that is none", "send Unix seconds in tst") from error
    return origin.position(
        unit,
        (told.lat, told.lon),
        at,
        received_at,
        told.cog,
        None if told.vel is None else told.vel * KMH_MPS,
        None if told.acc is None else told.acc * FROM_68_TO_95,
    )


def _unit(topic: str, config: MqttPositions) -> str:
    if config.any_topic:
        return config.units.get(topic, topic.rpartition("/")[2])
    return named(config.units, topic)


class MqttSource:
    """One broker. `run` listens until the connection is lost: the supervisor begins again."""

    def __init__(
        self,
        config: MqttPositions,
        origin: Origin,
        hear: Hear,
        tell: Tell,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._origin = origin
        self._hear = hear
        self._strangers = Strangers(tell, clock)
        self._clock = clock

    async def run(self) -> None:
        """Raises aiomqtt.MqttError when the connection is lost."""
        async with self._client() as client:
            await client.subscribe([(topic, 0) for topic in self._config.topics])
            async for message in client.messages:
                await self._take(str(message.topic), message.payload)

    async def _take(self, topic: str, payload: object) -> None:
        body = payload if isinstance(payload, bytes) else b""
        try:
            position = decode(topic, body, self._config, self._origin, self._clock())
        except Rejected as why:
            self._strangers.tell(topic, why, body[:MESSAGE_BYTES_MAX])
            return
        if position is not None:
            await self._hear((position,))

    def _client(self) -> aiomqtt.Client:
        config = self._config
        return aiomqtt.Client(
            config.host,
            config.port,
            identifier=config.client_id,
            username=config.username,
            password=_secret(config.secret_file),
            tls_context=ssl.create_default_context() if config.tls else None,
            keepalive=KEEPALIVE_S,
            max_queued_incoming_messages=WAITING_MAX,
        )


def _secret(file: str) -> str | None:
    if not file:
        return None
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        do = "name a file that this account may read"
        raise FarolitoError(
            f"cannot read the broker's word for us: {error.strerror}", do
        ) from error
