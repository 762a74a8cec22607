"""One cut fibre is one alarm: what is wrong with many cameras, told by where it went wrong.

Cameras that fell within `WINDOW` for the same reason are one outage where they are at least three
and most of those behind one switch; outages and cameras of one site, and then of one owner, are
again one. The rest stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from farolito.model import Camera, CameraHealth, CameraId, ImageFault, PictureState

By = Literal["switch", "site", "owner", "camera"]
What = PictureState | ImageFault

WINDOW = timedelta(minutes=15)  # three rounds of the sweep: not all are asked at once
TOGETHER = 3
SHARE = 0.6  # of those behind one switch, at one site, of one owner
IDS_TOLD = 50
WELL = frozenset(
    {PictureState.UNKNOWN, PictureState.CONNECTING, PictureState.LIVE, PictureState.NO_CONSENT}
)
_LEVELS: tuple[tuple[By, Callable[[Camera], str]], ...] = (
    ("switch", lambda camera: camera.switch),
    ("site", lambda camera: camera.site),
    ("owner", lambda camera: camera.owner),
)
_SAYS = {
    PictureState.STALLED: ("connected without a picture", "restart it, or its encoder"),
    PictureState.UNREACHABLE: ("not reachable", "check power and network there"),
    PictureState.REFUSED: ("refuse our password", "give the register their present password"),
    PictureState.NOT_FOUND: ("know no such stream", "correct the address in the register"),
    PictureState.UNSUPPORTED: ("send what we cannot show", "switch the stream to H.264"),
    PictureState.MALFORMED: ("send broken video", "update their firmware, or restart them"),
    PictureState.NOT_A_PICTURE: ("send a page instead of a picture", "correct their address"),
    PictureState.TOO_MUCH: ("send too much", "lower their bit rate"),
    PictureState.BLOCKED: ("have an address that we may not connect to", "allow their network"),
    ImageFault.BLACK: ("black", "look whether lens, iris or light failed"),
    ImageFault.BLUR: ("blurred", "clean the lens, then focus it"),
    ImageFault.OBSTRUCTED: ("covered", "clear what hangs before the lens"),
    ImageFault.MOVED: ("moved", "turn it back, or give the register its new direction"),
    ImageFault.FROZEN: ("standing still", "restart the camera"),
    ImageFault.WRONG_CLOCK: ("with a wrong clock", "give it a time server"),
}


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """`cameras` of the `of` that are known there; `since` the first of them fell; `ids`: the first
    `IDS_TOLD`. `name`: of the switch, the site, the owner's id, or the camera."""

    by: By
    name: str
    what: What
    cameras: int
    of: int
    since: datetime
    says: str
    do: str
    ids: tuple[CameraId, ...]


class _Cluster(NamedTuple):
    by: By
    name: str
    since: datetime
    cameras: tuple[Camera, ...]
    of: int


def outages(cameras: Iterable[Camera], health: Mapping[CameraId, CameraHealth]) -> list[Outage]:
    """Everything that is wrong, what concerns most cameras first."""
    known = sorted((c for c in cameras if c.camera_id in health), key=lambda c: c.camera_id)
    wrong: dict[What, list[_Cluster]] = {}
    for camera in known:
        found = health[camera.camera_id]
        whats: list[What] = [*found.faults]
        if found.state not in WELL:
            whats.append(found.state)
        for what in whats:
            alone = _Cluster("camera", camera.name, found.since, (camera,), 1)
            wrong.setdefault(what, []).append(alone)
    told = [
        _outage(what, cluster) for what, alone in wrong.items() for cluster in _joined(alone, known)
    ]
    told.sort(key=lambda one: (-one.cameras, one.since, one.name))
    return told


def _joined(clusters: list[_Cluster], known: Sequence[Camera]) -> list[_Cluster]:
    for by, key_of in _LEVELS:
        counts: dict[str, int] = {}
        for camera in known:
            counts[key_of(camera)] = counts.get(key_of(camera), 0) + 1
        apart: list[_Cluster] = []
        there: dict[str, list[_Cluster]] = {}
        for cluster in clusters:
            keys = {key_of(camera) for camera in cluster.cameras}
            name = keys.pop() if len(keys) == 1 else ""
            if name:
                there.setdefault(name, []).append(cluster)
            else:
                apart.append(cluster)
        for name, some in there.items():
            apart += _at_once(by, name, some, counts[name])
        clusters = apart
    return clusters


def _at_once(by: By, name: str, clusters: list[_Cluster], of: int) -> list[_Cluster]:
    """Those that fell within the window, as one where they are enough; the rest as they are."""
    ordered = sorted(clusters, key=lambda one: (one.since, one.name))
    most = _most_within(ordered)
    size = _size(most)
    if len(most) < 2 or size < TOGETHER or size < SHARE * of:
        return clusters
    cameras = tuple(camera for one in most for camera in one.cameras)
    joined = _Cluster(by, name, most[0].since, cameras, of)
    taken = {id(one) for one in most}
    return [joined, *(one for one in ordered if id(one) not in taken)]


def _most_within(ordered: Sequence[_Cluster]) -> Sequence[_Cluster]:
    """The widest run of the window, by its cameras."""
    best, best_size, first, size = (0, 0), 0, 0, 0
    for i, one in enumerate(ordered):
        size += len(one.cameras)
        while one.since - ordered[first].since > WINDOW:
            size -= len(ordered[first].cameras)
            first += 1
        if size > best_size:
            best, best_size = (first, i + 1), size
    return ordered[best[0] : best[1]]


def _size(clusters: Sequence[_Cluster]) -> int:
    return sum(len(one.cameras) for one in clusters)


def _outage(what: What, cluster: _Cluster) -> Outage:
    says, do = _SAYS[what]
    size = len(cluster.cameras)
    where = {
        "switch": f"behind switch {cluster.name}",
        "site": f"at {cluster.name}",
        "owner": f"of {cluster.name}",
        "camera": "",
    }[cluster.by]
    if cluster.by == "camera":
        sentence = f"{cluster.name}: {says}"
    else:
        sentence = f"{size} of {cluster.of} cameras {where}: {says}"
    if what is PictureState.UNREACHABLE and cluster.by != "camera":
        do = f"one line or one supply is likely: check the network {where}"
    return Outage(
        by=cluster.by,
        name=cluster.name,
        what=what,
        cameras=size,
        of=cluster.of,
        since=cluster.since,
        says=sentence,
        do=do,
        ids=tuple(camera.camera_id for camera in cluster.cameras[:IDS_TOLD]),
    )
