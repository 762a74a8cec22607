"""Our own positions at the door: one bad position does not spoil the others."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from farolito.ingest.avl.farolito import UNITS_MAX, decode
from farolito.model import AgencyId, Device, DeviceId, Rejected

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CARS = Device(
    device_id=DeviceId("fleet"),
    agency=AgencyId("practice-pd"),
    kind="positions",
    name="Fleet",
    format="farolito",
)


def a_position(**said: Any) -> dict[str, Any]:
    return {"unit": "2A14", "lat": 35.08, "lon": -106.65, "at": "2026-11-23T09:59:59Z"} | said


def heard(*positions: Any) -> Any:
    return decode(msgspec.json.encode(positions), CARS, NOW)


def test_all_that_a_source_knows_is_kept() -> None:
    (position,) = heard(a_position(heading_deg=271.5, speed_mps=12.0, accuracy_m=4.0))
    assert (position.heading_deg, position.speed_mps, position.accuracy_m) == (271.5, 12.0, 4.0)
    assert (position.source, position.agency) == ("fleet", "practice-pd")
    assert position.received_at == NOW


def test_a_position_alone_is_enough() -> None:
    (position,) = heard(a_position())
    assert (position.heading_deg, position.speed_mps, position.accuracy_m) == (None, None, None)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (a_position(lat="north"), "malformed"),
        ({"unit": "2A14"}, "malformed"),
        (17, "malformed"),
        (a_position(at="noon"), "malformed"),
        (a_position(at="2026-11-23T09:59:59"), "no_zone"),
        (a_position(at="2027-11-23T09:59:59Z"), "future_time"),
        (a_position(lat=0, lon=0), "no_place"),
        (a_position(lat=95), "no_place"),
        (a_position(lon=-1066504), "no_place"),
        (a_position(unit=""), "no_unit"),
        (a_position(unit="x" * 41), "no_unit"),
        (a_position(unit="2A\n14"), "no_unit"),
    ],
)
def test_a_bad_position_is_named_and_the_others_are_heard(bad: Any, reason: str) -> None:
    got = heard(a_position(unit="a"), bad, a_position(unit="b"))
    assert [position.unit for position in got] == ["a", "b"]
    assert [(item.item, item.reason) for item in got.rejected] == [(1, reason)]
    assert got.rejected[0].do


def test_a_clock_an_hour_off_is_left_to_the_believer() -> None:
    (position,) = heard(a_position(at="2026-11-23T11:00:00Z"))
    assert position.at.hour == 11


def test_a_heading_or_speed_that_cannot_be_is_left_out_and_the_place_kept() -> None:
    (position,) = heard(a_position(heading_deg=-4, speed_mps=-1.0, accuracy_m=-1))
    assert (position.heading_deg, position.speed_mps, position.accuracy_m) == (None, None, None)
    (position,) = heard(a_position(heading_deg=360))
    assert position.heading_deg == 0


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b"null", b'[{"unit":', b"\xff\xfe"])
def test_what_is_no_array_is_rejected_whole(body: bytes) -> None:
    with pytest.raises(Rejected) as why:
        decode(body, CARS, NOW)
    assert why.value.reason == "malformed"


def test_a_message_has_a_limit() -> None:
    heard(*[a_position()] * UNITS_MAX)
    with pytest.raises(Rejected, match="2001 units"):
        heard(*[a_position()] * (UNITS_MAX + 1))


def test_noise_never_raises_anything_else(rng: random.Random) -> None:
    good = msgspec.json.encode([a_position(), a_position(unit="b")])
    for _ in range(2_000):
        noise = bytearray(good)
        for _ in range(rng.randint(1, 5)):
            noise[rng.randrange(len(noise))] = rng.randrange(256)
        try:
            got = decode(bytes(noise), CARS, NOW)
        except Rejected:
            continue
        assert len(got) + len(got.rejected) == 2
