"""From a source in metres to a shot on Earth, with everything that a person must know of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from farolito.acoustics.source import Ear, Place, Source
from farolito.acoustics.source import Round as Discharge
from farolito.geo import Plane
from farolito.model import (
    AgencyId,
    DeviceId,
    Ellipse,
    Heard,
    Mode,
    Movement,
    Point,
    Round,
    Shot,
    ShotId,
    SoundKind,
    Weather,
)

SENSORS = "sensors"  # the source of what our own locator solved
CHI2_95 = 5.991  # 95 % of two degrees of freedom


def shot_of(  # noqa: PLR0913 - what a source does not know of itself
    source: Source,
    plane: Plane,
    *,
    agency: AgencyId,
    shot_id: ShotId,
    located_at: datetime,
    weather: Weather | None,
    kinds: Mapping[SoundKind, float],
    because: tuple[str, ...],
) -> Shot:
    """`plane` is the one that the net's metres lie in."""
    ambiguous = source.places if len(source.places) > 1 else ()
    return Shot(
        shot_id=shot_id,
        agency=agency,
        revision=source.revision,
        source=SENSORS,
        discharged_at=_utc(source.rounds[0].at_s),
        located_at=located_at,
        place=_point(plane, source.place.x_m, source.place.y_m),
        rounds=tuple(_round(plane, one) for one in source.rounds),
        probability=source.probability,
        kinds=dict(kinds),
        ellipse=ellipse_of(source.place),
        modes=tuple(
            Mode(
                place=_point(plane, place.x_m, place.y_m),
                ellipse=ellipse_of(place),
                share=place.share,
            )
            for place in ambiguous
        ),
        rounds_low=source.rounds_low,
        rounds_high=source.rounds_high,
        movement=_movement(source),
        heard=tuple(_heard(ear) for ear in source.ears),
        silent=tuple(DeviceId(name) for name in source.silent),
        down=tuple(DeviceId(name) for name in source.down),
        outside_net=source.outside_net,
        weather=weather,
        because=because,
    )


def ellipse_of(place: Place) -> Ellipse:
    """The 95 % ellipse of a covariance: axes √(5.991 λ), the long one along its eigenvector."""
    middle = (place.xx + place.yy) / 2
    apart = math.hypot((place.xx - place.yy) / 2, place.xy)
    # The eigenvector's angle from east, counter-clockwise; a bearing is from north, clockwise.
    east = math.atan2(2 * place.xy, place.xx - place.yy) / 2
    return Ellipse(
        semi_major_m=math.sqrt(CHI2_95 * (middle + apart)),
        semi_minor_m=math.sqrt(CHI2_95 * max(0.0, middle - apart)),
        bearing_deg=(90.0 - math.degrees(east)) % 180.0,
    )


def _round(plane: Plane, one: Discharge) -> Round:
    place = None
    if one.x_m is not None and one.y_m is not None:
        place = _point(plane, one.x_m, one.y_m)
    return Round(at=_utc(one.at_s), sensors=one.sensors, place=place)


def _heard(ear: Ear) -> Heard:
    return Heard(
        sensor=DeviceId(ear.sensor),
        metres=round(ear.metres, 1),
        onset_at=_utc(ear.at_s),
        rounds=ear.rounds,
        residual_ms=round(1000 * ear.residual_s, 1),
        level_db=ear.level_db,
    )


def _movement(source: Source) -> Movement | None:
    if source.drift_x_m is None or source.drift_y_m is None or source.drift_sd_m is None:
        return None
    return Movement(
        metres=math.hypot(source.drift_x_m, source.drift_y_m),
        metres_sd=source.drift_sd_m,
        bearing_deg=math.degrees(math.atan2(source.drift_x_m, source.drift_y_m)) % 360.0,
    )


def _point(plane: Plane, x_m: float, y_m: float) -> Point:
    lat, lon = plane.to_degrees((x_m, y_m))
    return Point(lat, lon)


def _utc(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
