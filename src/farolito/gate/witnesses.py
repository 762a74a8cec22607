"""The ledger as other agencies' nodes meet it: checkpoints, cosignatures, alarms. No entry, and
nothing that anybody asked for, passes here; so nothing here asks the policy."""

from farolito.audit.evidence import Doubt, Evidence, Standing, log_of, weigh
from farolito.audit.note import VerifierKey
from farolito.audit.own_log import OwnLog, Witnessed, witness_of
from farolito.audit.panel import Panel
from farolito.audit.records import LedgerDamaged, LedgerDown
from farolito.audit.witness_book import Alarm, Question, WitnessBook

__all__ = [
    "Alarm",
    "Doubt",
    "Evidence",
    "LedgerDamaged",
    "LedgerDown",
    "OwnLog",
    "Panel",
    "Question",
    "Standing",
    "VerifierKey",
    "WitnessBook",
    "Witnessed",
    "log_of",
    "weigh",
    "witness_of",
]
