"""What stands against a ledger, in a form that whoever has its key can weigh for himself.

Two checkpoints of one log that its own key signed and that cannot both be true are proof. One that
the log gives no proof for is a question, and everybody may put it to the log again. What a ledger's
own agency says against it is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec

from farolito.audit.checkpoint import Checkpoint
from farolito.audit.note import SIGNS_TEXT, Note, VerifierKey
from farolito.audit.tree import is_prefix
from farolito.model import AgencyId, Invalid

NOTE_CHARS_MAX = 8_192


class Doubt(StrEnum):
    """What is said against a ledger."""

    TWO_HISTORIES = "two_histories"  # two signed roots of one size
    NO_PROOF = "no_proof"  # it shows no proof that one signed checkpoint continues another
    CONFESSED = "confessed"  # its own agency found what it keeps unlike what it signed


class Standing(StrEnum):
    """How far it is shown."""

    PROVEN = "proven"
    UNANSWERED = "unanswered"  # the log has given no proof yet, or does not answer
    EXPLAINED = "explained"  # it has: nothing stands against it any more
    CONFESSED = "confessed"


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`log`: its whole verifier key; `notes`: its signed checkpoints, the one seen first first."""

    log: str
    doubt: Doubt
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.notes) <= 2 or any(len(n) > NOTE_CHARS_MAX for n in self.notes):
            raise Invalid("evidence that is not one or two checkpoints")

    @property
    def alarm_id(self) -> str:
        """The same for everybody who doubts the log from the same checkpoint on."""
        told = f"{self.log}\n{self.doubt}\n{self.notes[0].partition(chr(10) * 2)[0]}"
        return sha256(told.encode()).hexdigest()

    @property
    def digest(self) -> str:
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def log_of(text: str, agency: AgencyId) -> VerifierKey:
    """An agency's log, by the key on its card. Raises Invalid where the key is another's."""
    key = VerifierKey.parse(text)
    if key.type != SIGNS_TEXT or key.name != f"farolito/{agency}/ledger":
        raise Invalid(f"{key.name} is not the ledger of {agency}", "let it send its card again")
    return key


def signed_checkpoint(note: str | bytes, key: VerifierKey) -> Checkpoint:
    """Raises Invalid unless it is a checkpoint of the log with this key, signed by it."""
    parsed = Note.parse(note if isinstance(note, bytes) else note.encode())
    checkpoint = Checkpoint.parse(parsed)
    if checkpoint.origin != key.name or parsed.signed_by([key]) != [key]:
        raise Invalid("a checkpoint that its log did not sign")
    return checkpoint


def bare(note: bytes, key: VerifierKey) -> bytes:
    """A checkpoint with the log's own signature alone: what evidence and witnesses keep."""
    text, _, lines = note.rpartition(b"\n\n")
    own = f"— {key.name} ".encode()
    kept = [line for line in lines.splitlines(keepends=True) if line.startswith(own)]
    return text + b"\n\n" + b"".join(kept)


def weigh(
    evidence: Evidence, key: VerifierKey, proof: Sequence[bytes] | None = None
) -> Standing | None:
    """How far the evidence goes. None: it shows nothing. `proof`: what the log answered when it
    was asked how the larger of both checkpoints continues the smaller. Of a confession the caller
    knows whether it is one."""
    try:
        checkpoints = [signed_checkpoint(note, key) for note in evidence.notes]
    except Invalid:
        return None
    if evidence.log != str(key):
        return None
    if evidence.doubt is Doubt.CONFESSED:
        return Standing.CONFESSED
    return _weigh_two(checkpoints, evidence.doubt, proof) if len(checkpoints) == 2 else None


def _weigh_two(
    checkpoints: Sequence[Checkpoint], doubt: Doubt, proof: Sequence[bytes] | None
) -> Standing | None:
    old, new = sorted(checkpoints, key=lambda c: c.size)
    if old.size == new.size:
        return None if old.root == new.root else Standing.PROVEN
    if doubt is Doubt.TWO_HISTORIES:
        return None
    if proof is not None and is_prefix(old.size, old.root, new.size, new.root, proof):
        return Standing.EXPLAINED
    return Standing.UNANSWERED
