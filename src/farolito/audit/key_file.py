"""A log's or a witness's signing key in a file of its own. It is made once and never leaves."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from farolito.audit.entry import Random
from farolito.audit.note import SIGNS_TEXT, SigningKey
from farolito.model import Invalid

_SEED_BYTES = 32


def load_or_create(path: Path, name: str, random: Random, type_: int = SIGNS_TEXT) -> SigningKey:
    """The key in `path`, made on the first start (mode 0600). Raises Invalid.

    `type_`: COSIGNS for a witness's, which must be another key than the log's.

    A file that others may read is refused, for whoever reads it can write our history.
    """
    try:
        key = _load(path)
    except FileNotFoundError:
        key = SigningKey(name, random(_SEED_BYTES), type_)
        _create(path, key)
        return key
    if key.verifier.name != name or key.verifier.type != type_:
        raise Invalid(
            f"the ledger's key in {path} is of {key.verifier.name}, not of {name}",
            "name the key file that belongs to this ledger",
        )
    return key


def _load(path: Path) -> SigningKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise Invalid(f"the ledger's key in {path} can be read by others", f"chmod 600 {path}")
    try:
        return SigningKey.from_secret_text(path.read_text("utf-8").strip())
    except ValueError as error:
        raise Invalid(
            f"{path} holds no signing key of a ledger", "restore it from the backup"
        ) from error


def _create(path: Path, key: SigningKey) -> None:
    """Written beside and linked into place: a crash leaves the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_name(f"{path.name}.new")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key.secret_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.link(half, path)  # never over a key that came into being meanwhile
    half.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
