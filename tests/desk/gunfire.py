"""Shots as a locator or a vendor tells them, and a desk that hears them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from farolito.app.clock import ids
from farolito.desk import ShotDesk
from farolito.gate import Ask
from farolito.model import (
    DeviceId,
    Ellipse,
    Heard,
    Person,
    Point,
    Purpose,
    Round,
    Shot,
    ShotAlert,
    ShotAlertId,
    ShotId,
    SoundClip,
    SoundKind,
    Thing,
)
from tests.desk.city import AGENCY, START, City, spot

BOOT = "boot1"


def shot(
    x: float = 500.0, y: float = 500.0, *, at: datetime = START, rounds: int = 3,
    gun: float = 0.9, sensors: int = 8, **more: Any,
) -> Shot:  # fmt: skip
    """A string of rounds 0.3 s apart, `x` metres east and `y` north of 1st and A."""
    heard = tuple(
        Heard(
            sensor=DeviceId(f"ear-{n}"), metres=340.0 * (1 + n),
            onset_at=at + timedelta(seconds=1 + n), rounds=rounds, residual_ms=2.0,
        )
        for n in range(sensors)
    )  # fmt: skip
    told: dict[str, Any] = {
        "shot_id": ShotId(ids()), "agency": AGENCY.agency_id, "revision": 1, "source": "sensors",
        "discharged_at": at, "located_at": at + timedelta(seconds=2), "place": spot(x, y),
        "rounds": tuple(
            Round(at=at + timedelta(seconds=0.3 * n), sensors=sensors) for n in range(rounds)
        ),
        "probability": 1.0, "kinds": {SoundKind.GUNSHOT: gun, SoundKind.FIREWORK: 1 - gun},
        "ellipse": Ellipse(semi_major_m=8, semi_minor_m=4, bearing_deg=30), "heard": heard,
    }  # fmt: skip
    return Shot(**{**told, **more})


class Ears:
    """A desk for shots in a city; it keeps what its followers were told."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.desk = ShotDesk(city.gate, city.system, city.clock, ids, zone_of)
        self.told: list[tuple[ShotAlert, str]] = []
        self.desk.followers.append(self._follow)

    @classmethod
    async def anew(cls, city: City) -> Ears:
        """A desk in a city of which no shot is known, at the beginning of its time."""
        async with city.database.system() as connection:
            await connection.execute("truncate shot_alerts, shot_misses, feed cascade")
        city.later((START - city.clock()).total_seconds())
        return cls(city)

    async def _follow(self, records: Any, alert: ShotAlert, says: str) -> None:
        kept = await records.shots.get(alert.alert_id)
        assert kept == alert, "a follower sees what is kept"
        self.told.append((alert, says))

    async def heard(self, told: Shot, track: str = f"{BOOT}:1", pulses: bytes = b"") -> ShotAlert:
        """The alert that this solution raised or changed."""
        alert = await self.desk.hear(told, track, pulses)
        assert alert is not None, "it changed something"
        return alert

    def ask(self, query: str = "test", thing: Thing = Thing.SHOT, by: Person | None = None) -> Ask:
        return Ask(
            person=by or self.city.operator, thing=thing, purpose=Purpose.IN_PROGRESS_CALL,
            query=query, signed_in_at=self.city.clock(),
        )  # fmt: skip

    async def reviewed(
        self, alert: ShotAlert, kind: SoundKind = SoundKind.GUNSHOT, listened: Sequence[str] = ()
    ) -> ShotAlert:
        answer = await self.desk.review(
            self.ask(), alert.alert_id, alert.version, kind, [DeviceId(one) for one in listened]
        )
        return answer.value

    async def now(self, alert_id: ShotAlertId) -> ShotAlert:
        async with self.city.records() as records:
            found = await records.shots.get(alert_id)
            assert found is not None
            return found

    async def versions(self, alert: ShotAlert) -> list[ShotAlert]:
        async with self.city.records() as records:
            return [one.alert for one in await records.shots.versions(alert.alert_id)]

    async def history(self, alert: ShotAlert) -> list[str]:
        async with self.city.records() as records:
            return [line.says for line in await records.shots.history(alert.alert_id)]

    async def feed(self) -> list[tuple[str, int]]:
        """Kind and version of everything that screens were told of shots."""
        import msgspec

        async with self.city.records() as records:
            items = await records.feed.after(0)
            assert items is not None
            return [
                (item.kind, msgspec.json.decode(item.body, type=ShotAlert).version)
                for item in items
                if item.kind == "shot"
            ]


def zone_of(place: Point) -> str:
    """East and west of 5th St."""
    return "east" if place.lon > spot(400, 0).lon else "west"


def clip(sensor: str, at: datetime = START, sha256: str = "a" * 64) -> SoundClip:
    return SoundClip(
        sensor=DeviceId(sensor), sha256=sha256, starts_at=at, seconds=5.0, rate_hz=12_000
    )
