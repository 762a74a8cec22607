"""WAV bytes: one channel of them as numbers, and numbers as 16-bit WAV bytes again.

Reads PCM of 8, 16, 24 and 32 bits and 32-bit floats, plain or "extensible" (RIFF, Multimedia
Programming Interface 1.0; WAVEFORMATEXTENSIBLE). Compressed kinds are refused by name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.model import Invalid

Samples = npt.NDArray[np.float64]

WAV_BYTES_MAX = 512 * 1024 * 1024
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_DO = "give PCM WAV of 8, 16, 24 or 32 bits, or 32-bit floats"
_HEADER_BYTES = 44


class Recording(msgspec.Struct, frozen=True):
    """One channel, −1…1, float64."""

    samples: Samples
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


class _Format(msgspec.Struct, frozen=True):
    kind: int
    channels: int
    rate_hz: int
    bits: int


def decode_wav(wav: bytes, channel: int = 0) -> Recording:
    """Raises Invalid: no WAV, cut off, a kind that is not read, a channel that is not there."""
    if len(wav) > WAV_BYTES_MAX:
        raise Invalid(f"a WAV of more than {WAV_BYTES_MAX >> 20} MiB", "cut it into parts")
    if len(wav) < 12 or wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise Invalid("this is no WAV", _DO)
    form: _Format | None = None
    for name, body in _chunks(wav):
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            if form is None:
                raise Invalid("a WAV whose sound stands before its format", _DO)
            if not 0 <= channel < form.channels:
                says = f"channel {channel} of a WAV with {form.channels}"
                raise Invalid(says, f"ask for 0…{form.channels - 1}")
            return Recording(_numbers(body, form)[:, channel].copy(), form.rate_hz)
    raise Invalid("a WAV without sound", "record it again")


def _chunks(wav: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        body = wav[at + 8 : at + 8 + size]
        if len(body) < size:
            raise Invalid(
                f"a WAV that is cut off: {len(body)} of {size} bytes in its part {name!r}",
                "copy it again, or record it again",
            )
        yield name, body
        at += 8 + size + size % 2


def _format(body: bytes) -> _Format:
    if len(body) < 16:
        raise Invalid("a WAV whose format is cut off", _DO)
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind == _EXTENSIBLE and len(body) >= 26:
        (kind,) = struct.unpack_from("<H", body, 24)
    known = (kind == _PCM and bits in {8, 16, 24, 32}) or (kind == _FLOAT and bits == 32)
    if not known:
        raise Invalid(f"a WAV of kind {kind} with {bits} bits", _DO)
    if not channels or not rate_hz:
        raise Invalid("a WAV without channels or without a rate", _DO)
    return _Format(kind, channels, rate_hz, bits)


def _numbers(body: bytes, form: _Format) -> Samples:
    """(frames, channels); an unfinished last frame is left out."""
    width = form.bits // 8 * form.channels
    body = body[: len(body) // width * width]
    if form.kind == _FLOAT:
        flat = np.frombuffer(body, dtype="<f4").astype(np.float64)
    elif form.bits == 8:  # the only width without a sign
        flat = (np.frombuffer(body, dtype=np.uint8).astype(np.float64) - 128.0) / 128.0
    elif form.bits == 24:
        three = np.frombuffer(body, dtype=np.uint8).reshape(-1, 3)
        four = np.zeros((len(three), 4), dtype=np.uint8)
        four[:, 1:] = three  # as the upper bytes of 32 bits, so that the sign comes along
        flat = four.view("<i4")[:, 0] / 2.0**31
    else:
        flat = np.frombuffer(body, dtype=f"<i{form.bits // 8}") / 2.0 ** (form.bits - 1)
    return np.asarray(flat, dtype=np.float64).reshape(-1, form.channels)


def encode_wav(recording: Recording) -> bytes:
    """16-bit PCM, mono. Louder than full scale is clipped."""
    steps = np.clip(np.rint(recording.samples * 32_768.0), -32_768, 32_767).astype("<i2")
    sound = steps.tobytes()
    rate = recording.rate_hz
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, 1, rate, 2 * rate, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", _HEADER_BYTES - 8 + len(sound), b"WAVE")
    return head + form + struct.pack("<4sI", b"data", len(sound)) + sound
