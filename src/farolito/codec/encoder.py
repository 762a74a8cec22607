"""Our own H.264 encoder: Constrained Baseline, one slice a picture, no motion.

In: pictures as I420. Out: NAL units that any decoder takes; the first of a key picture are the
parameter sets. What does not change costs a bit or less, so a street with a few cars is cheap;
a picture that moves as a whole is dear, and its quantiser rises until the bit rate is held again.
Never: B pictures, reordering, anything outside ITU-T H.264 Annex A.2.1.1.

Figures (2 cores, one used): a picture of a street at 640x360 1–3 ms, at 1280x720 4–10 ms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farolito.codec.encoder_bits import escape
from farolito.codec.encoder_picture import Planes, code_picture
from farolito.codec.encoder_tables import MB

START = b"\x00\x00\x00\x01"
QP = (20, 40)  # the finest and the coarsest picture; beyond, the bit rate is not held
QP_FIRST = 27
KEY_EVERY_S = 2.0
KEY_SHARE = 0.5  # of the bits between two key pictures, at most, the key picture's
_FRAME_NUM_BITS = 8
_LEVELS = (  # Table A-1: level_idc, macroblocks a picture, macroblocks a second
    (30, 1_620, 40_500), (31, 3_600, 108_000), (40, 8_192, 245_760), (51, 36_864, 983_040),
)  # fmt: skip


class Coded(NamedTuple):
    """One picture: its NAL units without start codes. `qp`: how coarse it is."""

    nals: tuple[bytes, ...]
    is_key: bool
    qp: int

    @property
    def annex_b(self) -> bytes:
        return b"".join(START + nal for nal in self.nals)


class Encoder:
    """Pictures of one size, in order. `bit_rate` in bits a second; a given `qp` is kept instead.

    Width and height are even. Holds some 5 bytes a pixel.
    """

    def __init__(
        self, width: int, height: int, fps: float, bit_rate: int = 1_000_000, qp: int | None = None
    ) -> None:
        if width % 2 or height % 2 or not (width > 0 and height > 0):
            raise ValueError(f"{width}x{height}: H.264 4:2:0 wants even sides")
        self.width, self.height, self.fps = width, height, fps
        self.sps = _sps(width, height, fps)
        self.pps = _pps()
        self._rows, self._columns = -(-height // MB), -(-width // MB)
        self._now, self._was, self._seen = self._planes(), self._planes(), self._planes()
        blocks = 4 * self._rows, 4 * self._columns
        self._counts: Planes = (
            np.zeros(blocks, np.uint8),
            np.zeros((blocks[0] // 2, blocks[1] // 2), np.uint8),
            np.zeros((blocks[0] // 2, blocks[1] // 2), np.uint8),
        )
        room = self._rows * self._columns * 420 + 1_000
        self._raw, self._escaped = np.zeros(room, np.uint8), np.zeros(room * 3 // 2, np.uint8)
        self._rate = _Rate(bit_rate, fps, qp)
        self._key_number, self._frame_num = 0, 0
        self._since_key = -1

    @staticmethod
    def parameters(width: int, height: int, fps: float) -> tuple[bytes, bytes]:
        """SPS and PPS, without an encoder's memory."""
        return _sps(width, height, fps), _pps()

    def encode(self, picture: NDArray[np.uint8], key: bool = False) -> Coded:
        """`picture`: I420, height · 3/2 by width. A key picture where asked, and every 2 s."""
        is_key = key or not 0 <= self._since_key < self._rate.between - 1
        self._since_key = 0 if is_key else self._since_key + 1
        self._was, self._now = self._now, self._was
        self._take(picture)
        qp = self._rate.qp(is_key)
        self._frame_num = 0 if is_key else (self._frame_num + 1) % (1 << _FRAME_NUM_BITS)
        self._key_number ^= is_key
        nal = self._slice(is_key, qp)
        self._rate.wrote(8 * len(nal), is_key)
        return Coded((self.sps, self.pps, nal) if is_key else (nal,), is_key, qp)

    def as_decoded(self) -> NDArray[np.uint8]:
        """The last picture as every decoder must show it, I420."""
        y, u, v = self._seen
        w, h = self.width, self.height
        parts = [y[:h, :w], u[: h // 2, : w // 2], v[: h // 2, : w // 2]]
        return np.concatenate([p.ravel() for p in parts]).reshape(h * 3 // 2, w)

    def _planes(self) -> Planes:
        y = self._rows * MB, self._columns * MB
        c = y[0] // 2, y[1] // 2
        return np.zeros(y, np.uint8), np.zeros(c, np.uint8), np.zeros(c, np.uint8)

    def _take(self, picture: NDArray[np.uint8]) -> None:
        w, h = self.width, self.height
        if picture.shape != (h * 3 // 2, w):
            raise ValueError(f"a picture of {picture.shape}, not {(h * 3 // 2, w)}")
        flat = picture.reshape(-1)
        for plane, start, part in zip(
            self._now, (0, w * h, w * h * 5 // 4), (1, 2, 2), strict=True
        ):
            high, wide = h // part, w // part
            plane[:high, :wide] = flat[start : start + high * wide].reshape(high, wide)
            # What is cropped away repeats the edge: that is cheapest.
            plane[high:, :wide] = plane[high - 1, :wide]
            plane[:, wide:] = plane[:, wide - 1 : wide]

    def _slice(self, is_key: bool, qp: int) -> bytes:
        head = _Bits()
        head.ue(0)  # first_mb_in_slice
        head.ue(7 if is_key else 5)
        head.ue(0)  # which PPS
        head.u(self._frame_num, _FRAME_NUM_BITS)
        if is_key:
            head.ue(self._key_number)  # two keys that follow each other differ
            head.u(0, 2)  # earlier pictures are not shown; this one is no long-term reference
        else:
            head.u(0, 3)  # one reference, not reordered, leaves as it came
        head.se(qp - 26)
        head.ue(1)  # no deblocking
        at = np.zeros(3, np.int64)
        whole = head.value >> (head.count % 8)
        full = whole.to_bytes(head.count // 8, "big")
        self._raw[: len(full)] = np.frombuffer(full, np.uint8)
        at[:] = len(full), head.value & ((1 << head.count % 8) - 1), head.count % 8
        for plane in self._counts:
            plane[:] = 0
        pictures = (self._now, self._was, self._seen)
        how = np.array((qp, is_key), np.int32)
        code_picture(pictures, self._counts, how, (self._raw, at))
        tail = (int(at[1]) << 1 | 1) << (7 - int(at[2]))
        self._raw[at[0]] = tail
        count = escape(self._raw, int(at[0]) + 1, self._escaped)
        return (b"\x65" if is_key else b"\x41") + self._escaped[:count].tobytes()


class _Rate:
    """How coarse the next picture must be.

    Two quantisers: of key pictures, and of those between. Each follows its own share of the bits
    with a step of at most 4 up and 1 down, so that a still street does not pulse.
    """

    def __init__(self, bit_rate: int, fps: float, qp: int | None) -> None:
        self.between = max(1, round(KEY_EVERY_S * fps))
        self._fixed = qp
        self._key_bits = bit_rate * KEY_EVERY_S * KEY_SHARE
        self._bits = bit_rate * (1 - KEY_SHARE) / fps
        self._key_qp = self._qp = float(QP_FIRST)
        self._mean = 0.0

    def qp(self, is_key: bool) -> int:
        if self._fixed is not None:
            return self._fixed
        return round(self._key_qp if is_key else max(self._qp, self._key_qp))

    def wrote(self, bits: int, is_key: bool) -> None:
        low, high = QP
        if is_key:
            # Six steps of the quantiser are twice the step and some 45 % fewer bits.
            step = 7 * np.log2(max(bits, 1) / self._key_bits)
            if step > 0 or step < -4:
                self._key_qp = float(np.clip(self._key_qp + np.clip(step, -1, 4), low, high))
            return
        self._mean += 0.25 * (bits - self._mean)
        step = 6 * np.log2(max(self._mean, bits / 3, 1) / self._bits)
        self._qp = float(np.clip(self._qp + np.clip(step, -0.5, 2), low, high))


class _Bits:
    """A short row of bits, the first one highest."""

    def __init__(self) -> None:
        self.value, self.count = 0, 0

    def u(self, value: int, bits: int) -> None:
        self.value, self.count = self.value << bits | value, self.count + bits

    def ue(self, value: int) -> None:
        self.u(value + 1, 2 * (value + 1).bit_length() - 1)

    def se(self, value: int) -> None:
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def nal(self, header: int) -> bytes:
        """With the stop bit, and without start codes within."""
        self.u(1, 1)
        self.u(0, -self.count % 8)
        raw = np.frombuffer(self.value.to_bytes(self.count // 8, "big"), np.uint8)
        out = np.zeros(len(raw) * 2, np.uint8)
        return bytes([header]) + out[: escape(raw, len(raw), out)].tobytes()


def _sps(width: int, height: int, fps: float) -> bytes:
    """7.3.2.1.1 and E.1.1: Constrained Baseline, order of decoding is order of showing."""
    columns, rows = -(-width // MB), -(-height // MB)
    size = columns * rows
    level = next((i for i, most, speed in _LEVELS if size <= most and size * fps <= speed), 51)
    bits = _Bits()
    bits.u(66, 8)
    bits.u(0b1100_0000, 8)
    bits.u(level, 8)
    for value in (0, _FRAME_NUM_BITS - 4, 2, 1):  # id, frame numbers, order by itself, 1 reference
        bits.ue(value)
    bits.u(0, 1)
    bits.ue(columns - 1)
    bits.ue(rows - 1)
    bits.u(0b11, 2)  # frames only, direct_8x8_inference
    crop = (columns * MB - width) // 2, (rows * MB - height) // 2
    bits.u(1 if any(crop) else 0, 1)
    if any(crop):
        for value in (0, crop[0], 0, crop[1]):
            bits.ue(value)
    bits.u(1, 1)  # VUI
    bits.u(0b00, 2)  # square samples, overscan not told
    bits.u(1, 1)
    bits.u(5, 3)  # no special video format
    bits.u(0, 1)  # 16 to 235
    bits.u(1, 1)
    for _ in range(3):
        bits.u(6, 8)  # BT.601, as OpenCV converts
    bits.u(0, 1)
    bits.u(1, 1)
    bits.u(1_000, 32)
    bits.u(round(fps * 2_000), 32)
    bits.u(1, 1)  # at a fixed rate
    bits.u(0b000, 3)  # no HRD, no pic_struct
    bits.u(1, 1)  # bitstream restriction
    bits.u(1, 1)
    for value in (0, 0, 10, 10, 0, 1):  # nothing is reordered, one picture is held
        bits.ue(value)
    return bits.nal(0x67)


def _pps() -> bytes:
    """7.3.2.2."""
    bits = _Bits()
    bits.ue(0)
    bits.ue(0)
    bits.u(0b00, 2)  # CAVLC
    for value in (0, 0, 0):  # one slice group, one reference
        bits.ue(value)
    bits.u(0b000, 3)
    for _ in range(3):
        bits.se(0)
    bits.u(0b100, 3)  # deblocking is told in each slice
    return bits.nal(0x68)


def warm_up() -> None:
    """Compile the loops, or load them from where they are kept."""
    encoder = Encoder(32, 32, 25.0, qp=24)
    chance = np.random.default_rng(1)
    for key in (True, False, False):
        encoder.encode(chance.integers(0, 255, (48, 32)).astype(np.uint8), key)
