"""A watched folder: what a CAD's exporter, or somebody by SFTP, puts there.

A file is read when it is whole: XML and JSON when they parse, CSV when it has stood still. One that
changes while it is read is read again. One that cannot be read is tried until `settle_s` have
passed without a change, then refused by name, once. Nothing is remembered that `take` has not made
durable, so a node that dies at any moment reads the file again, and its mark tells that it was
taken: a mark is the digest of name and content (and of the time of writing, where the content does
not tell when it was made: the same words an hour later may be news).
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import watchfiles

from farolito.ingest.cad.decoded import Decoded
from farolito.ingest.cad.door import Alive, Take, Watch
from farolito.ingest.cad.mapping import Mapping
from farolito.ingest.cad.records import FILE_BYTES_MAX, decode_file
from farolito.ingest.cad.sources import CadFolder
from farolito.model import Device, Rejected

FILES_MAX = 5_000  # looked at in one pass, the oldest first; the others wait for the next
WAIT_S = 0.1  # before the next look at a file that is not whole yet
_HALF_WRITTEN = (".tmp", ".part", ".filepart", ".partial", ".crdownload", ".swp", "~")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the folder shows it: another size or time is another content."""

    name: str
    size: int
    written_ns: int
    inode: int

    @property
    def written_at(self) -> datetime:
        return datetime.fromtimestamp(self.written_ns / 1e9, UTC)


@dataclass(slots=True)
class _Waiting:
    """A file that may not be whole yet. `why`: it could not be read as it looks now."""

    seen: Seen
    since: float
    why: Rejected | None = None


class Changed(Exception):
    """The file was written to, or went away, while we read it."""


class Folder:
    """One watched folder. `run` watches it for ever; `look` is one pass.

    Raises OSError when the folder is away, and whatever `take` raises when the store is: the
    supervisor tries again, and nothing is lost in between.
    """

    FORMAT = "folder"

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        config: CadFolder,
        mapping: Mapping,
        device: Device,
        take: Take,
        watch: Watch,
        *,
        alive: Alive = lambda name, at: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._mapping = mapping
        self._device = device
        self._take = take
        self._watch = watch
        self._alive = alive
        self._clock = clock
        self._folder = Path(config.folder)
        self._dealt_with: dict[str, Seen] = {}  # files that stay where they are
        self._first_seen: dict[str, _Waiting] = {}
        self._beat: Seen | None = None
        self._is_move_told = False
        self.others = 0  # records of other agencies, counted and left alone

    async def run(self) -> None:
        """Look now, at every change, and every `poll_s` besides."""
        await self.look()
        async for _ in self._changes():
            waiting = await self.look()
            while waiting:
                await asyncio.sleep(WAIT_S)
                waiting = await self.look()

    async def look(self) -> bool:
        """One pass over the folder, the oldest file first. True where a file is not whole yet."""
        files = await asyncio.to_thread(self._listed)
        names = {seen.name for seen in files}
        for memory in (self._dealt_with, self._first_seen):
            for gone in memory.keys() - names:
                del memory[gone]
        waiting = False
        for seen in files:
            if seen.name == self._config.heartbeat:
                self._heard(seen)
            elif self._dealt_with.get(seen.name) != seen:
                waiting |= not await self._deal_with(seen)
        return waiting

    async def _changes(self) -> AsyncIterator[object]:
        """Something changed, or it is time to look anyway."""
        changes = watchfiles.awatch(
            self._folder,
            watch_filter=None,
            debounce=50,
            step=20,
            recursive=False,
            rust_timeout=max(10, int(self._config.poll_s * 1000)),
            yield_on_timeout=True,
        )
        async for change in changes:
            yield change

    def _listed(self) -> list[Seen]:
        """The folder's files, the oldest first; hidden and half-written ones left out."""
        files = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower().endswith(_HALF_WRITTEN):
                    continue
                seen = _seen(self._folder / entry.name)
                if seen is not None:
                    files.append(seen)
        files.sort(key=lambda seen: (seen.written_ns, seen.name))
        undone = [seen for seen in files if self._dealt_with.get(seen.name) != seen]
        left_out = {seen.name for seen in undone[FILES_MAX:]}
        return [seen for seen in files if seen.name not in left_out]

    def _heard(self, seen: Seen) -> None:
        if seen != self._beat:
            self._beat = seen
            self._alive(self._device.device_id, self._clock())

    async def _deal_with(self, seen: Seen) -> bool:
        """True where the file is done with: taken, refused, or too old; False to come again."""
        now = self._clock()
        old_s = self._config.ignore_older_h * 3600
        if old_s and (now - seen.written_at).total_seconds() > old_s:
            self._dealt_with[seen.name] = seen
            return True
        first = self._as_first_seen(seen)
        still_s = time.monotonic() - first.since
        if still_s < self._wanted_still_s(first):
            return False
        try:
            body, decoded = await asyncio.to_thread(self._decoded, seen)
        except Changed:
            return False
        except Rejected as why:
            first.why = why
            if still_s < self._config.settle_s and why.status != 413:
                return False
            await self._refuse(seen, why)
        else:
            await self._hand_over(seen, body, decoded)
        return True

    def _wanted_still_s(self, first: _Waiting) -> float:
        """How long a file must not have changed before it is read (again)."""
        if first.why is not None:
            return self._config.settle_s
        return self._config.still_s if self._mapping.format == "csv" else 0.0

    def _decoded(self, seen: Seen) -> tuple[bytes, Decoded]:
        body = _read_whole(self._folder / seen.name, seen)
        return body, decode_file(self._mapping, body, self._device, self._clock())

    def _as_first_seen(self, seen: Seen) -> _Waiting:
        """Since when the file looks as it does now, by our own clock: a file server's may be
        another."""
        waiting = self._first_seen.get(seen.name)
        if waiting is None or waiting.seen != seen:
            waiting = self._first_seen[seen.name] = _Waiting(seen, time.monotonic())
        return waiting

    async def _hand_over(self, seen: Seen, body: bytes, decoded: Decoded) -> None:
        known = False
        if decoded.updates:
            mark = self._mark(seen, body)
            known = not await self._take(self._device, decoded.updates, mark)
        now = self._clock()
        self._alive(self._device.device_id, now)
        self.others += decoded.others
        if not known:
            self._watch.heard(self._device, self.FORMAT, len(decoded.updates), now)
            for one in (*decoded.rejected, *decoded.flaws):
                why = Rejected(one.reason, f"{seen.name}: {one.says}", one.do)
                self._watch.rejected(self._device, self.FORMAT, why, body, now)
        await self._put_away(seen, self._config.done)

    def _mark(self, seen: Seen, body: bytes) -> str:
        stamp = "" if self._mapping.is_timed else str(seen.written_ns)
        return "file:" + sha256(b"\0".join((seen.name.encode("utf-8", "surrogateescape"),
                                            stamp.encode(), body))).hexdigest()  # fmt: skip

    async def _refuse(self, seen: Seen, why: Rejected) -> None:
        try:
            head = await asyncio.to_thread(_head, self._folder / seen.name)
        except OSError:
            head = b""
        named = Rejected(why.reason, f"{seen.name}: {why.says}", why.do, why.status)
        self._watch.rejected(self._device, self.FORMAT, named, head, self._clock())
        await self._put_away(seen, self._config.bad)

    async def _put_away(self, seen: Seen, where: str) -> None:
        """Move the file where one was named; else, or where it cannot be, remember it."""
        self._dealt_with[seen.name] = seen
        if not where:
            return
        try:
            await asyncio.to_thread(_move, self._folder, seen, where)
        except OSError as error:
            if not self._is_move_told:
                log.warning("files of %s stay in place: %s", self._device.device_id, error.strerror)
            self._is_move_told = True


