"""Our own positions: a JSON array of `{"unit", "lat", "lon", "at"}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from farolito.model import Device, Invalid, Point, Rejected, Unit, UnitId

NAME = "farolito"
UNITS_MAX = 2_000  # a message
FUTURE_MAX = timedelta(minutes=5)


class Adapter(Protocol):
    @property
    def NAME(self) -> str:  # noqa: N802 (a module's constant)
        ...

    def decode(self, body: bytes, device: Device, received_at: datetime) -> tuple[Unit, ...]: ...


class _Position(msgspec.Struct):
    unit: str
    lat: float
    lon: float
    at: datetime


_decode = msgspec.json.Decoder(list[_Position]).decode


def decode(body: bytes, device: Device, received_at: datetime) -> tuple[Unit, ...]:
    """Raises Rejected for the whole message: a car sends its next position a second later."""
    try:
        positions = _decode(body)
    except msgspec.DecodeError as error:
        raise Rejected("malformed", str(error), "send an array of unit, lat, lon, at") from error
    if len(positions) > UNITS_MAX:
        raise Rejected("too_many", f"{len(positions)} units", f"send at most {UNITS_MAX}")
    return tuple(_unit(p, device, received_at) for p in positions)


def _unit(position: _Position, device: Device, received_at: datetime) -> Unit:
    if position.at.tzinfo is None:
        raise Rejected("no_zone", "a time without a zone", "send UTC or an offset")
    if position.at > received_at + FUTURE_MAX:
        raise Rejected("future_time", "a position from the future", "check the unit's clock")
    try:
        return Unit(
            unit_id=UnitId(position.unit),
            agency=device.agency,
            place=Point(position.lat, position.lon),
            heard_at=position.at,
        )
    except Invalid as error:
        raise Rejected("no_place", error.says, error.do) from error
