"""The locator as time goes by: pulses come in, sources go out as soon as they can be told.

A tick costs what is new: sources already known keep their pulses, and only places that a fresh
pulse could belong to are searched. What is known is rebuilt from the last pulses alone, so a
restart that hears them again tells the same places again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from farolito.acoustics.account import Heard
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.locate import source_of
from farolito.acoustics.net import Air, Net, Pulse
from farolito.acoustics.search import Search, Solution
from farolito.acoustics.settings import Tuning
from farolito.acoustics.source import Source
from farolito.acoustics.stack import coarse_cells
from farolito.acoustics.strings import joined
from farolito.acoustics.window import Floats, Window, sorted_pulses

REMADE_EVERY_S = 1.0
REMEMBERED_S = 20.0  # older pulses are forgotten, and sources without newer ones are final
SEARCHED_S = 9.0  # a place is sought among the pulses of so long
LATE_S = 0.6  # after this a pulse has nearly always reached us: a sensor without one was silent
SETTLED_S = 7.0  # a source whose first round is so old is not solved again
PULSES_MAX = 20_000  # the oldest go first
MOVED_M, MOVED_SHARE = 3.0, 0.3  # metres, or of the ellipse's long axis: then it is told anew
CLASSES = (0.2, 0.5)  # probabilities between which a source counts as the same
WITHDRAWN = 0.02  # what is left of the probability of a source that others explain better

Key = tuple[str, float]
Signature = tuple[tuple[int, int, float, float, int], ...]


class Listening:
    """Call `hear` as pulses arrive and `tick` some times a second. Holds at most `PULSES_MAX`
    pulses of the last `REMEMBERED_S` seconds."""

    def __init__(
        self,
        net: Net,
        air: Air,
        tuning: Tuning | None = None,
        deployment: Deployment | None = None,
    ) -> None:
        self._net, self._air = net, air
        self._tuning, self._deployment = tuning or Tuning(), deployment or Deployment()
        self._pulses: dict[Key, Pulse] = {}
        self._fresh: list[Pulse] = []
        self._active: list[_Kept] = []
        self._told: dict[int, Source] = {}
        self._tracks = 0
        self._remade_s = -math.inf
        self._solved: dict[int, Signature] = {}

    def use(self, net: Net) -> None:
        """From the next tick on: sensors moved, came, went, or were set aside."""
        self._net = net

    def use_air(self, air: Air) -> None:
        self._air = air

    def hear(self, pulses: Iterable[Pulse]) -> None:
        """Pulses in whatever order they arrived; one heard before changes nothing."""
        for pulse in pulses:
            key = (pulse.sensor, pulse.at_s)
            if key not in self._pulses:
                self._pulses[key] = pulse
                self._fresh.append(pulse)

    @property
    def remembered(self) -> int:
        """Pulses held at this moment."""
        return len(self._pulses)

    def tick(self, now_s: float) -> list[Source]:
        """Sources that are new or differ by enough since they were last told. `now_s` on the
        sensors' clock."""
        self._forget(now_s)
        fresh, self._fresh = [p for p in self._fresh if p.at_s > now_s - SEARCHED_S], []
        if not fresh:
            return []
        known = sorted_pulses(
            self._net, [p for p in self._pulses.values() if p.at_s > now_s - SEARCHED_S]
        )
        if len({pulse.sensor for pulse in known}) < self._tuning.sensors_min:
            return []
        zero_s = math.floor(known[0].at_s)
        window = Window.of(self._net, known, zero_s, now_s - LATE_S)
        search = Search(window, self._air, self._tuning, self._deployment)
        heard = Heard(self._net, known, zero_s, search, self._deployment)
        before = self._recalled(heard)
        may_remake = now_s >= self._remade_s + REMADE_EVERY_S
        if may_remake:
            self._remade_s = now_s
        found = search.run(
            self._near(fresh, search),
            self._renewed(search, before, fresh),
            may_remake=may_remake,
        )
        return self._tell(heard, before, found)

    def _forget(self, now_s: float) -> None:
        old = [key for key in self._pulses if key[1] < now_s - REMEMBERED_S]
        old += list(self._pulses)[: max(0, len(self._pulses) - len(old) - PULSES_MAX)]
        for key in old:
            self._pulses.pop(key, None)
        self._active = [kept for kept in self._active if kept.last_s > now_s - REMEMBERED_S]
        if len(self._told) > 1_000:
            self._solved.pop(min(self._told), None)
            self._told.pop(min(self._told))

    def _recalled(self, heard: Heard) -> list[Solution]:
        """What is known, in the columns of this window."""
        index = {(pulse.sensor, pulse.at_s): j for j, pulse in enumerate(heard.pulses)}
        return [
            recalled
            for kept in self._active
            if (recalled := kept.recall(heard.zero_s, self._net, index)) is not None
        ]

    def _renewed(
        self, search: Search, before: list[Solution], fresh: list[Pulse]
    ) -> list[Solution]:
        """Known sources that fresh pulses may belong to, with them."""
        reach_m = self._deployment.range_max_m
        at = [self._net.index[p.sensor] for p in fresh if p.sensor in self._net.index]
        x, y = self._net.x_m[at], self._net.y_m[at]
        # What has begun to leave the window is final: half a string says less than all of it.
        open_s = float(search.window.at_s.max()) - SETTLED_S
        renewed = [s._replace(is_final=bool(s.train.at_s[0] < open_s)) for s in before]
        for solution in [s for s in renewed if not s.is_final]:
            if (np.hypot(x - solution.x_m, y - solution.y_m) < reach_m).any():
                search.renew(renewed, solution)
        return renewed

    def _near(self, fresh: list[Pulse], search: Search) -> Floats:
        """Cells that a fresh pulse could have come from."""
        cells = coarse_cells(search.window, self._tuning)
        reach_m = self._deployment.range_max_m + self._tuning.coarse_m
        near = np.zeros(len(cells), dtype=np.bool_)
        for sensor in {p.sensor for p in fresh if p.sensor in self._net.index}:
            i = self._net.index[sensor]
            far = np.hypot(cells[:, 0] - self._net.x_m[i], cells[:, 1] - self._net.y_m[i])
            near |= far < reach_m
        return cells[near]

    def _tell(self, heard: Heard, before: list[Solution], found: list[Solution]) -> list[Source]:
        told: list[Source] = []
        numbered: list[Solution] = []
        for solution in found:
            track = solution.track
            if track < 0:
                track, self._tracks = self._tracks, self._tracks + 1
            numbered.append(solution._replace(track=track))
        self._active = [_Kept(solution, heard) for solution in numbered]
        here = set()
        for group in joined(numbered):
            track = min(solution.track for solution in group)
            here.add(track)
            last = self._told.get(track)
            if last is not None and all(solution.is_final for solution in group):
                continue
            signature = _signature(group)
            if last is not None and self._solved.get(track) == signature:
                continue
            self._solved[track] = signature
            source = source_of(heard, group, numbered)
            if last is None or differs(source, last):
                revision = 1 if last is None else last.revision + 1
                told.append(msgspec.structs.replace(source, track=track, revision=revision))
        for track in {solution.track for solution in before} - here:
            last = self._told.get(track)
            if last is not None and last.probability >= CLASSES[0]:
                told.append(
                    msgspec.structs.replace(last, revision=last.revision + 1, probability=WITHDRAWN)
                )
        self._told.update((source.track, source) for source in told)
        return told


