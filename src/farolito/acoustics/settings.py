"""What is set by hand about locating; what a deployment teaches stands in `deployment`."""

from __future__ import annotations

import msgspec


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """How the search goes. Seconds and metres; scores are log-likelihood ratios (nats).

    A place is searched on cells of `coarse_m`, then of `cell_m`, as far as `margin_m` outside the
    sensors. `sensors_min`: fewer never make a place. `round_share`: of the score expected of a
    true round, what one must reach, pass by pass: sure places go first, so that they are not
    eaten by a mixture of two. `source_share`: the same for a whole source at the end.
    """

    cell_m: float = 20.0
    coarse_m: float = 80.0
    margin_m: float = 350.0
    slack_s: float = 0.020  # of an arrival around the cell's, beside the cell's own size
    sensors_min: int = 4
    passes: tuple[float, ...] = (0.7, 0.5, 0.3, 0.0)
    candidates_max: int = 24  # looked at closely for one source
    climbed_max: int = 3  # of these, the likeliest, whose surroundings are searched
    sources_max: int = 30
    give_up_after: int = 12  # candidates that came to nothing, one after another
    round_half_s: float = 0.025  # half the window in which one round's arrivals lie
    round_tight_s: float = 0.016  # the same once each sensor's path delay is known
    string_s: float = 5.0  # how far a string reaches to both sides of its strongest round
    rounds_max: int = 60
    round_score_min: float = 8.0
    round_keep_share: float = 0.5
    source_share: float = 0.30
    source_score_min: float = 12.0
    echo_rate_per_s: float = 2.5  # how much more often a sensor reports after a direct arrival
    echo_s: float = 0.3
    dead_s: float = 0.05  # a sensor reports no second onset within this
    mode_share_min: float = 0.05
    modes_max: int = 6
