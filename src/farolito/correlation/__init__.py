"""Which events are one incident, and why.

In: an event (a call, an alert, a report, shots that sensors heard) and the open incidents it may
belong to, with the roads between. Out: a verdict with its reason in a sentence, or none.

An event belongs to an incident when their CAD says so, when it names the same plate, or when kind,
time and the distance by road all fit (`kinds.TABLE` holds every pair with its reason). In doubt it
stays alone: two cars sent to one shooting cost less than one car for two.

Never: I/O, a clock, chance. Never a join as the crow flies where the road says otherwise (but for
shots and who heard them: sound takes no road), never one of what a person has split, never one on
account of an alert that no person confirmed.
"""

from farolito.correlation.correlate import Verdict, correlate
from farolito.correlation.event import Candidate, Event, Road, plate_key
from farolito.correlation.kinds import TABLE, Together, fit, reach_m

__all__ = [
    "TABLE",
    "Candidate",
    "Event",
    "Road",
    "Together",
    "Verdict",
    "correlate",
    "fit",
    "plate_key",
    "reach_m",
]
