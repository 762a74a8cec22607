"""Still pictures on disk: `pictures/<day>/<first two hex digits>/<sha256>`, a folder a UTC day.

Keeping ends by removing a day's folder. What an alert shows is held longer than the reads around
it, in `held/<day>`, where a second name of the same file costs no space. A file is written beside
its place, synced and renamed, so that a crash leaves either the whole picture or none.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from farolito.model import Invalid

HELD = "held"
_NAME = re.compile(r"[0-9a-f]{64}")


class Pictures:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, day: date, pictures: Mapping[str, bytes]) -> None:
        """Make pictures durable under their names. Blocking. Raises Invalid for a false name."""
        for sha256, content in pictures.items():
            path = self._path(day, sha256)
            if path.exists():
                continue
            if hashlib.sha256(content).hexdigest() != sha256:
                raise Invalid("a picture whose bytes do not match its SHA-256")
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            with beside.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(path)

    def get(self, day: date, sha256: str) -> bytes | None:
        """The picture, or None where its keeping has ended or its bytes are no longer its own."""
        path = self._path(day, sha256)
        if not path.exists():
            path = self._held(day, sha256)
        if not path.exists():
            return None
        content = path.read_bytes()
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def hold(self, day: date, names: Iterable[str]) -> None:
        """Keep these beyond their day's end, for as long as hits are kept. Blocking."""
        for sha256 in names:
            source, held = self._path(day, sha256), self._held(day, sha256)
            if source.exists() and not held.exists():
                held.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, held)

    def drop_before(self, day: date, held_day: date) -> int:
        """End the keeping of days before `day`, and of held pictures of days before `held_day`;
        answers how many went."""
        held = self._folder / HELD
        gone = _drop([f for f in self._folder.iterdir() if f.name != HELD], day)
        return gone + (_drop(held.iterdir(), held_day) if held.exists() else 0)

    def _path(self, day: date, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise Invalid("a picture's name is its SHA-256 in hex")
        return self._folder / day.isoformat() / sha256[:2] / sha256

    def _held(self, day: date, sha256: str) -> Path:
        return self._folder / HELD / day.isoformat() / sha256


def _drop(folders: Iterable[Path], day: date) -> int:
    gone = 0
    for folder in folders:
        if folder.name < day.isoformat():
            gone += sum(1 for file in folder.rglob("*") if file.is_file())
            shutil.rmtree(folder)
    return gone
