"""Pictures: the stills that readers send, and what cameras show while somebody may look.

In: bytes with their SHA-256; access units of a camera's line; tokens that the gate minted.
Out: the same bytes, checked; the same units to every viewer, whole groups left out where a viewer
is slow; clips in fMP4, as the camera coded them; who began to look and who stopped.
Never: a decision about who may look (the gate's), a pull that no token opened and no ring needs,
a picture coded anew but for stills and redacted clips, a viewer that another one waits for, a live
picture on disk that nobody asked for as a clip, a still without an end to its keeping.
"""

from farolito.media.fetch import fetch
from farolito.media.pictures import Pictures

__all__ = ["Pictures", "fetch"]