class _Kept:
    """A source between ticks: its solution, with the pulses it claims by name."""

    def __init__(self, solution: Solution, heard: Heard) -> None:
        self.solution = solution
        self.zero_s = heard.zero_s
        self.last_s = heard.zero_s + float(solution.train.at_s[-1])
        pulse = solution.train.pulse
        self.sensors = [sensor.name for sensor in heard.net.sensors]
        self.keys = {
            (k, i): (heard.pulses[j].sensor, heard.pulses[j].at_s)
            for k, i in zip(*np.nonzero(pulse >= 0), strict=True)
            for j in (int(pulse[k, i]),)
        }

    def recall(self, zero_s: float, net: Net, index: dict[Key, int]) -> Solution | None:
        """The same in another window's columns; None where the net's sensors are others, or its
        pulses are gone."""
        if self.sensors != [sensor.name for sensor in net.sensors]:
            return None
        train = self.solution.train
        pulse = np.where(train.pulse >= 0, -1, train.pulse)
        for (k, i), key in self.keys.items():
            pulse[k, i] = index.get(key, -1)
        if not (pulse >= 0).any():
            return None
        at_s = train.at_s + (self.zero_s - zero_s)
        return self.solution._replace(train=train._replace(at_s=at_s, pulse=pulse))


def differs(source: Source, told: Source) -> bool:
    """Whether somebody who was told the one should be told the other."""
    if len(source.rounds) != len(told.rounds) or len(source.places) > len(told.places):
        return True
    if _class(source.probability) != _class(told.probability):
        return True
    moved_m = math.dist((source.place.x_m, source.place.y_m), (told.place.x_m, told.place.y_m))
    place = source.place
    mean, half = (place.xx + place.yy) / 2, math.hypot((place.xx - place.yy) / 2, place.xy)
    long_m = math.sqrt(5.991 * (mean + half))
    return moved_m > min(MOVED_M, MOVED_SHARE * long_m)


def _signature(group: Sequence[Solution]) -> Signature:
    """What must change before a source is worth accounting for anew."""
    return tuple(
        (one.track, one.rounds, round(one.x_m), round(one.y_m), one.heard.size) for one in group
    )


def _class(probability: float) -> int:
    return sum(probability >= edge for edge in CLASSES)
