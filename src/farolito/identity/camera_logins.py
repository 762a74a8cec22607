"""What cameras want to hear, sealed for the database, which never has the key.

AES-256-GCM (NIST SP 800-38D), a random nonce each. The camera's id is bound in, so that a row
copied to another camera opens nothing. The key lies in a file of its own, for this account alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from farolito.model import CameraId, Invalid, Login

KEY_BYTES = 32
NONCE_BYTES = 12

_encode = msgspec.msgpack.Encoder().encode
_login = msgspec.msgpack.Decoder(Login).decode


class CameraLogins:
    """Seals and opens with the key in `path`, which is made on the first start (mode 0600).

    Raises Invalid for a key file that others may read, or that holds no key.
    """

    def __init__(self, path: Path, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._box = AESGCM(_key(path, random))

    def seal(self, camera_id: CameraId, login: Login) -> bytes:
        nonce = self._random(NONCE_BYTES)
        return nonce + self._box.encrypt(nonce, _encode(login), camera_id.encode())

    def open(self, camera_id: CameraId, sealed: bytes) -> Login:
        """Raises Invalid for what another key sealed, or for another camera."""
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return _login(self._box.decrypt(nonce, body, camera_id.encode()))
        except (InvalidTag, ValueError, msgspec.DecodeError) as error:
            raise Invalid(
                f"the login of camera {camera_id} does not open",
                "restore keys/cameras.key from the backup, or import the camera's login again",
            ) from error


def _key(path: Path, random: Callable[[int], bytes]) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = random(KEY_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return key
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Invalid(f"the cameras' key in {path} can be read by others", f"chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise Invalid(f"{path} holds no key of {KEY_BYTES} bytes", "restore it from the backup")
    return key
