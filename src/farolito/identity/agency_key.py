"""The key that *is* an agency to its partners, made on its own node and never leaving it.

Ed25519 (RFC 8032). What is signed says first what it is, so that a signature over one kind of
thing never passes for another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from farolito.model import Invalid

SEED_BYTES = 32
SIGNATURE_BYTES = 64
_WORDS_OF_FINGERPRINT = 8


class AgencyKey:
    """The private half."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw().hex()

    def __repr__(self) -> str:
        return f"AgencyKey({self.public[:8]}…)"

    @classmethod
    def load(cls, path: Path, random: Callable[[int], bytes]) -> AgencyKey:
        """The key in `path`, made at the first start (mode 0600). Raises Invalid where others may
        read the file, or it holds no key."""
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            seed = random(SEED_BYTES)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(seed.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            return cls(seed)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Invalid(f"the agency's key in {path} can be read by others", f"chmod 600 {path}")
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError as error:
            raise Invalid(f"{path} holds no agency's key", "restore it from the backup") from error

    def sign(self, kind: str, message: bytes) -> bytes:
        """Over `message` as a thing of this kind ("envelope", "agreement", "card" …)."""
        return self._private.sign(_said(kind, message))


def signed_by(public: str, kind: str, message: bytes, signature: bytes) -> bool:
    """Whether the holder of `public` (hexadecimal) signed just this, as just this kind."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(signature, _said(kind, message))
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: str) -> str:
    """What two people read to each other over the telephone: eight groups of four digits."""
    digest = sha256(f"farolito agency key\n{public}".encode()).hexdigest()
    groups = [digest[i : i + 4] for i in range(0, 4 * _WORDS_OF_FINGERPRINT, 4)]
    return " ".join(groups)


def _said(kind: str, message: bytes) -> bytes:
    return f"farolito/{kind}/v1\n".encode() + message
