"""The units of a feed as fMP4, for browsers without WebCodecs: made once for all of them, and only
while there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farolito.codec import Broken
from farolito.codec.fmp4 import Fragmenter, Sets, init_of, sets_of, ticks_of
from farolito.codec.h264 import codec_string, size_of
from farolito.media.wire import INIT, KEY, Packed, Starts, binary, text
from farolito.model import Invalid


class Beginning(NamedTuple):
    """What a browser must have before the first fragment, as frames."""

    told: bytes
    segment: bytes


class Fragments:
    """Of one feed. `beginning` is the same object until the camera changes its parameters, and
    None while there is nothing that a browser could begin with."""

    def __init__(self) -> None:
        self.beginning: Beginning | None = None
        self._sets: Sets | None = None
        self._fragmenter = Fragmenter()
        self._made: tuple[int, bytes] = (-1, b"")  # of which unit, and its fragment

    def of(self, packed: Packed) -> bytes | None:
        """The newest unit's fragment as a frame."""
        if self._made[0] != packed.sequence:
            if packed.is_key:
                self.begin(packed)
            if self.beginning is None:
                return None
            self._made = (packed.sequence, _fragment(self._fragmenter, packed))
        return self._made[1]

    def past(self, cached: Sequence[Packed]) -> list[bytes]:
        """Fragments of a key unit and what came after it, for one who comes late."""
        self.begin(cached[0])
        if self.beginning is None:
            return []
        fragmenter = Fragmenter()
        return [_fragment(fragmenter, packed) for packed in cached]

    def begin(self, packed: Packed) -> None:
        """A key unit: are its parameters new?"""
        unit = packed.frame[packed.at :]
        sets = sets_of(unit)
        if sets is None or sets == self._sets:
            return
        try:
            width, height = size_of(sets.sps[0])
            starts = Starts(codec=codec_string(sets.sps[0]), width=width, height=height)
            segment = init_of(unit)
        except (Broken, Invalid):  # the picture's state says so
            self.beginning = self._sets = None
            return
        self._sets = sets
        self.beginning = Beginning(text(starts), binary(INIT, packed, segment))


def _fragment(fragmenter: Fragmenter, packed: Packed) -> bytes:
    unit = packed.frame[packed.at :]
    fragment = fragmenter.fragment(unit, ticks_of(packed.media_us), packed.is_key)
    return binary(KEY if packed.is_key else 0, packed, fragment)
