"""What everybody may know: how good the alerts of shots were, without anybody being in it.

In: the outcome ledger of a period, through the gate. Out: a page that needs no sign-in, no script
and no other host, in English and Spanish, and the same figures as JSON.
Never: a place nearer than a zone, a sensor, a person, a single alert; a count under five, or one
from which such a count could be computed; a figure of precision without the known misses beside it.
"""

from farolito.transparency.publish import PublicShots
from farolito.transparency.shots import PublicFigures, public_figures
from farolito.transparency.suppress import SMALL

__all__ = ["SMALL", "PublicFigures", "PublicShots", "public_figures"]
