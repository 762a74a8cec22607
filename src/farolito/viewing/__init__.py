"""What a camera can truly see: by its view, its reach, what stands between, and how it is.

In: cameras, buildings, ground, a place and a time. Out: cameras in order, each with its reason.
Never: I/O, a clock or chance; a picture; a person or a vehicle followed by its looks.
"""

from farolito.viewing.eye import Closed, Eye, Question, Ranked, Reason, always_open
from farolito.viewing.eyes import Eyes
from farolito.viewing.next import LastSeen, NextCamera, Roadside
from farolito.viewing.outages import Outage, outages
from farolito.viewing.rank import best, blind
from farolito.viewing.scene import Scene

__all__ = [
    "Closed",
    "Eye",
    "Eyes",
    "LastSeen",
    "NextCamera",
    "Outage",
    "Question",
    "Ranked",
    "Reason",
    "Roadside",
    "Scene",
    "always_open",
    "best",
    "blind",
    "outages",
]
