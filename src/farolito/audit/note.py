"""Signed notes (c2sp.org/signed-note): text, a blank line, and a line for each signature.

Keys are Ed25519. A key's *type* byte tells what its signature means: 0x01 signs the note's text,
0x04 is a witness's cosignature (c2sp.org/tlog-cosignature) over a time and the text.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from farolito.model import Invalid

SIGNS_TEXT = 0x01
COSIGNS = 0x04
SIGNATURES_MAX = 64  # a note with more is refused; the standard asks for at least 16
NOTE_BYTES_MAX = 1 << 20  # refused beyond

_DASH = "— "
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_BAD_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f]")


def base64_exactly(text: str) -> bytes:
    """Standard base64 that has one spelling only: other spare bits, spaces or padding refused."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, ValueError) as error:
        raise Invalid("text that is not base64") from error
    if b64encode(raw).decode() != text:
        raise Invalid("base64 in a spelling that is not the standard one")
    return raw


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name) or _BAD_TEXT.search(name):
        raise Invalid(f"key name {name!r}", "use a name without spaces and plus signs")


class VerifierKey(msgspec.Struct, frozen=True):
    """Who signs, and the public half of the key. The text form is what is published."""

    name: str
    type: int
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.type not in (SIGNS_TEXT, COSIGNS) or len(self.public) != 32:
            raise Invalid("a key that is not Ed25519", "use a key of type 0x01 or 0x04")

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """From `name+hex(id)+base64(type ‖ public key)`. Raises Invalid."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Invalid("a verifier key that is not name+id+key")
        raw = base64_exactly(parts[2])
        if not raw:
            raise Invalid("a verifier key without its key")
        key = cls(parts[0], raw[0], raw[1:])
        if str(key) != text:
            raise Invalid("a verifier key whose id does not fit its name and key")
        return key

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the published text, in hexadecimal: short enough to read out aloud."""
        return sha256(str(self).encode()).hexdigest()

    def __str__(self) -> str:
        material = b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (without its key id) is this key's over `text`."""
        message = text.encode()
        if self.type == COSIGNS:
            if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES or signature[0] > 0x7F:
                return False
            message = _cosigned(int.from_bytes(signature[:_TIME_BYTES], "big"), text)
            signature = signature[_TIME_BYTES:]
        return self.signed_bytes(message, signature)

    def signed_bytes(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """The private half. Its text form is a secret; nothing prints it but the key's file."""

    def __init__(self, name: str, seed: bytes, type_: int = SIGNS_TEXT) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, type_, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier.name!r})"

    def secret_text(self) -> str:
        """`PRIVATE+KEY+name+hex(id)+base64(type ‖ seed)`, as other tools for notes keep it."""
        key = self.verifier
        material = b64encode(bytes([key.type]) + self._private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{material}"

    @classmethod
    def from_secret_text(cls, text: str) -> SigningKey:
        parts = text.split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
            raise Invalid("a file that holds no signing key")
        raw = base64_exactly(parts[4])
        if len(raw) != 33:
            raise Invalid("a signing key of the wrong length")
        key = cls(parts[2], raw[1:], raw[0])
        if key.verifier.key_id.hex() != parts[3]:
            raise Invalid("a signing key whose id does not fit")
        return key

    def sign(self, text: str) -> str:
        """The signature line over a note's text."""
        assert self.verifier.type == SIGNS_TEXT, "a witness's key cosigns"
        return self._line(self._private.sign(_checked(text).encode()))

    def cosign(self, text: str, at_s: int) -> str:
        """The cosignature line over a checkpoint's text, seen at `at_s` (seconds since 1970)."""
        assert self.verifier.type == COSIGNS, "a log's key signs"
        signature = self._private.sign(_cosigned(at_s, _checked(text)))
        return self._line(at_s.to_bytes(_TIME_BYTES, "big") + signature)

    def seal(self, message: bytes) -> bytes:
        """A bare signature. `message` must not be able to pass for a note's text."""
        return self._private.sign(message)

    def _line(self, signature: bytes) -> str:
        key = self.verifier
        return f"{_DASH}{key.name} {b64encode(key.key_id + signature).decode()}\n"


def _cosigned(at_s: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def _checked(text: str) -> str:
    if not text.endswith("\n") or _BAD_TEXT.search(text):
        raise Invalid("a note's text that does not end its last line, or has control characters")
    return text


class Signature(msgspec.Struct, frozen=True):
    name: str
    key_id: bytes
    signature: bytes

    def is_by(self, key: VerifierKey) -> bool:
        return self.name == key.name and self.key_id == key.key_id

    @property
    def at_s(self) -> int:
        """A cosignature's time, seconds since 1970. Means nothing for other keys."""
        return int.from_bytes(self.signature[:_TIME_BYTES], "big")


class Note(msgspec.Struct, frozen=True):
    """A text and the lines under it. Nothing is verified yet: ask `signed_by`."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Note:
        """Raises Invalid."""
        if len(raw) > NOTE_BYTES_MAX:
            raise Invalid("a note that is too long")
        try:
            whole = raw.decode()
        except UnicodeDecodeError as error:
            raise Invalid("a note that is not UTF-8") from error
        at = whole.rfind("\n\n")
        if at < 0 or not whole.endswith("\n") or _BAD_TEXT.search(whole):
            raise Invalid("text that is not a signed note")
        lines = whole[at + 2 :].removesuffix("\n").split("\n")
        if len(lines) > SIGNATURES_MAX:
            raise Invalid("a note with too many signatures")
        return cls(whole[: at + 1], tuple(_signature(line) for line in lines))

    def signed_by(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """Those of `keys` that signed. A false signature under a known key spoils the note.

        Raises Invalid on such a signature; lines of unknown keys say nothing, as the standard
        has it.
        """
        found = []
        for key in keys:
            by = [s for s in self.signatures if s.is_by(key)]
            if not all(key.signed(self.text, s.signature) for s in by):
                raise Invalid(f"a false signature in the name of {key.name}")
            if by:
                found.append(key)
        return found


def _signature(line: str) -> Signature:
    words = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(words) != 2:
        raise Invalid("a signature line that is not: dash, name, base64")
    _check_name(words[0])
    raw = base64_exactly(words[1])
    if len(raw) < 5:
        raise Invalid("a signature that is too short")
    return Signature(words[0], raw[:4], raw[4:])
