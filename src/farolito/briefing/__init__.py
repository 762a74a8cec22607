"""What the officer gets: seven lines, versions, differences, receipts, an outcome.

In: a confirmed alert and what is known around it. Out: versions of a brief, told to its unit.
Never: a brief from an alert that no person confirmed, a line without source and age, silence
about what is not known, a version changed after it was sent.
"""

from farolito.briefing.briefing import Briefing, Surroundings
from farolito.briefing.compose import Around, compose

__all__ = ["Around", "Briefing", "Surroundings", "compose"]
