"""One entry's proof in a file (c2sp.org/tlog-proof): checked offline, years later, by anybody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import msgspec

from farolito.audit.checkpoint import Checkpoint, decimal
from farolito.audit.note import Note, VerifierKey, base64_exactly
from farolito.audit.tree import HASH_BYTES, includes, leaf_hash
from farolito.model import Invalid

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
PROOF_HASHES_MAX = 64  # the height of any tree that fits a 63-bit count


class Proof(msgspec.Struct, frozen=True):
    """`checkpoint`: the whole cosigned note. The standard's unauthenticated `extra` is not used."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The bytes of a `.tlog-proof` file."""
        hashes = [b64encode(hash_).decode() for hash_ in self.hashes]
        lines = [_FIRST_LINE, f"index {self.index}", *hashes, "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> Proof:
        """Raises Invalid. An `extra` line of another maker is passed over, never trusted."""
        head, blank, checkpoint = raw.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise Invalid("a proof that is not text") from error
        if not blank or lines.pop(0) != _FIRST_LINE:
            raise Invalid("a file that is not a transparency log proof")
        if lines and lines[0].startswith("extra "):
            base64_exactly(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index ") or len(lines) > PROOF_HASHES_MAX + 1:
            raise Invalid("a proof without its index, or with too many hashes")
        index = decimal(lines.pop(0).removeprefix("index "))
        hashes = tuple(base64_exactly(line) for line in lines)
        if any(len(hash_) != HASH_BYTES for hash_ in hashes):
            raise Invalid("a proof line that is not 32 bytes")
        return cls(index, hashes, checkpoint)

    def problems(
        self, entry: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey] = ()
    ) -> list[str]:
        """What stands against `entry` being in the log of `key`; empty: nothing does."""
        try:
            note = Note.parse(self.checkpoint)
            checkpoint = Checkpoint.parse(note)
            signers = note.signed_by([key, *witnesses])
        except Invalid as error:
            return [f"the checkpoint: {error}"]
        found = []
        if key not in signers or checkpoint.origin != key.name:
            found.append("the checkpoint is not signed by the log's key")
        found += [f"{w.name} did not cosign" for w in witnesses if w not in signers]
        leaf = leaf_hash(entry)
        if not includes(self.index, checkpoint.size, leaf, self.hashes, checkpoint.root):
            found.append(f"the entry is not number {self.index} of the log with this root")
        return found
