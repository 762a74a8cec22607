"""The only door to information: read, live, watch, act, export.

In: an Ask (who, why, what). Out: an Answer with the permit's number, or Refused with one.
Each passage asks the policy, writes the ledger, does it, answers — in that order, so that no
answer leaves before its entry is durable.
Never: an answer without an entry, a second way in, a switch that turns the ledger off. Nothing
else makes the token that opens a camera's picture.
"""

from farolito.audit import LedgerDown
from farolito.gate.foreign import Limits
from farolito.gate.gate import (
    HEARTBEAT,
    Answer,
    Ask,
    Gate,
    LedgerPage,
    Look,
    PictureName,
    system_ask,
)
from farolito.policy import Refusal
from farolito.policy.request import Fact
from farolito.store import Records
from farolito.store.database import AWAY

__all__ = [
    "AWAY",
    "HEARTBEAT",
    "Answer",
    "Ask",
    "Fact",
    "Gate",
    "LedgerDown",
    "LedgerPage",
    "Limits",
    "Look",
    "PictureName",
    "Records",
    "Refusal",
    "system_ask",
]
