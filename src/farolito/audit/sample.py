"""Entries drawn at random by the hash of a later checkpoint, which nobody could foresee.

Whoever reads the ledger draws the same ones, so nobody chooses which entries are looked at. A
ledger that tries many last entries until the draw suits it is stopped by naming a witness: what
that one's cosignature will be, the ledger cannot know.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from farolito.audit.checkpoint import Checkpoint
from farolito.audit.note import Note, VerifierKey
from farolito.model import Invalid

DRAWN_MAX = 100_000
_FIRST_LINE = "farolito-sample/v1\n"
_NUMBER_BYTES = 8
_NUMBERS = 1 << (8 * _NUMBER_BYTES)


def seed_of(checkpoint: Note, witness: VerifierKey | None = None) -> bytes:
    """SHA-256 over a first line, the checkpoint's text and, where one is named, that witness's
    cosignature. Raises Invalid where it did not cosign."""
    told = _FIRST_LINE.encode() + checkpoint.text.encode()
    if witness is not None:
        if checkpoint.signed_by([witness]) != [witness]:
            raise Invalid(f"{witness.name} did not cosign this checkpoint", "name one that did")
        told += next(s.signature for s in checkpoint.signatures if s.is_by(witness))
    return sha256(told).digest()


def draw(seed: bytes, first: int, end: int, count: int) -> list[int]:
    """`count` different indices of [first, end), sorted; all of them where there are no more.

    The k-th number is the first 8 bytes of SHA-256(seed ‖ k in 8 bytes), big-endian; one that would
    favour some index is passed over. Raises Invalid.
    """
    span = end - first
    if span < 0 or not 0 <= count <= DRAWN_MAX:
        raise Invalid(f"{count} of the entries {first} to {end - 1}", f"draw 0 to {DRAWN_MAX}")
    if count >= span:
        return list(range(first, end))
    fair = _NUMBERS - _NUMBERS % span
    found: set[int] = set()
    k = 0
    while len(found) < count:
        hash_ = sha256(seed + k.to_bytes(_NUMBER_BYTES, "big")).digest()
        number = int.from_bytes(hash_[:_NUMBER_BYTES], "big")
        k += 1
        if number < fair:
            found.add(first + number % span)
    return sorted(found)


def drawn_by(
    checkpoints: Sequence[bytes],
    first: int,
    end: int,
    count: int,
    witness: VerifierKey | None = None,
) -> tuple[int, list[int]]:
    """The draw from the entries [first, end), by the first of `checkpoints` (signed and checked
    already) that is larger than `end`: its size, and the indices. Raises Invalid."""
    notes = [Note.parse(note) for note in checkpoints]
    later = [(Checkpoint.parse(note).size, note) for note in notes]
    later = [one for one in sorted(later, key=lambda one: one[0]) if one[0] > end]
    if not later:
        raise Invalid(
            f"no checkpoint of more than {end} entries", "draw when the ledger has signed the next"
        )
    size, note = later[0]
    return size, draw(seed_of(note, witness), first, end, count)
