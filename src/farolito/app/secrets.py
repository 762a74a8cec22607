"""Secrets in files of their own, in the clear, for this account alone: what senders sign with, and
what the command line shows.

A key that only opens a door is kept as a digest. What signs must be known to both sides.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from farolito.model import DeviceId

SECRET_BYTES = 32


class Secrets:
    """`whsec_…` of each dispatch system that signs (Standard Webhooks)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, device_id: DeviceId) -> str | None:
        try:
            return self._path(device_id).read_text().strip()
        except OSError:
            return None

    def make(self, device_id: DeviceId) -> str:
        """A new secret; the one before is worth nothing from now on."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret = "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode()
        path = self._path(device_id)
        path.unlink(missing_ok=True)
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(secret)
        return secret

    def _path(self, device_id: DeviceId) -> Path:
        # A device's id is a slug (`Device` checks it), so it cannot lead elsewhere; an id that
        # a stranger wrote has not been checked.
        name = "".join(c for c in device_id if c.isascii() and (c.isalnum() or c == "-"))
        return self._folder / f"{name}.secret"


def admin_token(state: Path) -> str:
    """What the command line shows to prove that it may read the node's own files."""
    path = state / "admin.token"
    if not path.exists():
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(secrets.token_urlsafe(32))
    return path.read_text().strip()
