"""One coded picture on its way from a camera to whoever may see it, and the line it comes by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from farolito.model import FarolitoError, PictureState

Codec = Literal["h264", "jpeg"]


class AccessUnit(NamedTuple):
    """`data`: Annex B with start codes (a key unit begins with its SPS and PPS), or one JPEG file.
    Times in µs: `media_us` on the camera's own line of time, without jumps back; `received_us`
    since 1970 by our clock, when its last byte came."""

    data: bytes
    media_us: int
    received_us: int
    is_key: bool
    codec: Codec = "h264"


OnUnit = Callable[[AccessUnit], None]


class Broken(FarolitoError):
    """A line to a camera that ended, or never began; `state` says how, in the word people see."""

    def __init__(self, state: PictureState, says: str, do: str = "") -> None:
        super().__init__(says, do)
        self.state = state


class Figures(NamedTuple):
    """Of one line, since it opened. `lost`: RTP packets by their sequence numbers; `spoiled`:
    access units thrown away for it; `last_us`: when the newest byte came, µs since 1970;
    `has_b_frames`: units come in decode order, and are not all shown in it."""

    bytes: int = 0
    units: int = 0
    keys: int = 0
    lost: int = 0
    spoiled: int = 0
    last_us: int = 0
    fps: float = 0.0
    key_interval_s: float = 0.0
    width: int = 0
    height: int = 0
    has_b_frames: bool = False


class Upstream(Protocol):
    """A line to a camera. `run` delivers units until it is cancelled, and raises Broken."""

    @property
    def figures(self) -> Figures: ...

    async def run(self, on_unit: OnUnit) -> None: ...
