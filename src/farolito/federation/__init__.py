"""Other agencies: asked by them, asking them, telling and being told, each by signed agreement.

In: sealed envelopes from partners, acts of our own people. Out: the same, one line a partner.
Every message is signed by its agency's key and belongs to the one partner whose line it came by;
what it asks for goes through the gate of the node that owns it, which writes it down first.
Never: a pool of data, a hub that can open anything, an answer to "all", a thing passed on, trust
in a name that a message or a certificate claims.
"""

from farolito.federation.envelope import Envelope, opened, sealed
from farolito.federation.post import Line, PartnerAway, Post

__all__ = ["Envelope", "Line", "PartnerAway", "Post", "opened", "sealed"]
