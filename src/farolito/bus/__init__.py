"""NATS JetStream: carries typed events from the doors to the pipeline.

In: decoded reads. Out: the same, in order, after they are durable on disk.
Durable before acknowledged, bounded, refusing rather than dropping when full.
Never: a decision, an unbounded buffer, an acknowledgement ahead of the disk.
"""

from farolito.bus.accounts import Accounts
from farolito.bus.bus import Bus, BusDown, Delivery, ReadBatch

__all__ = ["Accounts", "Bus", "BusDown", "Delivery", "ReadBatch"]
