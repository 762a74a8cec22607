"""What a node and a process that holds pictures tell each other, over a private unix socket.

The process knows cameras' addresses and tokens; it knows no person, no incident and no right. A
frame is u32 length, big-endian, then msgpack of one `Told` or `Said`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from farolito.codec import Codec, Figures
from farolito.model import CameraId, Login, PictureState, StreamSource

Quality = Literal["full", "sub", "key"]  # every picture; of the substream; key frames alone


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """A camera as the process must know it. `ring_s` above 0: pulled always, and kept in memory
    for so long. `watched_s`: kept for so long while somebody looks, and gone when nobody does."""

    camera_id: CameraId
    main: StreamSource | None = None
    sub: StreamSource | None = None
    login: Login | None = None
    ring_s: float = 0.0
    watched_s: float = 0.0


class Know(msgspec.Struct, frozen=True, kw_only=True, tag="know"):
    """Cameras from now on. `whole`: any other one is to be forgotten, and cut."""

    cameras: tuple[Pulled, ...] = ()
    removed: tuple[CameraId, ...] = ()
    whole: bool = False


class Key(msgspec.Struct, frozen=True, kw_only=True, tag="key"):
    """What tokens are proved by."""

    secret: bytes


class Cut(msgspec.Struct, frozen=True, kw_only=True, tag="cut"):
    """End these viewings at once: all of a permit, or all of a camera. `reason` is shown."""

    permits: tuple[int, ...] = ()
    cameras: tuple[CameraId, ...] = ()
    reason: str


class Hold(msgspec.Struct, frozen=True, kw_only=True, tag="hold"):
    """Keep what these rings hold, and what comes, until `until_us`: an incident is open there."""

    cameras: tuple[CameraId, ...]
    until_us: int


class MakeClip(msgspec.Struct, frozen=True, kw_only=True, tag="make_clip"):
    """Write what the ring or the open stream has of this span as fMP4 to `path`, private."""

    request: int
    camera_id: CameraId
    from_us: int
    to_us: int
    path: str


class ShowKey(msgspec.Struct, frozen=True, kw_only=True, tag="show_key"):
    """The newest key picture of a camera that is open, for the sweep, which so need not pull it a
    second time."""

    request: int
    camera_id: CameraId


Told = Know | Key | Cut | Hold | MakeClip | ShowKey


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """`port`: where viewers connect."""

    port: int


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """A token was taken and a viewing began. `since_us` by our clock."""

    permit: int
    camera_id: CameraId
    since_us: int


class Closed(msgspec.Struct, frozen=True, kw_only=True, tag="closed"):
    """It ended: `why` in a word (left, cut, expired, silent, broken, stopped)."""

    permit: int
    camera_id: CameraId
    until_us: int
    why: str


class TokenRefused(msgspec.Struct, frozen=True, kw_only=True, tag="token_refused"):
    """Somebody came with a token that is no token, too old, used, or for another camera."""

    reason: Literal["forged", "expired", "replayed", "other_camera"]
    permit: int | None
    camera_id: CameraId | None
    at_us: int


class Pulling(msgspec.Struct, frozen=True, kw_only=True):
    """How one line is. `viewers`, `key_only`: how many, and how many of them were moved to key
    frames; `dropped`: units that slow viewers did not get."""

    camera_id: CameraId
    quality: Quality
    state: PictureState
    says: str = ""
    do: str = ""
    figures: Figures = Figures()
    viewers: int = 0
    key_only: int = 0
    dropped: int = 0
    ring_bytes: int = 0
    age_ms: int | None = None  # of the newest byte


class State(msgspec.Struct, frozen=True, kw_only=True, tag="state"):
    """Once a second: every line there is. `late_ms`: how late the process was at its own clock,
    at most; above some hundred it has too much to do."""

    lines: tuple[Pulling, ...]
    ring_bytes: int = 0
    late_ms: int = 0


class ClipMade(msgspec.Struct, frozen=True, kw_only=True, tag="clip_made"):
    """`problem` is empty where the file is there. The span begins at a key frame, so it may begin
    before what was asked for, and ends with what there was."""

    request: int
    problem: str = ""
    do: str = ""
    from_us: int = 0
    to_us: int = 0
    frames: int = 0
    size: int = 0
    sha256: str = ""


class KeyShown(msgspec.Struct, frozen=True, kw_only=True, tag="key_shown"):
    """Empty: the camera is not open, or shows nothing."""

    request: int
    data: bytes = b""
    codec: Codec = "h264"
    received_us: int = 0


Said = Ready | Opened | Closed | TokenRefused | State | ClipMade | KeyShown

FRAME_BYTES_MAX = 64 * 2**20
