"""The only door to information: read, live, act, export.

In: an Ask (who, why, what). Out: an Answer with the permit's number, or Refused with one.
Each passage asks the policy, writes the ledger, does it, answers — in that order, so that no
answer leaves before its entry is durable.
Never: an answer without an entry, a second way in, a switch that turns the ledger off.
"""

from farolito.audit import LedgerDown
from farolito.gate.gate import Answer, Ask, Gate, LedgerPage, PictureName, system_ask
from farolito.store import Records
from farolito.store.database import AWAY

__all__ = [
    "AWAY",
    "Answer",
    "Ask",
    "Gate",
    "LedgerDown",
    "LedgerPage",
    "PictureName",
    "Records",
    "system_ask",
]
