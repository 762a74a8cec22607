"""How sure we are that a read is a listed plate.

In: a `PlateRead`, the rows of hot lists, counts of what passes here. Out: a `Match` with its
standing, its posterior and every check in a sentence.

`Index` finds the rows worth judging in microseconds; `strings_that_matter` names the plates whose
earlier reads the judge wants counted; `judge` weighs one read against one row. `Confusion` is what
readers mix up, learnt from confirmed and rejected reads.

Never: I/O, a clock, chance. Never a match by look-alike alone: a text that differs counts only
where the reader itself offered the listed one or doubted the characters. Never a decision in a
person's place: the last check always waits.
"""

from farolito.plates.checks import judge
from farolito.plates.confusion import SEED, Confusion
from farolito.plates.index import Index, is_worth_judging
from farolito.plates.posterior import strings_that_matter
from farolito.plates.traffic import NO_TRAFFIC, Fleet, Traffic, shape

__all__ = [
    "NO_TRAFFIC",
    "SEED",
    "Confusion",
    "Fleet",
    "Index",
    "Traffic",
    "is_worth_judging",
    "judge",
    "shape",
    "strings_that_matter",
]