def _seen(file: Path) -> Seen | None:
    """None for what is no file of its own (a link could lead anywhere), or has just gone."""
    try:
        told = file.lstat()
    except OSError:
        return None
    return _as_seen(file.name, told) if stat.S_ISREG(told.st_mode) else None


def _as_seen(name: str, told: os.stat_result) -> Seen:
    return Seen(name, told.st_size, told.st_mtime_ns, told.st_ino)


def _read(file: Path) -> tuple[bytes, Seen]:
    """The bytes, and the file that was opened for them."""
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(handle, "rb") as opened:
        body = opened.read(FILE_BYTES_MAX + 1)
        return body, _as_seen(file.name, os.fstat(handle))


def _read_whole(file: Path, seen: Seen) -> bytes:
    """The content of the file that was seen. Raises Changed where it is not that any more, and
    Rejected `too_large`."""
    if seen.size > FILE_BYTES_MAX:
        says = f"a file of more than {FILE_BYTES_MAX // 2**20} MiB"
        raise Rejected("too_large", says, "let the CAD write open calls only", 413)
    try:
        body, opened = _read(file)
    except OSError as error:  # gone, or locked by its writer: the next look sees what is there
        raise Changed from error
    if not (opened == seen == _seen(file) and len(body) == seen.size):
        raise Changed
    return body


def _head(file: Path) -> bytes:
    return _read(file)[0]


def _move(folder: Path, seen: Seen, where: str) -> None:
    """Into a folder below; a second file of a name is kept beside the first."""
    source, target = folder / seen.name, folder / where
    target.mkdir(exist_ok=True)
    kept = target / seen.name
    if kept.exists():
        kept = target / f"{seen.written_ns}-{seen.name}"
    if _seen(source) != seen:
        return  # a newer content waits to be read
    os.replace(source, kept)
    moved = _seen(kept)
    is_same = moved is not None and moved.written_ns == seen.written_ns and moved.size == seen.size
    if not is_same and not source.exists():
        os.replace(kept, source)  # it was written to in this very moment: that is to be read too
