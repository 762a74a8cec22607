"""From pulses to sources: what was fired where and when, how sure, who heard it and who did not.

The method is back-projection with a likelihood that counts the silent sensors too, refined by
robust least squares; see `stack`, `rounds`, `refine` and `search` for its steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from farolito.acoustics.account import Heard, account
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.modes import modes
from farolito.acoustics.net import Air, Net, Pulse
from farolito.acoustics.search import Search, Solution
from farolito.acoustics.settings import Tuning
from farolito.acoustics.source import Place, Source
from farolito.acoustics.strings import joined
from farolito.acoustics.window import Window, sorted_pulses

TUNING = Tuning()
DEPLOYMENT = Deployment()


def locate(
    net: Net,
    pulses: Sequence[Pulse],
    air: Air,
    tuning: Tuning = TUNING,
    *,
    deployment: Deployment = DEPLOYMENT,
) -> list[Source]:
    """The sources behind a window of pulses, by the time of their first round.

    Pulses of sensors that are down or unknown are left out. Fewer than `tuning.sensors_min`
    sensors, or none that agree: no source.
    """
    known = sorted_pulses(net, pulses)
    if len({pulse.sensor for pulse in known}) < tuning.sensors_min:
        return []
    zero_s = float(np.floor(min(pulse.at_s for pulse in known)))
    search = Search(Window.of(net, known, zero_s), air, tuning, deployment)
    heard = Heard(net, known, zero_s, search, deployment)
    sources = sources_of(heard, search.run())
    sources.sort(key=lambda source: source.rounds[0].at_s)
    return [msgspec.structs.replace(source, track=track) for track, source in enumerate(sources)]


def sources_of(heard: Heard, found: Sequence[Solution]) -> list[Source]:
    """What solutions say, those of one shooter together, with all places that explain them."""
    sources = []
    for group in joined(found):
        places: tuple[Place, ...] = ()
        if len(group) == 1:
            others = [one for one in found if one is not group[0]]
            places = modes(heard.search, heard.deployment, group[0], others)
        sources.append(account(heard, group, places))
    return sources
