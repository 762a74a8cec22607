"""A node's own ledger as its witnesses meet it: requests, cosignatures, are they enough."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta

import msgspec

from farolito.audit.checkpoint import Checkpoint
from farolito.audit.evidence import Doubt, Evidence, bare
from farolito.audit.ledger import Ledger
from farolito.audit.note import COSIGNS, Note, VerifierKey
from farolito.audit.panel import Panel
from farolito.audit.records import Clock
from farolito.audit.witness import write_request
from farolito.model import AgencyId, Invalid

LATE_AFTER = timedelta(minutes=5)  # without enough cosignatures for what was signed


class Witnessed(msgspec.Struct, frozen=True, kw_only=True):
    """How far outsiders vouch for this ledger. `size`: of the newest checkpoint that enough of
    them cosigned, `at` when it was signed, `by` the agencies that did; `is_late`: entries signed
    longer ago than LATE_AFTER are not covered by one. `could`: enough agencies could cosign."""

    size: int = 0
    at: datetime | None = None
    by: tuple[AgencyId, ...] = ()
    is_late: bool = False
    could: bool = False


class OwnLog:
    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    @property
    def key(self) -> str:
        return str(self._ledger.verifier_key)

    @property
    def size(self) -> int:
        """Entries that are durable."""
        return self._ledger.status().size

    async def checkpoint(self) -> tuple[int, bytes]:
        """The ledger as it is now, signed by it alone. Raises LedgerDown, LedgerDamaged."""
        note = bare(await self._ledger.checkpoint(), self._ledger.verifier_key)
        return Checkpoint.parse(Note.parse(note)).size, note

    async def request(self, old: int, size: int, checkpoint: bytes) -> tuple[bytes, bytes]:
        """What asks a witness that saw `old` entries to cosign, and the ledger's checkpoint of that
        old size as its storage has it now. Raises LedgerDamaged where that was signed otherwise."""
        at_old = await self._ledger.checkpoint_of(old) if old else b""
        proof = await self._ledger.consistency(old, size)
        own = bare(at_old, self._ledger.verifier_key) if at_old else b""
        return write_request(old, proof, checkpoint), own

    async def keep(self, checkpoint: bytes, lines: bytes, witness: str) -> None:
        """Raises Invalid where it is not that witness's cosignature."""
        await self._ledger.add_cosignatures(checkpoint, lines, VerifierKey.parse(witness))

    async def cosigned_to(self, witness: str) -> int:
        """The size of the newest checkpoint that this witness cosigned; 0: none."""
        return await self._ledger.cosigned_to(witness)

    async def prove(self, old: int, new: int) -> list[str] | None:
        """How the ledger of `new` entries continues that of `old`, in base64; None: it is not that
        long."""
        if not 0 <= old <= new <= self.size:
            return None
        return [b64encode(hash_).decode() for hash_ in await self._ledger.consistency(old, new)]

    async def confession(self) -> Evidence:
        """What this node says where its storage is not what it signed."""
        note = await self._ledger.last_signed()
        return Evidence(self.key, Doubt.CONFESSED, (note.decode(),))

    async def witnessed(self, panel: Panel) -> Witnessed:
        found = await self._ledger.cosigned_by(list(panel.witnesses), panel.least, panel.others)
        size = found[0] if found else 0
        waiting_since = await self._ledger.signed_after(size)
        late = waiting_since is not None and self._clock() - waiting_since > LATE_AFTER
        if not found:
            return Witnessed(is_late=late, could=panel.could)
        by = tuple(sorted(_agency_of(key) for key in found[2]))
        return Witnessed(size=size, at=found[1], by=by, is_late=late, could=panel.could)


def witness_of(text: str, agency: AgencyId) -> str:
    """An agency's key as a witness, from its card. Raises Invalid."""
    key = VerifierKey.parse(text)
    if key.type != COSIGNS or key.name != f"farolito/{agency}/witness":
        raise Invalid(f"{key.name} is not {agency}'s key as a witness", "ask for its card again")
    return str(key)


def _agency_of(witness: str) -> AgencyId:
    return AgencyId(VerifierKey.parse(witness).name.split("/")[1])
