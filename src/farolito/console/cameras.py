"""What the app hands to the console of cameras, and how they are written for a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from farolito.desk.cameras import CameraDesk, Register
from farolito.desk.ptz import Ptz
from farolito.desk.watching import Watching
from farolito.model import (
    Camera,
    CameraHealth,
    CameraId,
    CameraOwner,
    Consent,
    ImageFault,
    OwnerId,
    PictureState,
    Point,
    UnitId,
    Viewing,
)
from farolito.viewing import LastSeen, NextCamera, Ranked


class Book(Register, Protocol):
    def owners(self) -> Sequence[CameraOwner]: ...

    def is_units_place(self, place: Point, unit: UnitId) -> bool: ...


class Counted(Protocol):
    """Three different numbers: in the register; answered of late; showing pictures now."""

    @property
    def registered(self) -> int: ...
    @property
    def reachable(self) -> int: ...
    @property
    def live(self) -> int: ...


class States(Protocol):
    def state(self, camera_id: CameraId) -> PictureState: ...
    def health(self, camera_id: CameraId) -> CameraHealth | None: ...
    def all_health(self) -> Sequence[CameraHealth]: ...
    def live(self, camera_id: CameraId) -> Any: ...
    def counts(self) -> Counted: ...
    def counts_of(self, owner: OwnerId) -> Counted: ...
    def news(self, after: int | None) -> tuple[int, Mapping[str, Any] | None]: ...


class Seeing(Protocol):
    @property
    def cameras(self) -> Sequence[Ranked]: ...
    @property
    def blind(self) -> Sequence[Ranked]: ...


class Sights(Protocol):
    async def near(self, place: Point, at: datetime, count: int, around: float = 8.0) -> Seeing: ...
    async def next(self, seen: LastSeen, count: int) -> Sequence[NextCamera]: ...


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """How far the round of looking at every camera has come; `core_percent`: what it costs."""

    round_s: float = 0.0
    done: int = 0
    due: int = 0
    core_percent: float | None = None


@dataclass(frozen=True)
class Cameras:
    """`url_for`: where a browser shows its token; takes the host it came by. `sweep`: how far."""

    book: Book
    states: States
    desk: CameraDesk
    watching: Watching
    ptz: Ptz
    sights: Sights
    url_for: Callable[[CameraId, str], str]
    sweep: Callable[[], Sweep] = Sweep


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A camera of the list."""

    id: CameraId
    name: str
    lat: float | None
    lon: float | None
    bearing: float | None
    hfov: float
    range_m: float
    ptz: bool
    state: PictureState
    owner: OwnerId
    consent: Consent
    open: bool
    faults: tuple[ImageFault, ...] = ()


def row(camera: Camera, book: Book, states: States) -> Row:
    place, health = camera.place, states.health(camera.camera_id)
    return Row(
        id=camera.camera_id,
        name=camera.name,
        lat=place.lat if place else None,
        lon=place.lon if place else None,
        bearing=camera.bearing_deg,
        hfov=camera.optics.hfov_deg,
        range_m=camera.optics.range_m,
        ptz=camera.ptz is not None,
        state=states.state(camera.camera_id),
        owner=camera.owner,
        consent=camera.consent,
        open=book.leave(camera).is_open,
        faults=health.faults if health else (),
    )


def owners(cameras: Iterable[Camera], book: Book, states: States) -> list[dict[str, Any]]:
    """Those who own any of these, with their three numbers."""
    own = {one.owner for one in cameras}
    return [
        {**_owner(one), **counts(states.counts_of(one.owner_id))}
        for one in book.owners()
        if one.owner_id in own
    ]


def counts(told: Counted) -> dict[str, int]:
    return {"registered": told.registered, "reachable": told.reachable, "live": told.live}


def card(camera: Camera, book: Book) -> dict[str, Any]:
    """All that the register says of it, but its addresses and logins."""
    owner = book.owner(camera.owner)
    return {
        "id": camera.camera_id,
        "name": camera.name,
        "owner": _owner(owner) if owner else {"owner_id": camera.owner, "name": "", "kind": ""},
        "place": camera.place,
        "height_m": camera.height_m,
        "bearing_deg": camera.bearing_deg,
        "optics": camera.optics,
        "ptz": camera.ptz,
        "consent": camera.consent,
        "hours": camera.hours,
        "terms": camera.terms,
        "approval": camera.approval,
        "site": camera.site,
        "switch": camera.switch,
        "changed_at": camera.changed_at,
    }


def owner_card(owner: CameraOwner | None, owner_id: OwnerId) -> dict[str, Any]:
    return _owner(owner) if owner else {"owner_id": owner_id, "name": owner_id, "kind": ""}


def name_of(camera_id: CameraId, book: Book) -> str:
    """What is told of a camera that left the register is its id."""
    camera = book.camera(camera_id)
    return camera_id if camera is None else camera.name


def viewing(one: Viewing, *, is_ours: bool) -> dict[str, Any]:
    """`is_ours`: for people of the agency; an owner is not told of cases and incidents."""
    told: dict[str, Any] = {
        "camera_id": one.camera_id,
        "who": one.who,
        "role": one.role,
        "purpose": one.purpose,
        "since": one.since,
        "until": one.until,
        "why_ended": one.why_ended,
        "kept_recording": one.kept_recording,
        "permit": one.permit,
    }
    return {**told, "case": one.case, "incident": one.incident} if is_ours else told


def ranked(one: Ranked, book: Book) -> dict[str, Any]:
    camera = book.camera(one.camera_id)
    return {
        "id": one.camera_id,
        "name": one.name,
        "state": one.state,
        "place": one.place,
        "metres": one.metres,
        "bearing_deg": one.bearing_deg,
        "how": one.how,
        "score": one.score,
        "turn_s": one.turn_s,
        "share_visible": one.share_visible,
        "says": one.says,
        "reasons": one.reasons,
        "open": camera is not None and not one.closed,
    }


def next_camera(one: NextCamera, now: datetime) -> dict[str, Any]:
    return {
        "id": one.camera_id,
        "name": one.name,
        "place": one.place,
        "watches": one.watches,
        "street": one.street,
        "road_m": one.road_m,
        "earliest_at": one.earliest_at,
        "latest_at": one.latest_at,
        "passing": one.passing(now),
        "says": [reason.says for reason in one.reasons],
        "reasons": one.reasons,
        "open": not one.closed,
        "state": one.state,
    }


def _owner(owner: CameraOwner) -> dict[str, Any]:
    return {"owner_id": owner.owner_id, "name": owner.name, "kind": owner.kind}
