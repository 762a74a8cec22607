"""What everybody may know: what is watched with, who looked for what and why, what came of it.

In: the ledger and the outcomes of a period, through the gate. Out: pages that need no sign-in, no
script and no other host, in English and Spanish; the same figures as JSON and in a file that proves
them; a state's yearly report; for the owner of a plate alone, how often it was searched.
Never: a place nearer than a zone, a sensor, a person, a plate, a single alert or search; a count
under five of what people did, or one from which such a count could be computed; a figure of
precision without the known misses beside it; the log itself.
"""

from farolito.transparency.own_plate import PlateDesk
from farolito.transparency.pages import PublicPages
from farolito.transparency.public_shots import PublicShots
from farolito.transparency.publisher import Published, Publisher
from farolito.transparency.shots import PublicFigures, public_figures
from farolito.transparency.suppress import SMALL

__all__ = [
    "SMALL",
    "PlateDesk",
    "PublicFigures",
    "PublicPages",
    "PublicShots",
    "Published",
    "Publisher",
    "public_figures",
]
