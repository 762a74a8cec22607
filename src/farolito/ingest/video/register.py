"""A register of cameras: rows into cameras, the wrong ones named and none of the good ones lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from farolito.ingest.video.entry import About, Cells, RowFault, camera_of
from farolito.ingest.video.lists import FORMATS
from farolito.ingest.video.mapping import Mapping as RegisterMapping
from farolito.ingest.video.rows import rows
from farolito.model import Camera, CameraId, CameraOwner, Login, OwnerId, Rejected

ROWS_MAX = 100_000  # a list with more is rejected whole, status 413
BAD_KEPT_MAX = 1_000  # bad rows listed; more are only counted

Rows = Iterable[tuple[int, "Cells | RowFault"]]


class BadRow(msgspec.Struct, frozen=True):
    """A row that is no camera. `line`: of the file, or its place in the list from 1. `word`: where
    in the row. No value of the row is kept: it may hold a password."""

    line: int
    reason: str
    says: str
    word: str | None = None


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """What a file gave. `cameras` by id; `logins` of those that have one; `out_of_service`: those
    whose owner says that they do not work, here without a source of pictures."""

    cameras: tuple[Camera, ...]
    owners: tuple[CameraOwner, ...] = ()
    logins: Mapping[CameraId, Login] = {}
    out_of_service: tuple[CameraId, ...] = ()
    rows: int = 0
    bad: tuple[BadRow, ...] = ()
    bad_count: int = 0

    def __repr__(self) -> str:
        return f"Register({len(self.cameras)} cameras, {self.bad_count} bad rows)"


def read_register(data: bytes, mapping: RegisterMapping, about: About) -> Register:
    """A file by its mapping. Raises Rejected where the file as a whole cannot be this register."""
    whole = msgspec.structs.replace(
        about,
        prefix=about.prefix or mapping.prefix,
        defaults={**mapping.defaults, **about.defaults},
    )
    owners = tuple(
        CameraOwner(owner_id=owner_id, agency=about.agency, name=owner.name, kind=owner.kind)
        for owner_id, owner in sorted(mapping.owners.items())
    )
    return gather(rows(data, mapping), whole, owners)


def read_list(word: str, data: bytes, about: About) -> Register:
    """A published list in one of `lists.FORMATS`; its own terms hold where `about` has none.
    Raises Rejected where the list as a whole cannot be read."""
    form = FORMATS[word]
    owners: tuple[CameraOwner, ...] = ()
    owner = about.owner
    if owner is None and form.OWNER is not None:
        owner_id, name, kind = form.OWNER
        owner = OwnerId(owner_id)
        owners = (CameraOwner(owner_id=owner, agency=about.agency, name=name, kind=kind),)
    whole = msgspec.structs.replace(
        about,
        owner=owner,
        prefix=about.prefix or (owner or ""),
        defaults={**form.TERMS, **about.defaults},
    )
    return gather(form.rows(data), whole, owners)


def gather(rows: Rows, about: About, owners: tuple[CameraOwner, ...] = ()) -> Register:
    """Rows of any format as a register. The first of two rows with one id is taken."""
    cameras: dict[CameraId, Camera] = {}
    logins: dict[CameraId, Login] = {}
    out_of_service: list[CameraId] = []
    bad: list[BadRow] = []
    count = bad_count = 0
    lines: dict[CameraId, int] = {}
    for line, cells in rows:
        count += 1
        if count > ROWS_MAX:
            says = f"the list has more than {ROWS_MAX} rows"
            raise Rejected("too_many_rows", says, "split it", 413)
        try:
            if isinstance(cells, RowFault):
                raise cells
            told = camera_of(cells, about)
            camera_id = told.camera.camera_id
            if camera_id in cameras:
                says = f"the same camera as line {lines[camera_id]} ({camera_id})"
                raise RowFault("told_twice", says, "key")
        except RowFault as fault:
            bad_count += 1
            if len(bad) < BAD_KEPT_MAX:
                bad.append(BadRow(line, fault.reason, fault.says, fault.word))
            continue
        cameras[camera_id], lines[camera_id] = told.camera, line
        if told.login is not None:
            logins[camera_id] = told.login
        if not told.in_service:
            out_of_service.append(camera_id)
    return Register(
        cameras=tuple(cameras[camera_id] for camera_id in sorted(cameras)),
        owners=owners,
        logins=logins,
        out_of_service=tuple(sorted(out_of_service)),
        rows=count,
        bad=tuple(bad),
        bad_count=bad_count,
    )
