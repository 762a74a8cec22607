"""H.264 as it came, in fragmented MP4: for MSE piece by piece, for clips as a whole file.

Nothing is coded anew. Structure: ISO/IEC 14496-12 (boxes), 14496-15 (`avcC`, NAL units with
lengths in front). Times are the true differences between pictures, in ticks of 1/90000 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import NamedTuple

from farolito.codec.boxes import HEAD_BYTES, box, full_box
from farolito.codec.h264 import DELIMITER, PPS, SPS, nal_type, nals
from farolito.codec.sps import read_sps
from farolito.codec.unit import AccessUnit
from farolito.model import Invalid

TIMESCALE = 90_000
USUAL_TICKS = TIMESCALE // 25  # of a picture whose successor nobody has seen
CLIP_HEAD_BYTES = 4096  # a clip's first boxes; the room left over is for new parameter sets
FRAGMENT_UNITS_MAX = 300  # a longer group of pictures is cut into several fragments
FRAGMENT_BYTES_MAX = 16 * 2**20
FRAGMENT_TICKS_MAX = 2**30  # 3.3 hours: where a camera's clock leaps further, it is cut to it
SPS_MAX, PPS_MAX = 31, 255  # as many as an `avcC` can hold

_KEY, _NOT_KEY = 0x0200_0000, 0x0101_0000  # sample flags: depends on none; on others
_PLAIN = frozenset({66, 77, 88})  # profiles whose `avcC` ends with the sets
_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970
_RECEIVED = 8  # flag of `prft`: a time that is taken the same way throughout, here at our door


class Sets(NamedTuple):
    """What a decoder must know first: NAL units without start codes."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]


def ticks_of(us: int) -> int:
    """µs as ticks of 1/90000 s, to the nearest."""
    return (us * 9 + 50) // 100


def sets_of(unit: bytes) -> Sets | None:
    """Every parameter set of an Annex B unit; None where a decoder cannot begin with them."""
    found: dict[int, dict[bytes, None]] = {SPS: {}, PPS: {}}
    for nal in nals(unit):
        found.get(nal_type(nal), {})[nal] = None
    sps, pps = tuple(found[SPS]), tuple(found[PPS])
    return Sets(sps[:SPS_MAX], pps[:PPS_MAX]) if sps and pps else None


def sample_of(unit: bytes, *, with_sets: bool = False) -> bytes:
    """An Annex B unit with lengths instead of start codes, without what the `avcC` says."""
    left_out = (DELIMITER,) if with_sets else (SPS, PPS, DELIMITER)
    return b"".join(
        part
        for nal in nals(unit)
        if nal_type(nal) not in left_out
        for part in (len(nal).to_bytes(4, "big"), nal)
    )


def init_segment(sps: bytes, pps: bytes, timescale: int = TIMESCALE) -> bytes:
    """`ftyp` and `moov`, before the first fragment. Raises Broken for an SPS that is none."""
    return _ftyp() + _moov(Sets((sps,), (pps,)), timescale)


def init_of(unit: bytes) -> bytes:
    """The same from a key unit, with every set in it. Raises Invalid where it has none, Broken."""
    sets = sets_of(unit)
    if sets is None:
        raise Invalid("a unit without parameter sets")
    return _ftyp() + _moov(sets, TIMESCALE)


