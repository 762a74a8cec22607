"""NATS JetStream: carries typed events from the doors to the pipeline.

In: decoded reads, what gunshot sensors told. Out: the same, in order, durable on disk first.
Durable before acknowledged, bounded, refusing rather than dropping when full. Beside them the lines
to other agencies: sealed bytes to a partner and its answer, under the name its account has here.
Never: a decision, an unbounded buffer, an acknowledgement ahead of the disk.
"""

from farolito.bus.accounts import Accounts
from farolito.bus.bus import Bus, ReadBatch, SoundBatch
from farolito.bus.lane import BusDown, Delivery
from farolito.bus.line_end import PartnerDown
from farolito.bus.lines import Line, LineBook
from farolito.bus.partners import PartnerBus

__all__ = [
    "Accounts",
    "Bus",
    "BusDown",
    "Delivery",
    "Line",
    "LineBook",
    "PartnerBus",
    "PartnerDown",
    "ReadBatch",
    "SoundBatch",
]
