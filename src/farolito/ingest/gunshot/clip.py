"""A sensor's short recording: WAV, PCM of 16 bits, one channel, and nothing besides the sound."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import NamedTuple

from farolito.ingest.gunshot.wire import CLIP_BYTES_MAX, CLIP_S_MAX
from farolito.model import Rejected

RATE_HZ_MIN, RATE_HZ_MAX = 4_000, 96_000
_PCM = 1
_SAMPLE_BYTES = 2
_DO = "send RIFF/WAVE with the chunks fmt and data: PCM, 16 bits, one channel"


class Wav(NamedTuple):
    raw: bytes
    rate_hz: int
    seconds: float


def read_clip(text: str) -> Wav:
    """From base64. Raises Rejected: `not_base64`, `too_large`, `not_wav`, `too_long`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected(
            "not_base64", "a clip that is no base64", "send the WAV in base64"
        ) from error
    return read_wav(raw)


def read_wav(raw: bytes) -> Wav:
    """Raises Rejected: `too_large`, `not_wav`, `too_long`."""
    if len(raw) > CLIP_BYTES_MAX:
        says = f"a clip of more than {CLIP_BYTES_MAX // 1024} KiB"
        raise Rejected("too_large", says, "send what was asked for, at a lower rate", 413)
    chunks = _chunks(raw)
    if [name for name, _ in chunks] != [b"fmt ", b"data"] or len(chunks[0][1]) < 16:
        raise Rejected("not_wav", "a clip that is no plain WAV", _DO)
    form, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunks[0][1])
    if (form, channels, bits) != (_PCM, 1, 8 * _SAMPLE_BYTES):
        raise Rejected("not_wav", "a WAV of another form", _DO)
    if not RATE_HZ_MIN <= rate_hz <= RATE_HZ_MAX:
        do = f"record at {RATE_HZ_MIN} to {RATE_HZ_MAX} Hz"
        raise Rejected("not_wav", f"a clip at {rate_hz} Hz", do)
    samples, left = divmod(len(chunks[1][1]), _SAMPLE_BYTES)
    if left or not samples:
        raise Rejected("not_wav", "a clip without whole samples", _DO)
    seconds = samples / rate_hz
    if seconds > CLIP_S_MAX:
        do = f"send at most {CLIP_S_MAX:g} s, and only what was asked for"
        raise Rejected("too_long", f"a clip of {seconds:.2f} s", do)
    return Wav(raw, rate_hz, seconds)


def _chunks(raw: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a RIFF file that is whole. Raises Rejected `not_wav`."""
    if len(raw) < 12 or raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise Rejected("not_wav", "a clip that is no WAV", _DO)
    if struct.unpack_from("<I", raw, 4)[0] != len(raw) - 8:
        raise Rejected("not_wav", "a WAV that is longer or shorter than it says", _DO)
    found, at = [], 12
    while at + 8 <= len(raw):
        name, size = struct.unpack_from("<4sI", raw, at)
        end = at + 8 + size
        if end > len(raw):
            raise Rejected("not_wav", "a WAV whose chunks do not fit into it", _DO)
        found.append((name, raw[at + 8 : end]))
        at = end + size % 2
    if at != len(raw):
        raise Rejected("not_wav", "a WAV with bytes behind its chunks", _DO)
    return found
