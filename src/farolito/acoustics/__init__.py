"""From sound to pulses, from pulses to an honest place, and what kind of sound it was.

In: pulses of sensors, where the sensors stand, the air. Out: sources with their rounds, an
ellipse or several modes, the sensors that heard and those that should have.
Never: I/O, a clock, chance; a decision that reaches anybody by itself; speech.

Units: metres east and north of the net's own origin, seconds since 1970 (UTC).
"""

from farolito.acoustics.net import Air, Net, Pulse, Sensor
from farolito.acoustics.source import Ear, Place, Round, Source

__all__ = ["Air", "Ear", "Net", "Place", "Pulse", "Round", "Sensor", "Source"]
