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
from farolito.acoustics.few import FEW_SENSORS, few_source, with_few
from farolito.acoustics.few import SENSORS_MIN as FEW_MIN
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
    sensors, or none that agree: no source. A net of few sensors is asked in its own way (`few`).
    """
    known = sorted_pulses(net, pulses)
    is_few = int(net.is_up.sum()) <= FEW_SENSORS
    if len({pulse.sensor for pulse in known}) < (FEW_MIN if is_few else tuning.sensors_min):
        return []
    zero_s = float(np.floor(min(pulse.at_s for pulse in known)))
    search = Search(Window.of(net, known, zero_s), air, tuning, deployment)
    heard = Heard(net, known, zero_s, search, deployment)
    found = search.run()
    sources = [source_of(heard, group, found) for group in joined(found)]
    if is_few:
        search.mark([])
        few = few_source(heard, air)
        sources = sources if few is None else with_few(few, sources)
    sources.sort(key=lambda source: source.rounds[0].at_s)
    return [msgspec.structs.replace(source, track=track) for track, source in enumerate(sources)]


def source_of(heard: Heard, group: Sequence[Solution], found: Sequence[Solution]) -> Source:
    """What one shooter's solutions among all `found` say, with all places that explain them."""
    places: tuple[Place, ...] = ()
    if len(group) == 1:
        others = [one for one in found if one is not group[0]]
        places = modes(heard.search, heard.deployment, group[0], others)
    return account(heard, group, found, places)
