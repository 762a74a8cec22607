"""NATS JetStream: carries typed events from the doors to the pipeline.

In: decoded reads, what gunshot sensors told. Out: the same, in order, durable on disk first.
Durable before acknowledged, bounded, refusing rather than dropping when full.
Never: a decision, an unbounded buffer, an acknowledgement ahead of the disk.
"""

from farolito.bus.accounts import Accounts
from farolito.bus.bus import Bus, ReadBatch, SoundBatch
from farolito.bus.lane import BusDown, Delivery

__all__ = ["Accounts", "Bus", "BusDown", "Delivery", "ReadBatch", "SoundBatch"]
