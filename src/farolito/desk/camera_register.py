"""A register that comes in: whose cameras, what is new, and what the owner has said before.

Whoever brings a register writes down what owners signed. It never raises what an owner gave: of a
camera that is known, or was, the consent, the hours and the leave to record stay where the new
ones would let us do more. To give more is the owner's own act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from farolito.model import (
    AgencyId,
    Camera,
    CameraId,
    CameraOwner,
    Consent,
    Invalid,
    Login,
    OwnerId,
)

CAMERAS_MAX = 50_000  # of one message; a longer register comes in pieces
NAMED_MAX = 50

_LADDER = tuple(Consent)


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody brings. `logins` and `remove` by camera."""

    owners: tuple[CameraOwner, ...] = ()
    cameras: tuple[Camera, ...] = ()
    logins: Mapping[CameraId, Login] = {}
    remove: tuple[CameraId, ...] = ()


class TakenIn(msgspec.Struct, frozen=True, kw_only=True):
    """`kept_consent`: cameras, the first of them by name, that keep the narrower consent which
    their owner gave."""

    owners: int
    cameras: int
    new: int
    changed: int
    removed: int
    logins: int
    kept_consent: int
    kept: tuple[CameraId, ...] = ()


def check(brought: Brought, owners: Iterable[OwnerId]) -> None:
    """`owners`: those of the register so far. Raises Invalid that names the first that is wrong."""
    if len(brought.cameras) > CAMERAS_MAX:
        raise Invalid(f"more than {CAMERAS_MAX} cameras at once", "send them in pieces")
    known = {*owners, *(one.owner_id for one in brought.owners)}
    seen: set[CameraId] = set()
    for camera in brought.cameras:
        if camera.owner not in known:
            raise Invalid(f"camera {camera.camera_id} is of {camera.owner!r}", "name the owner")
        if camera.camera_id in seen:
            raise Invalid(f"camera {camera.camera_id} comes twice", "send it once")
        seen.add(camera.camera_id)
    stray = set(brought.remove) & seen
    if stray:
        raise Invalid(f"camera {min(stray)} comes and goes at once", "say one of the two")


def settled(camera: Camera, before: Camera | None, agency: AgencyId) -> Camera:
    """The camera as it stands in the register from now on, but for the time of its change."""
    ours = msgspec.structs.replace(camera, agency=agency, changed_at=None)
    if before is None:
        return ours
    terms = msgspec.structs.replace(
        ours.terms, may_record=ours.terms.may_record and before.terms.may_record
    )
    ours = msgspec.structs.replace(ours, terms=terms)
    if _rung(ours.consent) < _rung(before.consent):
        return ours
    return msgspec.structs.replace(ours, consent=before.consent, hours=before.hours)


def is_same(camera: Camera, before: Camera | None) -> bool:
    return before is not None and camera == msgspec.structs.replace(before, changed_at=None)


def keeps_consent(camera: Camera, brought: Camera) -> bool:
    """Did the owner's own, narrower word stay?"""
    said = (camera.consent, camera.hours, camera.terms.may_record)
    return said != (brought.consent, brought.hours, brought.terms.may_record)


def taken_in(
    brought: Brought,
    settled_ones: Sequence[Camera],
    before: Mapping[CameraId, Camera],
    removed: Sequence[CameraId],
) -> TakenIn:
    told = {one.camera_id: one for one in brought.cameras}
    kept = [c.camera_id for c in settled_ones if keeps_consent(c, told[c.camera_id])]
    new = [c for c in settled_ones if c.camera_id not in before]
    known = [c for c in settled_ones if c.camera_id in before]
    return TakenIn(
        owners=len(brought.owners),
        cameras=len(settled_ones),
        new=len(new),
        changed=sum(not is_same(one, before[one.camera_id]) for one in known),
        removed=len(removed),
        logins=len(brought.logins),
        kept_consent=len(kept),
        kept=tuple(kept[:NAMED_MAX]),
    )


def _rung(consent: Consent) -> int:
    return _LADDER.index(consent)
