"""What the officer gets: seven lines, versions, differences, receipts, an outcome.

In: incidents with their calls, confirmed alerts and shots that a person heard as gunfire, facts
that operators push, and what the map and the own records know around them. Out: versions of a
brief, told to its unit, in the words of a catalogue that an agency or nation may own.
Never: a brief from an alert or a shot that no person confirmed, a line without source and age,
silence about what is not known, a version changed after it was sent.
"""

from farolito.briefing.briefing import Briefing, IncidentDesk, Told
from farolito.briefing.compose import compose
from farolito.briefing.known import Around, Eye, History, Known, Near, Spot
from farolito.briefing.lookup import Positions, Surroundings
from farolito.briefing.spoken import spelled, spoken
from farolito.briefing.words import Words

__all__ = [
    "Around",
    "Briefing",
    "Eye",
    "History",
    "IncidentDesk",
    "Known",
    "Near",
    "Positions",
    "Spot",
    "Surroundings",
    "Told",
    "Words",
    "compose",
    "spelled",
    "spoken",
]
