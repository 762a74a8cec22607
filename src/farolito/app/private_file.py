"""A file that only this account can read, from the moment it is there."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(path, "wb", opener=_private) as out:
        out.write(content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)