class Fragmenter:
    """A fragment for every unit, for those who watch live.

    A fragment's time is the unit's own. Its duration is how long the unit before it lasted, since
    waiting for the next one would cost a picture's time; the next fragment's time puts it right.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self._last: int | None = None
        self._ticks = USUAL_TICKS

    def fragment(self, unit: bytes, at: int, is_key: bool, duration: int | None = None) -> bytes:
        """`unit`: Annex B; `at`: ticks since any beginning that all fragments share."""
        if self._last is not None and 0 < at - self._last < 10 * TIMESCALE:
            self._ticks = at - self._last
        self._last = at
        self._sequence += 1
        sample = _Sample(sample_of(unit), at, is_key)
        return _fragment(self._sequence, [sample], [at], at + (duration or self._ticks))


class Writer:
    """A clip as a file. Write `head()`, then what each `add` gives, then what `finish` gives, and
    at last `head()` once more over the first `CLIP_HEAD_BYTES`, now with what was learnt.

    A fragment is a group of pictures, before it the time at which its first byte came (`prft`).
    Where the camera changes its parameter sets, those stay in the pictures (`avc3`) from then on;
    a second sample entry is what the standard has for it and what players do not read.
    """

    def __init__(self, first: AccessUnit) -> None:
        """`first` must be a key unit with its parameter sets. Raises Invalid."""
        sets = sets_of(first.data) if first.is_key else None
        if sets is None:
            raise Invalid("a clip that does not begin at a key frame")
        self._sets = sets
        self._changed = False
        self._start_us = first.media_us
        self._open: list[_Sample] = []
        self._open_us = 0
        self._bytes = 0
        self._sequence = 0
        self._written = CLIP_HEAD_BYTES
        self._keys: list[tuple[int, int]] = []
        self._end = 0  # of the last fragment
        self.frames = 0

    def head(self) -> bytes:
        """`CLIP_HEAD_BYTES`, always. Raises Invalid where the parameter sets do not fit in."""
        made = _ftyp() + _moov(self._sets, TIMESCALE, self._end, in_band=self._changed)
        left = CLIP_HEAD_BYTES - len(made) - HEAD_BYTES
        if left < 0:
            raise Invalid("a camera whose parameter sets are too long for a clip")
        return made + box(b"free", bytes(left))

    def add(self, unit: AccessUnit) -> bytes:
        """What is to be written now: nothing, or the fragment before this unit."""
        at = ticks_of(unit.media_us - self._start_us)
        at = min(max(at, self._end), self._end + FRAGMENT_TICKS_MAX)
        full = len(self._open) >= FRAGMENT_UNITS_MAX or self._bytes >= FRAGMENT_BYTES_MAX
        out = self._close(at) if self._open and (unit.is_key or full) else b""
        if unit.is_key and sets_of(unit.data) not in (None, self._sets):
            self._changed = True
        if not self._open:
            self._open_us = unit.received_us
        content = sample_of(unit.data, with_sets=self._changed)
        sample = _Sample(content, at, unit.is_key)
        self._open.append(sample)
        self._bytes += len(sample.data)
        self.frames += 1
        return out

    def finish(self) -> bytes:
        """The last fragment, and the table by which players find key frames."""
        out = self._close(None) if self._open else b""
        entries = b"".join(pack(">QQ3B", at, where, 1, 1, 1) for at, where in self._keys)
        table = full_box(b"tfra", 1, 0, pack(">III", 1, 0, len(self._keys)), entries)
        size = HEAD_BYTES + len(table) + 16
        return out + box(b"mfra", table, full_box(b"mfro", 0, 0, pack(">I", size)))

    def _close(self, following: int | None) -> bytes:
        """The fragment of what is open; `following`: when the unit after it is shown."""
        self._sequence += 1
        shown = [sample.at for sample in self._open]
        decoded = _ascending(sorted(shown), self._end)
        usual = decoded[-1] - decoded[-2] if len(decoded) > 1 else USUAL_TICKS
        end = max(decoded[-1] + usual if following is None else following, decoded[-1] + 1)
        clock = _prft(self._open_us, shown[0])
        made = clock + _fragment(self._sequence, self._open, decoded, end)
        if self._open[0].is_key:
            self._keys.append((shown[0], self._written + len(clock)))
        self._end = end
        self._written += len(made)
        self._open, self._bytes = [], 0
        return made


class _Sample(NamedTuple):
    data: bytes
    at: int  # when it is shown
    is_key: bool


def _ascending(times: Sequence[int], start: int) -> list[int]:
    """The same times, each at least a tick after the one before and none before `start`."""
    made: list[int] = []
    for at in times:
        made.append(max(at, made[-1] + 1 if made else start))
    return made


def _fragment(sequence: int, samples: Sequence[_Sample], decoded: Sequence[int], end: int) -> bytes:
    """`decoded`: when each sample is decoded, which differs from when it is shown only in a stream
    with B frames; `end`: of the last one."""
    reordered = any(sample.at != at for sample, at in zip(samples, decoded, strict=True))
    size = HEAD_BYTES + _moof_body_bytes(len(samples), reordered)
    lasting = [after - at for at, after in zip(decoded, (*decoded[1:], end), strict=True)]
    listed = b"".join(
        pack(">III", ticks, len(one.data), _KEY if one.is_key else _NOT_KEY)
        + (pack(">i", one.at - at) if reordered else b"")
        for one, at, ticks in zip(samples, decoded, lasting, strict=True)
    )
    kind = (1, 0x0F01) if reordered else (0, 0x0701)
    moof = box(
        b"moof",
        full_box(b"mfhd", 0, 0, pack(">I", sequence)),
        box(
            b"traf",
            full_box(b"tfhd", 0, 0x02_0000, pack(">I", 1)),  # offsets count from the moof
            full_box(b"tfdt", 1, 0, pack(">Q", decoded[0])),
            full_box(b"trun", *kind, pack(">II", len(samples), size + HEAD_BYTES), listed),
        ),
    )
    assert len(moof) == size
    return moof + box(b"mdat", *(one.data for one in samples))


def _moof_body_bytes(samples: int, reordered: bool) -> int:
    return 16 + HEAD_BYTES + 16 + 20 + 20 + (16 if reordered else 12) * samples


def _prft(received_us: int, at: int) -> bytes:
    """Producer reference time: our clock, as NTP writes it, at media time `at`."""
    seconds, us = divmod(received_us, 1_000_000)
    ntp = (seconds + _NTP_EPOCH_S & 0xFFFF_FFFF) << 32 | (us << 32) // 1_000_000
    return full_box(b"prft", 1, _RECEIVED, pack(">IQQ", 1, ntp, at))


def _ftyp() -> bytes:
    return box(b"ftyp", b"iso6", pack(">I", 0), b"iso6avc1mp41")


def _moov(sets: Sets, timescale: int, ticks: int = 0, *, in_band: bool = False) -> bytes:
    shown = read_sps(sets.sps[0])
    width, height = shown.width, shown.height
    mvhd = pack(">IIII", 0, 0, timescale, 0) + pack(">IHHQ", 0x10000, 0x100, 0, 0)
    tkhd = pack(">IIIII", 0, 0, 1, 0, 0) + pack(">QHHHH", 0, 0, 0, 0, 0)
    nothing = pack(">I", 0)
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, pack(">I", 1), _entry(sets, b"avc3" if in_band else b"avc1")),
        full_box(b"stts", 0, 0, nothing),
        full_box(b"stsc", 0, 0, nothing),
        full_box(b"stsz", 0, 0, nothing, nothing),
        full_box(b"stco", 0, 0, nothing),
    )
    minf = box(
        b"minf",
        full_box(b"vmhd", 0, 1, bytes(8)),
        box(b"dinf", full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, 1))),
        stbl,
    )
    mdia = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, nothing, b"vide", bytes(12), b"camera\0"),
        minf,
    )
    return box(
        b"moov",
        full_box(b"mvhd", 0, 0, mvhd, _MATRIX, bytes(24), pack(">I", 2)),
        box(
            b"trak",
            full_box(b"tkhd", 0, 3, tkhd, _MATRIX, pack(">II", width << 16, height << 16)),
            mdia,
        ),
        box(
            b"mvex",
            full_box(b"mehd", 1, 0, pack(">Q", ticks)) if ticks else b"",
            full_box(b"trex", 0, 0, pack(">IIIII", 1, 1, 0, 0, 0)),
        ),
    )


def _entry(sets: Sets, kind: bytes) -> bytes:
    first = sets.sps[0]
    told = read_sps(first)
    config = pack(">B3sBB", 1, first[1:4], 0xFF, 0xE0 | len(sets.sps)) + _listed(sets.sps)
    config += bytes((len(sets.pps),)) + _listed(sets.pps)
    if told.profile not in _PLAIN:
        luma, chroma = told.bit_depth_luma - 8, told.bit_depth_chroma - 8
        config += bytes((0xFC | told.chroma, 0xF8 | luma, 0xF8 | chroma, 0))
    size = pack(">HHII", told.width, told.height, 72 << 16, 72 << 16)
    shape = bytes(6) + pack(">H", 1) + bytes(16) + size + pack(">IH", 0, 1) + bytes(32)
    return box(kind, shape, pack(">Hh", 24, -1), box(b"avcC", config))


def _listed(sets: Sequence[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(2, "big") + one for one in sets)
