"""Our own positions: a JSON array of `{"unit", "lat", "lon", "at"}`, and what else a source knows.

Sums: 10,000 positions/s leave 100 µs each for a process that also believes and draws them. A
message of 2,000 costs about 1 µs a position here, a message of one about 4. The slow way, one by
one, is only taken by a message with a position that is no position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from farolito.ingest.avl.heard import Origin
from farolito.model import Device, Rejected, UnitPosition

NAME = "farolito"
UNITS_MAX = 2_000  # a message


class RejectedPosition(msgspec.Struct, frozen=True):
    """One position of a message that was not taken in. `item` counts from 0."""

    item: int
    reason: str
    says: str
    do: str = ""


class Heard(tuple[UnitPosition, ...]):
    """The positions of a message, and beside them what was not taken in."""

    rejected: tuple[RejectedPosition, ...] = ()


class Adapter(Protocol):
    @property
    def NAME(self) -> str:  # noqa: N802 (a module's constant)
        ...

    def decode(self, body: bytes, device: Device, received_at: datetime) -> Heard: ...


class _Position(msgspec.Struct, gc=False):
    unit: str
    lat: float
    lon: float
    at: datetime
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None


_decode = msgspec.json.Decoder(list[_Position]).decode
_decode_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_one = msgspec.json.Decoder(_Position).decode
_DO = "send an array of unit, lat, lon, at"


def decode(body: bytes, device: Device, received_at: datetime) -> Heard:
    """Raises Rejected for what is no array of at most UNITS_MAX; a bad position alone is left out.

    Its reasons: `malformed`, `no_unit`, `no_zone`, `future_time`, `no_place`.
    """
    origin = Origin(device.agency, device.device_id)
    told = list(_told(body))
    if len(told) > UNITS_MAX:
        raise Rejected("too_many", f"{len(told)} units", f"send at most {UNITS_MAX}")
    taken: list[UnitPosition] = []
    rejected: list[RejectedPosition] = []
    for item, position in enumerate(told):
        try:
            taken.append(_position(position, origin, received_at))
        except Rejected as why:
            rejected.append(RejectedPosition(item, why.reason, why.says, why.do))
    heard = Heard(taken)
    heard.rejected = tuple(rejected)
    return heard


def _told(body: bytes) -> Sequence[_Position | Rejected]:
    try:
        return _decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return list(_one_by_one(body))
    except msgspec.DecodeError as error:
        raise Rejected("malformed", str(error), _DO) from error


def _one_by_one(body: bytes) -> Iterator[_Position | Rejected]:
    try:
        raw = _decode_raw(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected("malformed", str(error), _DO) from error
    for item in raw:
        try:
            yield _decode_one(item)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield Rejected("malformed", str(error), _DO)


def _position(told: _Position | Rejected, origin: Origin, received_at: datetime) -> UnitPosition:
    if isinstance(told, Rejected):
        raise told
    return origin.position(
        told.unit,
        (told.lat, told.lon),
        told.at,
        received_at,
        told.heading_deg,
        told.speed_mps,
        told.accuracy_m,
    )
