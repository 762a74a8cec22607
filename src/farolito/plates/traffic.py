"""What passes here: how often each plate was read, and what kinds of plates the roads carry.

The base rate is half of every posterior: a local car that passes daily outweighs a listed
look-alike that was never seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from farolito.plates.confusion import SEED, Confusion

SHAPE_SHARE_MIN = 0.005  # of a state's reads: a rarer shape is no pattern but a vanity plate
STATE_SHARE_MIN = 0.0002  # of all reads: what a state has that was hardly seen
REGISTERED_PLATES = 3_000_000  # in an average reach of a state; 285 M vehicles, 51 issuers, US

_SHAPES = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "D" * 10 + "L" * 26)


def shape(plate: str) -> str:
    """`LLLDDD` for `ABC123`."""
    return plate.translate(_SHAPES)


class Fleet(msgspec.Struct, frozen=True):
    """The states and plate shapes among the reads in reach, counted, never assumed.

    `states`: each state's share of the reads whose state was read. `shapes`: the shapes which are
    common among a state's reads. Empty is "not known": then no state is preferred to the listed.
    A shape only weighs what could be mistaken for what; it never stands in for reading the state.
    """

    states: Mapping[str, float] = msgspec.field(default_factory=dict)
    shapes: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)

    @classmethod
    def counted(cls, rows: Iterable[tuple[str, str, int]]) -> Fleet:
        """From (state, shape, reads) triples, as one grouped query gives them."""
        by_state: dict[str, dict[str, int]] = {}
        for state, form, reads in rows:
            forms = by_state.setdefault(state, {})
            forms[form] = forms.get(form, 0) + reads
        total = sum(sum(forms.values()) for forms in by_state.values())
        if not total:
            return cls()
        sums = {state: sum(forms.values()) for state, forms in by_state.items()}
        return cls(
            states={state: max(n / total, STATE_SHARE_MIN) for state, n in sums.items()},
            shapes={
                state: frozenset(f for f, n in forms.items() if n >= SHAPE_SHARE_MIN * sums[state])
                for state, forms in by_state.items()
            },
        )


_NONE: Mapping[str, Mapping[str, int]] = MappingProxyType({})


class Traffic(msgspec.Struct, frozen=True):
    """Counts within the agency's retention and reach, this read left out.

    `seen`: reads of each plate string that matters (see `strings_that_matter`), whatever state.
    `total`: all reads. `states`: for a string of `seen`, how many of its reads were read as of
    which state; where it is silent, the fleet's shares stand in. `confusion`: what the readers
    of this reach mix up, as learnt so far.
    """

    seen: Mapping[str, int]
    total: int
    states: Mapping[str, Mapping[str, int]] = _NONE
    fleet: Fleet = Fleet()
    confusion: Confusion = SEED


NO_TRAFFIC = Traffic({}, 0)
