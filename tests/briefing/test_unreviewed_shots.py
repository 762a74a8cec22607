"""No officer hears of shots in which no person heard gunfire, whatever happens in any order."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from farolito.delivery import cot
from farolito.delivery.follow import stands
from farolito.delivery.wording import ENGLISH
from farolito.model import Brief, Incident, PartKind, ShotAlert, SoundKind, UnitId
from tests.briefing.scene import Scene
from tests.desk.city import spot
from tests.desk.ears import Ears

SEED = 20261123
TURNS, DEEDS = 6, 6
WORDS = (b"sensor", b"gunfire", b"what.shots", b"where.shot_within", b"spoken.shots")


class Turn:
    """One corner of town with its own unit, its calls and its shots."""

    def __init__(self, scene: Scene, ears: Ears, number: int, chance: random.Random) -> None:
        self.scene, self.ears, self.number, self.chance = scene, ears, number, chance
        # A kilometre and more apart: what happens in one turn belongs to no other.
        self.x, self.y = 2_000.0 * number, 300.0
        self.unit = UnitId(f"U{number}")
        self.alert: ShotAlert | None = None
        self.calls = 0
        self.was_reviewed_as_gunfire = False

    async def call(self) -> None:
        self.calls += 1
        number = f"26-{self.number}-{self.calls}"
        await self.scene.told(
            number, self.scene.on(self.unit), place=spot(self.x, self.y), address=None
        )

    async def hear(self) -> None:
        if self.alert is None:
            self.alert = await self.ears.heard(self.x + 60, self.y, 5)

    async def hear_better(self) -> None:
        if self.alert is not None:
            offset = self.chance.uniform(0, 40)
            self.alert = await self.ears.revised(self.alert, place=spot(self.x + offset, self.y))

    async def take(self) -> None:
        if self.alert is not None and self.alert.state == "waiting":
            taken = await self.ears.desk.take(self.ears.ask(), self.alert.alert_id)
            self.alert = taken.value

    async def hear_a_firework(self) -> None:
        if self.alert is not None:
            self.alert = await self.ears.reviewed(self.alert, SoundKind.FIREWORK)

    async def hear_gunfire(self) -> None:
        if self.alert is not None:
            self.alert = await self.ears.reviewed(self.alert)
            self.was_reviewed_as_gunfire = True

    async def told(self) -> list[Brief]:
        briefs = await self.scene.briefs(self.unit)
        return [v for brief in briefs for v in await self.scene.versions(brief)]


DEEDS_OF: list[Callable[[Turn], Awaitable[None]]] = [
    Turn.call, Turn.hear, Turn.hear_better, Turn.take, Turn.hear_a_firework, Turn.hear_gunfire,
]  # fmt: skip


async def test_an_officer_hears_of_no_shots_before_a_person_heard_gunfire(scene: Scene) -> None:
    chance = random.Random(SEED)
    ears = Ears(scene.city)
    ears.desk.followers.append(scene.briefing.follow_shot)
    reviewed, spoken_of = 0, 0
    for number in range(TURNS):
        turn = Turn(scene, ears, number, chance)
        await turn.call()
        await turn.hear()
        for deed in chance.choices(DEEDS_OF, k=DEEDS):
            scene.city.later(1)
            await deed(turn)
            told = [msgspec.json.encode(version) for version in await turn.told()]
            said = any(word in version for version in told for word in WORDS)
            assert turn.was_reviewed_as_gunfire or not said, (SEED, number, deed.__name__)
            assert turn.alert is not None
            await _nothing_leaves_for_maps(scene, turn.alert)
        reviewed += turn.was_reviewed_as_gunfire
        spoken_of += turn.was_reviewed_as_gunfire and said
    assert 0 < reviewed < TURNS, "both kinds of turns were taken"
    assert spoken_of, "no turn came as far as a brief: it proved nothing"


async def _nothing_leaves_for_maps(scene: Scene, alert: ShotAlert) -> None:
    markers = cot.shots(alert, scene.city.clock(), ENGLISH)
    assert alert.is_confirmed or markers == []
    async with scene.city.records() as records:
        home = await records.incidents.of_part(alert.alert_id)
        incident: Incident | None = await records.incidents.get(home) if home else None
        if incident is None:
            return
        kinds: set[Any] = {part.kind for part in incident.parts if part.is_confirmed}
        assert await stands(records, incident) is bool(kinds)
        marker = cot.incident(incident, scene.city.clock(), ENGLISH)
        of_sensors = marker is not None and "sensors" in marker.detail
        assert of_sensors is (marker is not None and PartKind.SHOT in kinds)
