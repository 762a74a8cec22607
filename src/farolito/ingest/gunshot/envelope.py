"""farolito-sensor 1: how a sensor seals what it says. docs/sensor-protocol.md.

    farolito-sensor 1 ridge-04 1795400000 17 1795400123456789\n    who, boot, sequence, sent at (µs)
    {"pulses": [...]}\n                                            JSON (wire.py)
    zJ3...==                                                       Ed25519 over all that is before

The signature covers the bytes as they are: nothing is parsed and written again before it is
checked. A sensor that waits for wants shows `farolito-wants 1 …`, sealed in the same way, so that
one can never stand for the other.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from farolito.model import Rejected

SEALED_BYTES_MAX = 512 * 1024  # a clip of 256 KiB in base64, and pulses beside it
VERSION = 1
_HEAD = re.compile(
    rb"(farolito-(?:sensor|wants)) ([0-9]{1,3}) ([a-z0-9][a-z0-9-]{0,63})"
    rb" ([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,17})"
)
_HEAD_BYTES_MAX = 200
_SIGNATURE_CHARACTERS = 88  # 64 bytes in base64
_DO = "send what docs/sensor-protocol.md describes"


class Says(StrEnum):
    """What a sealed message is for."""

    SOUND = "farolito-sensor"
    WANTS = "farolito-wants"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """`boot` grows with each start of the sensor (seconds since 1970 will do), `sequence` with
    each message after it. `sent_us`: µs since 1970, by the sensor's clock."""

    sensor: str
    boot: int
    sequence: int
    sent_us: int
    says: Says = Says.SOUND

    @property
    def line(self) -> bytes:
        said = (self.says, VERSION, self.sensor, self.boot, self.sequence, self.sent_us)
        return " ".join(map(str, said)).encode()


class Sealed(msgspec.Struct, frozen=True):
    """A message taken apart. Nothing of it is believed before `check`."""

    head: Head
    body: bytes
    signed: bytes
    signature: bytes

    def check(self, public_key: bytes) -> None:
        """Raises Rejected `wrong_signature` (401). `public_key`: the 32 bytes of an Ed25519 key."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self.signed)
        except (InvalidSignature, ValueError) as error:
            do = "sign with the key that is registered for this sensor"
            says = "a message that this sensor did not sign, or that was changed on its way"
            raise Rejected("wrong_signature", says, do, 401) from error


def seal(key: Ed25519PrivateKey, head: Head, message: Mapping[str, Any] | bytes) -> bytes:
    """The bytes that go over HTTP or MQTT. `message`: as wire.Message has it, or its JSON."""
    body = message if isinstance(message, bytes) else msgspec.json.encode(message)
    signed = head.line + b"\n" + body + b"\n"
    return signed + base64.b64encode(key.sign(signed))


def open_sealed(sealed: bytes) -> Sealed:
    """Raises Rejected: `too_large` (413), `not_sealed`, `unknown_version`."""
    if len(sealed) > SEALED_BYTES_MAX:
        says = f"a message of more than {SEALED_BYTES_MAX // 1024} KiB"
        raise Rejected("too_large", says, "send less at once", 413)
    ends = sealed.find(b"\n", 0, _HEAD_BYTES_MAX)
    match = _HEAD.fullmatch(sealed, 0, max(ends, 0))
    if match is None:
        raise Rejected("not_sealed", "a message without the head of a sensor's", _DO)
    if int(match[2]) != VERSION:
        says = f"version {int(match[2])} of farolito-sensor"
        raise Rejected("unknown_version", says, f"send version {VERSION}")
    signed, newline, signature = sealed.rstrip(b"\r\n").rpartition(b"\n")
    if len(signed) <= ends or len(signature) != _SIGNATURE_CHARACTERS:
        raise Rejected("not_sealed", "a message without a signature in its last line", _DO)
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected("not_sealed", "a signature that is no base64", _DO) from error
    head = Head(
        sensor=match[3].decode(),
        boot=int(match[4]),
        sequence=int(match[5]),
        sent_us=int(match[6]),
        says=Says(match[1].decode()),
    )
    return Sealed(head, signed[ends + 1 :], signed + newline, raw)
