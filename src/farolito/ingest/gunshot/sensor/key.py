"""The sensor's own key: made on the sensor, never leaves it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from farolito.model import FarolitoError

_OTHERS = 0o077


def make_key(path: Path) -> str:
    """Writes a new key that only its owner may read; the public key to register, in base64.

    Raises FarolitoError where the file stands already: a key is never written over.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        do = "use it, or name another file: who loses a key registers the sensor anew"
        raise FarolitoError(f"{path} is there already", do) from error
    except OSError as error:
        raise FarolitoError(
            f"cannot write {path}: {error.strerror}", "name another file"
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return public_text(key)


def load_key(path: Path) -> Ed25519PrivateKey:
    """Raises FarolitoError: not there, readable by others, no Ed25519 key."""
    do = f"make one with `farolito sensor key {path}`"
    try:
        if path.stat().st_mode & _OTHERS:
            raise FarolitoError(f"others may read {path}", f"chmod 600 {path}")
        pem = path.read_bytes()
    except OSError as error:
        raise FarolitoError(f"cannot read the key {path}: {error.strerror}", do) from error
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FarolitoError(f"{path} holds no key", do) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FarolitoError(f"{path} holds a key of another kind", do)
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def next_boot(path: Path, now_s: float) -> int:
    """The number of this start, larger than that of any before: it stands beside the key.

    A board without a battery wakes up in the past, so the clock alone would repeat itself.
    Raises FarolitoError where it cannot be kept.
    """
    kept = path.with_name(path.name + ".boot")
    try:
        before = int(kept.read_text()) if kept.exists() else 0
    except (OSError, ValueError):
        before = 0
    boot = max(int(now_s), before + 1)
    try:
        fresh = kept.with_name(kept.name + ".new")
        fresh.write_text(f"{boot}\n")
        fresh.replace(kept)
    except OSError as error:
        do = "let this account write beside the key"
        raise FarolitoError(f"cannot keep {kept}: {error.strerror}", do) from error
    return boot
