"""The ledger: who asked for what, why, and what was decided, so that an outsider can check it.

In: entries, one an attempt, from the gate. Out: a receipt once the entry is durable; checkpoints
for witnesses of other governments; bundles and proofs that verify offline.
Never: an entry changed or removed, a way to switch the ledger off, a personal value inside the
log itself (salted commitments only), a decision about rights, the signing key outside its file.
"""

from farolito.audit.bundle import Contents, IndexedOpening
from farolito.audit.checkpoint import Checkpoint
from farolito.audit.entry import Entry, Opening, Sealed, seal
from farolito.audit.ledger import Ledger, LedgerBusy, LedgerStatus, Receipt
from farolito.audit.note import Note, SigningKey, VerifierKey
from farolito.audit.proof import Proof
from farolito.audit.records import LedgerDamaged, LedgerDown, NotOpenable, Recorded, Records
from farolito.audit.spool import Reconciled, Spool, Spooled, SpoolFull
from farolito.audit.verify import Verdict, verify
from farolito.audit.witness import Answer, Seen, Witness

__all__ = [
    "Answer",
    "Checkpoint",
    "Contents",
    "Entry",
    "IndexedOpening",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "LedgerDown",
    "LedgerStatus",
    "NotOpenable",
    "Note",
    "Opening",
    "Proof",
    "Receipt",
    "Reconciled",
    "Recorded",
    "Records",
    "Sealed",
    "Seen",
    "SigningKey",
    "Spool",
    "SpoolFull",
    "Spooled",
    "Verdict",
    "VerifierKey",
    "Witness",
    "seal",
    "verify",
]
