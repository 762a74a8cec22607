"""Officer safety while the ledger is down: what must go out is written into a local file first.

Each line is signed by the spool's own key and holds the hash of the line before, so that none
can be changed or taken out later. Once the ledger is back, `reconcile` brings every line in exactly
once, marked as having waited, and sets the file aside.
"""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from farolito.audit.entry import Entry, Opening, Random, Sealed, canonical, read, seal
from farolito.audit.key_file import load_or_create, sync_folder
from farolito.audit.ledger import Ledger
from farolito.audit.note import SigningKey, VerifierKey, base64_exactly
from farolito.model import AgencyId, FarolitoError, Invalid

ENTRIES_MAX = 100_000  # a spool takes no more: SpoolFull, and nothing goes out unwritten
CHUNK_ENTRIES = 500  # appended together while reconciling

_NAME = "current.spool"
_ID_BYTES = 16


class SpoolFull(FarolitoError):
    """The spool has reached its limit."""


class Spooled(msgspec.Struct, frozen=True):
    """A receipt that will do until the ledger is back: the line's number and hash."""

    number: int
    hash: str


class Reconciled(msgspec.Struct, frozen=True):
    """`added` now, `present` already from a reconciliation that was cut off."""

    spool_id: str
    added: int
    present: int


class _Line(msgspec.Struct, frozen=True):
    number: int
    spool_id: str
    hash: bytes
    sealed: Sealed


class Spool:
    """The spool in `folder`. One process uses it at a time; files are of mode 0600."""

    def __init__(self, folder: Path, key: SigningKey, random: Random) -> None:
        """Opens what a crash left behind. A torn last line was never acknowledged and goes; a
        file whose lines do not fit is set aside as `*.damaged` for a person to look at."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / _NAME
        self._key = key
        self._random = random
        self._reconciling = asyncio.Lock()
        self._lines: list[_Line] = []
        self._id = random(_ID_BYTES).hex()
        self._load()

    @classmethod
    def open(cls, folder: Path, key_path: Path, agency: AgencyId, random: Random) -> Spool:
        """The agency's spool, with a key of its own, made on the first start. Raises Invalid."""
        return cls(folder, load_or_create(key_path, f"farolito/{agency}/spool", random), random)

    @property
    def waiting(self) -> int:
        """Entries that are not known to be in the ledger."""
        return len(self._lines)

    @property
    def damaged(self) -> Sequence[Path]:
        """Files that were set aside: an alarm for the auditor."""
        return sorted(self._path.parent.glob("*.damaged"))

    def append(self, entry: Entry) -> Spooled:
        """Write an entry down, durably (one fsync, milliseconds, blocking). Raises SpoolFull."""
        if len(self._lines) >= ENTRIES_MAX:
            raise SpoolFull(
                f"the local spool holds {ENTRIES_MAX} entries", "bring the ledger's database back"
            )
        number = len(self._lines)
        sealed = seal(entry, self._random, (self._id, number))
        before = self._lines[-1].hash if self._lines else bytes(32)
        body = _body(self._id, number, before, sealed)
        hash_ = sha256(body).digest()
        signature = b64encode(self._key.seal(_message(hash_)))
        self._write(body + b"\t" + signature + b"\n")
        self._lines.append(_Line(number, self._id, hash_, sealed))
        return Spooled(number, hash_.hex())

    def _write(self, line: bytes) -> None:
        new = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            at = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, line)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, at)  # a half line would make the next one unreadable
                raise
        finally:
            os.close(descriptor)
        if new:
            sync_folder(self._path.parent)

    async def reconcile(self, ledger: Ledger) -> Reconciled:
        """Bring every line into the ledger, once each, then set the file aside as `*.done`.

        May be called again after any failure: lines that are in already are left out. Lines
        spooled meanwhile come along. Raises LedgerDown.
        """
        async with self._reconciling:
            present = await ledger.spooled(self._id)
            added, at = 0, 0
            while at < len(self._lines):
                chunk = self._lines[at : at + CHUNK_ENTRIES]
                at += len(chunk)
                missing = [line for line in chunk if line.number not in present]
                await asyncio.gather(
                    *(ledger.append_sealed(m.sealed, (m.spool_id, m.number)) for m in missing)
                )
                added += len(missing)
            done = Reconciled(self._id, added, len(self._lines) - added)
            self._set_aside("done")  # no await since the last look at the lines
            return done

    def _set_aside(self, why: str) -> None:
        if self._path.exists():
            self._path.rename(self._path.with_name(f"{self._id}.{why}"))
            sync_folder(self._path.parent)
        self._lines = []
        self._id = self._random(_ID_BYTES).hex()

    def _load(self) -> None:
        if not self._path.exists():
            return
        raw = self._path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            os.truncate(self._path, len(whole))
        try:
            self._lines = read_lines(whole, self._key.verifier)
        except Invalid:
            self._set_aside("damaged")
            return
        if self._lines:
            self._id = self._lines[0].spool_id


def _write_all(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _message(hash_: bytes) -> bytes:
    """What the key signs: it cannot pass for a note, whose text has another first line."""
    return b"farolito-spool/v1\n" + hash_


def _body(spool_id: str, number: int, before: bytes, sealed: Sealed) -> bytes:
    fields = {
        "spool": spool_id,
        "n": number,
        "before": before.hex(),
        "at": sealed.at.isoformat(),
        "entry": sealed.raw.decode(),
        "openings": [[o.field, o.salt.hex(), o.value] for o in sealed.openings],
    }
    return canonical(fields)


def read_lines(raw: bytes, key: VerifierKey) -> list[_Line]:
    """The lines of a spool, each checked. Raises Invalid at the first that does not fit."""
    lines: list[_Line] = []
    before = bytes(32)
    for number, told in enumerate(raw.split(b"\n")[:-1]):
        body, _, signature = told.partition(b"\t")
        hash_ = sha256(body).digest()
        fields = read(body)
        if not key.signed_bytes(_message(hash_), base64_exactly(signature.decode("latin-1"))):
            raise Invalid(f"line {number} of the spool is not signed by its key")
        line = _line(fields, hash_)
        same = not lines or line.spool_id == lines[0].spool_id
        if line.number != number or fields["before"] != before.hex() or not same:
            raise Invalid(f"line {number} of the spool is not the one that was written there")
        lines.append(line)
        before = hash_
    return lines


def _line(fields: dict[str, Any], hash_: bytes) -> _Line:
    openings = tuple(Opening(f, bytes.fromhex(salt), v) for f, salt, v in fields["openings"])
    at = datetime.fromisoformat(fields["at"])
    return _Line(
        fields["n"], fields["spool"], hash_, Sealed(at, fields["entry"].encode(), openings)
    )
