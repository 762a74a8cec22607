"""A practice shift played as fast as it goes: what was said by the dispatch centre, and where the
cars were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from farolito.simulator.cad_message import CadMessage, CallTruth
from farolito.simulator.patrol import Fix
from farolito.simulator.world import SimulatorConfig, World, make_world

STEP_S = 5


class Shift:
    """Everything of the first `minutes`."""

    def __init__(self, world: World, minutes: int) -> None:
        self.world, self.start = world, world.config.start
        self.messages: list[CadMessage] = []
        self.truths: list[CallTruth] = []
        self.fixes: list[list[Fix]] = []
        for second in range(0, minutes * 60, STEP_S):
            at = self.start + timedelta(seconds=second)
            for said in world.dispatcher.until(at):
                if isinstance(said, CadMessage):
                    self.messages.append(said)
                else:
                    self.truths.append(said)
            self.fixes.append(world.patrol.fixes(at))

    @property
    def calls(self) -> dict[str, list[CadMessage]]:
        """Messages by number, in the order sent."""
        found: dict[str, list[CadMessage]] = defaultdict(list)
        for message in self.messages:
            found[message.number].append(message)
        return found

    @property
    def events(self) -> dict[str, list[CallTruth]]:
        found: dict[str, list[CallTruth]] = defaultdict(list)
        for truth in self.truths:
            found[truth.event].append(truth)
        return found

    def told(self, event: str) -> Sequence[list[CadMessage]]:
        """The messages of each telling of an event."""
        return [self.calls[truth.number] for truth in self.events[event]]


def played(start: datetime, minutes: int, seed: int = 7) -> Shift:
    config = SimulatorConfig(start=start, seed=seed, vehicles=6_000, readers=40, list_rows=300)
    return Shift(make_world(config), minutes)
