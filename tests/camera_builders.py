"""Cameras, owners and viewings for tests: what does not matter is given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from farolito.app.clock import ids
from farolito.model import (
    AgencyId,
    Camera,
    CameraHealth,
    CameraId,
    CameraOwner,
    Consent,
    OwnerId,
    OwnerKind,
    PersonId,
    PictureState,
    Point,
    Purpose,
    Viewing,
    ViewingId,
)

CITY = AgencyId("city-pd")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TRANSIT = CameraOwner(
    owner_id=OwnerId("luminaria-transit"), agency=CITY, name="Metro Transit", kind=OwnerKind.TRANSIT
)
SCHOOLS = CameraOwner(
    owner_id=OwnerId("schools"), agency=CITY, name="Public Schools", kind=OwnerKind.SCHOOL
)


def camera(name: str, **more: Any) -> Camera:
    """One that anybody with a right may watch."""
    told: dict[str, Any] = {
        "agency": CITY,
        "owner": TRANSIT.owner_id,
        "name": name.title(),
        "place": Point(35.0844, -106.6504),
        "bearing_deg": 90.0,
        "consent": Consent.ALWAYS,
        **more,
    }
    return Camera(camera_id=CameraId(name), **told)


def health(name: str, state: PictureState = PictureState.LIVE, **more: Any) -> CameraHealth:
    told: dict[str, Any] = {"since": NOON, "looked_at": NOON, **more}
    return CameraHealth(camera_id=CameraId(name), state=state, **told)


def viewing(name: str, since: datetime = NOON, **more: Any) -> Viewing:
    told: dict[str, Any] = {
        "viewing_id": ViewingId(ids()),
        "person": PersonId(ids()),
        "who": "Ana Ortiz",
        "role": "operator",
        "purpose": Purpose.IN_PROGRESS_CALL,
        "permit": 7,
        "seen_at": since,
        **more,
    }
    return Viewing(camera_id=CameraId(name), since=since, **told)
