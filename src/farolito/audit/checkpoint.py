"""Checkpoints (c2sp.org/tlog-checkpoint): a signed note that says how long the log is, and its
root. Two checkpoints of one log that do not fit each other are proof that it was rewritten."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from farolito.audit.note import Note, base64_exactly
from farolito.audit.tree import HASH_BYTES
from farolito.model import Invalid

SIZE_DIGITS_MAX = 18  # an 63-bit count of entries


class Checkpoint(msgspec.Struct, frozen=True):
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text: what is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, note: Note) -> Checkpoint:
        """Raises Invalid. Extension lines are allowed and say nothing to us."""
        lines = note.text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not all(lines):
            raise Invalid("a checkpoint without origin, size and root")
        root = base64_exactly(lines[2])
        if len(root) != HASH_BYTES:
            raise Invalid("a checkpoint whose root is not 32 bytes")
        return cls(lines[0], decimal(lines[1]), root)


def decimal(text: str) -> int:
    """An ASCII decimal without leading zeroes. Raises Invalid."""
    plain = text.isascii() and text.isdigit() and len(text) <= SIZE_DIGITS_MAX
    if not plain or str(int(text)) != text:
        raise Invalid("a number that is not a plain decimal")
    return int(text)
