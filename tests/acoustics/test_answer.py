"""A source in metres becomes a shot on Earth with the ellipse that its covariance says."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from uuid import UUID

import pytest

from farolito.acoustics import Ear, Place, Round, Source
from farolito.acoustics.answer import ellipse_of, shot_of
from farolito.geo import Plane, distance_m
from farolito.model import AgencyId, Shot, ShotId, SoundKind

NOON_S = 1_795_000_000.25


def _place(angle_deg: float, long_m: float = 20.0, short_m: float = 5.0, **more: float) -> Place:
    """A covariance whose long axis points `angle_deg` from north, by east."""
    east, north = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
    a, b = long_m**2, short_m**2
    return Place(
        x_m=more.get("x_m", 0.0),
        y_m=more.get("y_m", 0.0),
        xx=a * east**2 + b * north**2,
        yy=a * north**2 + b * east**2,
        xy=(a - b) * east * north,
        share=more.get("share", 1.0),
    )


def _source(*places: Place, **more: object) -> Source:
    told: dict[str, object] = {
        "track": 3,
        "revision": 2,
        "places": places or (_place(30),),
        "rounds": (Round(at_s=NOON_S, sensors=9), Round(at_s=NOON_S + 0.3, sensors=8)),
        "rounds_low": 2,
        "rounds_high": 3,
        "score": 70.0,
        "expected": 80.0,
        "probability": 0.99,
        "ears": (Ear(sensor="a", at_s=NOON_S + 1, rounds=2, residual_s=0.004, metres=340.0),),
        **more,
    }
    return Source(**told)  # type: ignore[arg-type]


def _shot(source: Source, plane: Plane) -> Shot:
    return shot_of(
        source,
        plane,
        agency=AgencyId("city-pd"),
        shot_id=ShotId(UUID(int=7)),
        located_at=datetime(2026, 11, 18, tzinfo=UTC),
        weather=None,
        kinds={SoundKind.GUNSHOT: 0.9, SoundKind.OTHER: 0.1},
        because=("loud",),
    )


@pytest.mark.parametrize("bearing", [0.0, 30.0, 90.0, 135.0, 179.0])
def test_the_ellipse_points_where_the_covariance_is_long(bearing: float) -> None:
    ellipse = ellipse_of(_place(bearing))
    turned = abs(ellipse.bearing_deg - bearing) % 180
    assert min(turned, 180 - turned) < 1e-6
    assert ellipse.semi_major_m == pytest.approx(20 * math.sqrt(5.991))
    assert ellipse.semi_minor_m == pytest.approx(5 * math.sqrt(5.991))


def test_places_and_times_come_out_where_and_when_they_went_in() -> None:
    plane = Plane((35.1, -106.6))
    shot = _shot(_source(_place(0, x_m=300.0, y_m=-400.0)), plane)
    away = distance_m((35.1, -106.6), (shot.place.lat, shot.place.lon))
    assert away == pytest.approx(500.0, rel=0.01)
    assert shot.discharged_at == datetime.fromtimestamp(NOON_S, UTC)
    assert [round_.sensors for round_ in shot.rounds] == [9, 8]
    assert shot.heard[0].residual_ms == 4.0
    assert not shot.is_ambiguous


def test_two_places_stay_two_with_their_shares() -> None:
    plane = Plane((35.1, -106.6))
    shot = _shot(_source(_place(0, share=0.7), _place(0, x_m=220.0, share=0.3)), plane)
    assert shot.is_ambiguous
    assert [mode.share for mode in shot.modes] == [0.7, 0.3]
    assert shot.place == shot.modes[0].place


def test_a_shooter_who_went_north_east_is_said_to_have() -> None:
    plane = Plane((35.1, -106.6))
    shot = _shot(_source(drift_x_m=10.0, drift_y_m=10.0, drift_sd_m=2.0), plane)
    assert shot.movement is not None
    assert shot.movement.bearing_deg == pytest.approx(45.0)
    assert shot.movement.metres == pytest.approx(14.14, abs=0.01)
