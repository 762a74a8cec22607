"""The H.264 units of one line, made fit to be handed on: whole, from a key on, in one line of time.

What comes out begins with a key unit that carries its parameter sets; after a loss nothing comes
until the next one, since a half picture is worse than none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from farolito.codec import AccessUnit, Broken, Figures, h264
from farolito.model import PictureState

UNIT_BYTES_MAX = 4 * 2**20  # a larger one is TOO_MUCH
RATE_BITS_MAX = 40_000_000  # a second, over RATE_S; more is TOO_MUCH
RATE_S = 10.0
_WRAP = 1 << 33  # of a time stamp in MPEG-TS, 90,000 a second
_JUMP_TICKS = 10 * 90_000  # more than this is a new time, not a pause
_USUAL_TICKS = 3_600  # of a picture, until two have come
_KEPT = 100  # units over which `fps` is reckoned
_DELIMITER = b"\x00\x00\x01\x09"


class Units:
    """Takes Annex B with its time in ticks of 1/90000 s, gives AccessUnits and Figures."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._figures = Figures()
        self._sets: tuple[bytes, bytes] | None = None
        self._waiting = True  # for a key
        self._ticks: int | None = None
        self._step = _USUAL_TICKS
        self._media = 0  # ticks
        self._times: deque[int] = deque(maxlen=_KEPT)
        self._key_at: int | None = None
        self._key_ticks = 0
        self._window: tuple[int, int] = (0, 0)  # since when (µs), bytes

    @property
    def figures(self) -> Figures:
        times = self._times
        span = (times[-1] - times[0]) / 90_000 if len(times) > 1 else 0.0
        return self._figures._replace(
            fps=(len(times) - 1) / span if span > 0 else 0.0,
            key_interval_s=self._key_ticks / 90_000,
        )

    def came(self, size: int) -> None:
        """Bytes came. Raises Broken TOO_MUCH."""
        now_us, before = self._now_us(), self._figures
        self._figures = before._replace(bytes=before.bytes + size, last_us=now_us)
        since, taken = self._window
        if not since or now_us - since > RATE_S * 1e6 or now_us < since:
            since, taken = now_us, 0
        self._window = (since, taken + size)
        if (taken + size) * 8 > RATE_BITS_MAX * RATE_S:
            says = f"the camera sends more than {RATE_BITS_MAX // 1_000_000} Mbit/s"
            raise Broken(PictureState.TOO_MUCH, says, "lower its bit rate")

    def set_sets(self, sps: bytes, pps: bytes) -> None:
        """Parameter sets that came beside the stream. Raises Broken MALFORMED."""
        self._sets = (sps, pps)
        width, height = h264.size_of(sps)
        self._figures = self._figures._replace(width=width, height=height)

    def lost(self, count: int = 0) -> None:
        """Something is missing: wait for the next key. `count`: packets, where it is known."""
        self._waiting = True
        self._figures = self._figures._replace(lost=self._figures.lost + count)

    def anew(self) -> None:
        """The stream begins anew (a discontinuity that was announced)."""
        self._waiting, self._ticks = True, None

    def take(self, data: bytes, ticks: int | None) -> Iterator[AccessUnit]:
        """The units in `data`: one, or several that came under one time. Raises Broken."""
        if len(data) > UNIT_BYTES_MAX:
            says = f"the camera sends a picture of more than {UNIT_BYTES_MAX // 1024} KiB"
            raise Broken(PictureState.TOO_MUCH, says, "lower its bit rate")
        for number, part in enumerate(_by_delimiter(data)):
            made = self._unit(part, ticks if number == 0 else None)
            if made is not None:
                yield made

    def _unit(self, data: bytes, ticks: int | None) -> AccessUnit | None:
        self._advance(ticks)
        kinds = {h264.nal_type(nal) for nal in h264.nals(data)}
        is_key = h264.KEY_SLICE in kinds
        if not is_key and h264.SLICE not in kinds and not kinds & {2, 3, 4}:
            return None  # no picture in it: an SEI, a filler
        if is_key:
            self._keep_sets(data, kinds)
        if self._sets is None or (self._waiting and not is_key):
            self._figures = self._figures._replace(spoiled=self._figures.spoiled + 1)
            return None
        self._waiting = False
        if is_key and not {h264.SPS, h264.PPS} <= kinds:
            data = h264.annex_b([*self._sets]) + data
        self._count(is_key)
        return AccessUnit(data, self._media * 100 // 9, self._now_us(), is_key)

    def _keep_sets(self, data: bytes, kinds: set[int]) -> None:
        if h264.SPS in kinds and h264.PPS in kinds:
            found = h264.parameter_sets(data)
            if found is not None and found != self._sets:
                self.set_sets(*found)

    def _advance(self, ticks: int | None) -> None:
        if ticks is None or self._ticks is None:
            self._media += self._step if self._times else 0
        else:
            step = (ticks - self._ticks) % _WRAP
            if 0 < step < _JUMP_TICKS:
                self._step = step
            self._media += self._step
        if ticks is not None:
            self._ticks = ticks % _WRAP
        elif self._ticks is not None:
            self._ticks = (self._ticks + self._step) % _WRAP

    def _count(self, is_key: bool) -> None:
        before = self._figures
        self._figures = before._replace(units=before.units + 1, keys=before.keys + is_key)
        self._times.append(self._media)
        if is_key:
            if self._key_at is not None:
                self._key_ticks = self._media - self._key_at
            self._key_at = self._media


def _by_delimiter(data: bytes) -> Iterator[bytes]:
    """Several units under one time stamp, cut where a delimiter begins the next one."""
    begin, at = 0, data.find(_DELIMITER, 4)
    while at >= 0:
        cut = at - 1 if data[at - 1] == 0 else at
        yield data[begin:cut]
        begin, at = cut, data.find(_DELIMITER, at + 4)
    yield data[begin:]
