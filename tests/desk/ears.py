"""The desk of shots over a city, as sensors, a vendor and an operator use it."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec

from farolito.app.clock import ids
from farolito.desk.shots import ShotDesk
from farolito.gate import Ask
from farolito.model import Incident, Person, Shot, ShotAlert, SoundKind, Thing
from farolito.store.people import People
from tests.desk.city import City, spot
from tests.shot_builders import shot

_tracks = count(1)


class Ears:
    """The desk of shots over a city, followed by its dispatch."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.desk = ShotDesk(city.gate, city.system, city.clock, ids, lambda _: "")
        self.desk.followers.append(city.dispatch.follow_shot)
        self.of: dict[Any, str] = {}

    async def heard(self, x: float, y: float, n: int = 5, **more: Any) -> ShotAlert:
        return await self.told(shot(n, self.city.clock(), place=spot(x, y), **more))

    async def told(self, solved: Shot, track: str | None = None) -> ShotAlert:
        track = track or f"boot:{next(_tracks)}"
        alert = await self.desk.hear(solved, track)
        assert alert is not None
        self.of[alert.alert_id] = track
        return alert

    async def revised(self, alert: ShotAlert, **changes: Any) -> ShotAlert:
        solved = msgspec.structs.replace(
            alert.shot, revision=alert.shot.revision + 1, **changes
        )  # fmt: skip
        return await self.told(solved, self.of[alert.alert_id])

    def ask(self) -> Ask:
        return msgspec.structs.replace(self.city.ask(), thing=Thing.SHOT)

    async def reviewed(self, alert: ShotAlert, kind: SoundKind = SoundKind.GUNSHOT) -> ShotAlert:
        return (await self.desk.review(self.ask(), alert.alert_id, alert.version, kind, ())).value

    async def is_known(self, person: Person) -> None:
        """History names who is in the table of people."""
        async with self.city.database.system() as connection:
            await People(connection).keep(person, self.city.clock())

    async def home(self, alert: ShotAlert) -> Incident | None:
        async with self.city.records() as records:
            home = await records.incidents.of_part(alert.alert_id)
            return await records.incidents.get(home) if home else None
