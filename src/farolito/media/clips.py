"""Clips on disk: `clips/<day>/<clip id>.mp4` with its manifest beside it, `.json`.

A file is written in `clips/.making`, synced, made read-only and linked into its place, where
nothing is ever written over. What a crash leaves in `.making` goes at the next start; what lies in
its place and has no row in the records is put away then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from farolito.model import ClipId, FarolitoError

MAKING, LOST = ".making", ".lost"
SUFFIX = ".mp4"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(mp4|json)")


class ClipGone(FarolitoError):
    """A clip whose file is not where it was put, or no longer what it was."""


class ClipFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making = folder / MAKING
        self._lost = folder / LOST
        self._making.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)

    def draft(self, clip_id: ClipId, what: str) -> Path:
        """Where a part of an unfinished clip is written."""
        return self._making / f"{clip_id}.{what}{SUFFIX}"

    def discard(self, clip_id: ClipId) -> None:
        """Drop what was drafted for it. Blocking."""
        for file in self._making.glob(f"{clip_id}.*"):
            file.unlink(missing_ok=True)

    def place(self, clip_id: ClipId, day: date, draft: Path, manifest: bytes) -> None:
        """Make a clip durable, its manifest first. Blocking. Raises FileExistsError."""
        path = self.path(clip_id, day)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        beside = self._making / f"{clip_id}.manifest"
        beside.write_bytes(manifest)
        done: list[Path] = []
        try:
            for written, name in ((beside, path.with_suffix(".json")), (draft, path)):
                _sync(written)
                written.chmod(0o400)
                os.link(written, name)  # never over a file that is there
                done.append(name)
        except BaseException:
            for name in done:
                name.unlink()
            raise
        _sync(path.parent)
        _sync(self._folder)
        self.discard(clip_id)

    def path(self, clip_id: ClipId, day: date) -> Path:
        return self._folder / day.isoformat() / f"{clip_id}{SUFFIX}"

    def get(self, clip_id: ClipId, day: date, size: int) -> Path:
        """Where it lies. Raises ClipGone."""
        path = self.path(clip_id, day)
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            raise ClipGone("the file of this clip is not there", "see the backup") from None
        if found != size:
            raise ClipGone("the file of this clip has another size", "see the backup")
        return path

    def remove(self, clip_id: ClipId, day: date) -> None:
        """Its keeping has ended. Blocking."""
        path = self.path(clip_id, day)
        for file in (path, path.with_suffix(".json")):
            file.unlink(missing_ok=True)
        if path.parent.exists() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def placed(self) -> dict[ClipId, date]:
        """Every clip of which a file is in its place. Blocking."""
        return {
            ClipId(UUID(file.stem)): date.fromisoformat(folder.name)
            for folder in self._folder.iterdir()
            if _DAY.fullmatch(folder.name)
            for file in folder.iterdir()
            if _NAME.fullmatch(file.name)
        }

    def sweep(self, kept: Collection[ClipId]) -> int:
        """Put away what a crash left: drafts go, and files of clips that are not `kept` are laid
        into `.lost`, since records that were restored from a backup know less than the disk does;
        answers how many clips. Blocking."""
        for file in self._making.iterdir():
            file.unlink()
        lost = {clip: day for clip, day in self.placed().items() if clip not in kept}
        for clip_id, day in lost.items():
            path = self.path(clip_id, day)
            for file in (path, path.with_suffix(".json")):
                if file.exists():
                    self._lost.mkdir(exist_ok=True, mode=0o700)
                    os.utime(file)
                    file.rename(self._lost / file.name)
        return len(lost)

    def end_lost(self, before: datetime) -> int:
        """End the keeping of what was put away before then. Blocking."""
        old = [
            file
            for file in (self._lost.iterdir() if self._lost.exists() else ())
            if file.stat().st_mtime < before.timestamp()
        ]
        for file in old:
            file.unlink()
        return len(old)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
