"""What a practice sensor sends, byte for byte, by docs/sensor-protocol.md alone.

Written a second time on purpose: a simulator that borrowed the door's own code would prove nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from farolito.acoustics import Pulse

Body = Mapping[str, Any]


class Signing:
    """One sensor from one start on: each message gets the next number."""

    def __init__(self, sensor: str, key: bytes, boot: int) -> None:
        self.sensor = sensor
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self._boot = boot
        self._sequence = 0

    def message(self, body: Body, now_s: float) -> bytes:
        self._sequence += 1
        return self._sealed("farolito-sensor", self._sequence, body, now_s)

    def poll(self, after: int, now_s: float) -> str:
        """What the sensor shows when it asks for wants."""
        sealed = self._sealed("farolito-wants", 0, {"after": after}, now_s)
        return base64.b64encode(sealed).decode()

    def _sealed(self, word: str, sequence: int, body: Body, now_s: float) -> bytes:
        head = f"{word} 1 {self.sensor} {self._boot} {sequence} {round(now_s * 1e6)}"
        signed = f"{head}\n{json.dumps(body)}\n".encode()
        return signed + base64.b64encode(self._key.sign(signed))


def pulses(heard: Iterable[Pulse]) -> Body:
    return {
        "pulses": [
            {
                "at": round(one.at_s * 1e6),
                "level_db": _rounded(one.level_db),
                "snr_db": _rounded(one.snr_db),
                "bands_db": [round(band, 1) for band in one.bands_db],
                "rise_ms": _rounded(one.rise_ms),
                "decay_ms": _rounded(one.decay_ms),
            }
            for one in heard
        ]
    }


def heartbeat(now_s: float, temperature_c: float, noise_db: float, wind: Body | None) -> Body:
    return {
        "heartbeat": {
            "at": round(now_s * 1e6),
            "clock_error_s": 0.0002,
            "clock_source": "gps",
            "noise_db": round(noise_db, 1),
            "temperature_c": round(temperature_c, 1),
            "version": "practice 1",
            **(wind or {}),
        }
    }


def clip(want: int, starts_s: float, wav: bytes) -> Body:
    told = {"want": want, "starts_at": round(starts_s * 1e6), "wav": base64.b64encode(wav).decode()}
    return {"clip": told}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
