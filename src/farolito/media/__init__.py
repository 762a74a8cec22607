"""Pictures: the crops and scenes that readers send, kept by content until their day ends.

In: bytes with their SHA-256. Out: the same bytes, checked.
Never: a decision about who may look (the gate's), a picture without an end to its keeping.
"""

from farolito.media.fetch import fetch
from farolito.media.pictures import Pictures

__all__ = ["Pictures", "fetch"]
