"""What a node and its sweeping process tell each other, over a private unix socket.

The process knows cameras' addresses; it knows no person, no incident and no right. It looks at
nothing before the node began a round, and the node begins none before the ledger has it. Frames as
in `control`.
"""

from __future__ import annotations

import msgspec

from farolito.codec import Codec
from farolito.media.control import Pulled
from farolito.model import CameraHealth, CameraId, Point


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """A camera to be looked after. `looks`: its owner lets us look now; else it is only asked
    whether it answers. `turns`: it may look anywhere. `version` grows when its view is changed on
    purpose: what was usual is forgotten. `onvif_url`: where its clock is asked for."""

    pulled: Pulled
    looks: bool
    turns: bool = False
    place: Point | None = None
    version: int = 0
    onvif_url: str = ""


class Look(msgspec.Struct, frozen=True, kw_only=True, tag="look"):
    """Cameras from now on. `whole`: any other one is to be forgotten."""

    cameras: tuple[Swept, ...] = ()
    removed: tuple[CameraId, ...] = ()
    whole: bool = False


class Known(msgspec.Struct, frozen=True, kw_only=True, tag="known"):
    """What was last found, for a process that knows nothing."""

    health: tuple[CameraHealth, ...]


class Watched(msgspec.Struct, frozen=True, kw_only=True, tag="watched"):
    """Cameras whose picture comes now for somebody: theirs is asked of the node, not pulled."""

    live: tuple[CameraId, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True, tag="shown"):
    """The newest key picture of a camera that is watched, as it was `Wanted`. Empty: there is none
    any more."""

    camera_id: CameraId
    data: bytes = b""
    codec: Codec = "h264"


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag="begin"):
    """A round of so many seconds; `number` is the ledger's. Nothing is looked at once it is
    over."""

    number: int
    seconds: float


SweepTold = Look | Known | Watched | Shown | Begin


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """How cameras are, each second."""

    health: tuple[CameraHealth, ...]


class RoundDone(msgspec.Struct, frozen=True, kw_only=True, tag="round_done"):
    """`looked`: whose picture was judged; `asked`: only whether they answer; `live`: judged by
    what somebody watches; `missed`: no answer, or no picture. `cpu_s` of the whole process.
    `storm`: why what was missed is not believed; empty where it is."""

    number: int
    due: int
    looked: int
    asked: int
    live: int
    missed: int
    cpu_s: float
    seconds: float
    storm: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """Every few seconds: how far the round is. `late_ms`: how late the process was, at most."""

    number: int
    due: int
    done: int
    cpu_s: float
    late_ms: int
    storm: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, tag="wanted"):
    """The newest key picture of a camera that is watched."""

    camera_id: CameraId


SweepSaid = Found | RoundDone | Progress | Wanted
