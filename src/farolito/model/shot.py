"""A shot: where and when, how sure, what sound, who heard it, and what people made of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from farolito.model.alert import AlertState, Level
from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, DeviceId, MissId, PersonId, ShotAlertId, ShotId
from farolito.model.impulse import SoundClip, Weather
from farolito.model.place import Point

WITHDRAWN = 0.05  # a probability at or below it is the machine's word that there was no source


class SoundKind(StrEnum):
    """What made the sound. A closed list: a machine gives each a probability, a person picks."""

    GUNSHOT = "gunshot"
    FIREWORK = "firework"
    VEHICLE = "vehicle"  # a backfire, an exhaust
    CONSTRUCTION = "construction"  # nail guns, pile drivers, dropped plates
    OTHER = "other"  # thunder, doors, dogs, whatever else


class Ellipse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Holds the true place with `probability`. `bearing_deg` of its long axis, from north."""

    semi_major_m: float
    semi_minor_m: float
    bearing_deg: float
    probability: float = 0.95


class Mode(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of several places that explain what was heard. The shares of all sum to at most 1."""

    place: Point
    ellipse: Ellipse
    share: float


class Round(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One discharge. `place` only where this one was located by itself: a shooter who moves."""

    at: datetime
    sensors: int
    place: Point | None = None


class Movement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The shooter went so far between the first round and the last; `metres_sd` its uncertainty."""

    metres: float
    metres_sd: float
    bearing_deg: float


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sensor that heard it. `residual_ms`: how much later than the place explains, median over
    the rounds."""

    sensor: DeviceId
    metres: float
    onset_at: datetime  # of the first round it heard
    rounds: int
    residual_ms: float
    level_db: float | None = None


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One string of rounds from one place, as it was solved at `located_at`.

    `revision` grows by one with each better solution. `source`: "sensors", or the device that
    stands for a vendor's service. `probability`: that there was such a source at all and not an
    alias of others (calibrated); `kinds`: what it was, given that there was one, summing to 1.
    `modes`: empty, or two and more places, the likeliest first, which is `place`. `silent`:
    sensors that should have heard it (more likely than not) and did not. `down`: those that were
    out or set aside. `outside_net`: the place lies outside the sensors that heard it, so it is
    less sure than its ellipse.
    """

    shot_id: ShotId
    agency: AgencyId
    revision: int
    source: str
    discharged_at: datetime
    located_at: datetime
    place: Point
    rounds: tuple[Round, ...]
    probability: float
    kinds: dict[SoundKind, float]
    ellipse: Ellipse | None = None  # None: a vendor that does not tell how sure it is
    modes: tuple[Mode, ...] = ()
    rounds_low: int | None = None  # 95 % interval of the number of rounds
    rounds_high: int | None = None
    movement: Movement | None = None
    heard: tuple[Heard, ...] = ()
    silent: tuple[DeviceId, ...] = ()
    down: tuple[DeviceId, ...] = ()
    outside_net: bool = False
    weather: Weather | None = None
    because: tuple[str, ...] = ()  # what spoke for and against each kind, as sentences
    storm: str = ""  # thunder or a show of fireworks that it was heard in, as a sentence

    def __post_init__(self) -> None:
        if not self.rounds:
            raise Invalid("a shot without a round")
        if not 0 <= self.probability <= 1:
            raise Invalid(f"probability {self.probability} is not within 0…1")

    @property
    def is_ambiguous(self) -> bool:
        return len(self.modes) > 1

    @property
    def is_withdrawn(self) -> bool:
        """What was heard is explained better by other sources."""
        return self.probability <= WITHDRAWN

    def is_in(self, clip: SoundClip) -> bool:
        """Whether the clip holds it: of a sensor that heard it begin within."""
        until = clip.starts_at + timedelta(seconds=clip.seconds)
        return any(
            ear.sensor == clip.sensor and clip.starts_at <= ear.onset_at <= until
            for ear in self.heard
        )

    @property
    def gunshot(self) -> float:
        """Probability that this was gunfire: a source, and a gun."""
        return self.probability * self.kinds.get(SoundKind.GUNSHOT, 0.0)


class ShotReview(msgspec.Struct, frozen=True, kw_only=True):
    """What a person heard. `listened`: sensors whose clips were played to them."""

    at: datetime
    by: PersonId
    kind: SoundKind
    listened: tuple[DeviceId, ...] = ()
    note: str = ""


class ShotOutcome(StrEnum):
    """What came of it. The first four confirm gunfire; `unknown` is an answer too."""

    CASINGS = "casings"
    VICTIM = "victim"
    VIDEO = "video"
    WITNESS = "witness"
    FIREWORKS = "fireworks"
    NOTHING_FOUND = "nothing_found"
    UNKNOWN = "unknown"

    @property
    def confirms(self) -> bool:
        return self in (
            ShotOutcome.CASINGS, ShotOutcome.VICTIM, ShotOutcome.VIDEO, ShotOutcome.WITNESS
        )  # fmt: skip


class OutcomeSaid(msgspec.Struct, frozen=True, kw_only=True):
    outcome: ShotOutcome
    at: datetime
    by: PersonId
    note: str = ""


class ShotAlert(msgspec.Struct, frozen=True, kw_only=True):
    """Strings of rounds near each other on their way to a person. `version` grows by one with
    each change, and every version is kept: the machine's answer, the reviewer's, and all later.

    `shots`: the strings in order of time, each in its newest revision. `machine`: the machine's
    own answer when it was raised, which no later change touches. `zone` is for the figures,
    `where` for people.
    """

    alert_id: ShotAlertId
    agency: AgencyId
    version: int
    level: Level
    state: AlertState
    shots: tuple[Shot, ...]
    machine: Shot
    raised_at: datetime
    changed_at: datetime
    zone: str = ""
    where: str = ""  # as people say it: "4th & Central"; empty where the map does not know
    clips: tuple[SoundClip, ...] = ()
    taken_by: PersonId | None = None
    review: ShotReview | None = None
    outcome: OutcomeSaid | None = None
    escalated_at: datetime | None = None
    is_queued: bool = True  # False: heard and kept, not worth a person's time by itself
    decision_reason: str | None = None

    def __post_init__(self) -> None:
        if not self.shots:
            raise Invalid("an alert without a shot")

    @property
    def shot(self) -> Shot:
        """The string most likely to be gunfire, which stands for all."""
        return max(self.strings, key=lambda shot: shot.gunshot)

    @property
    def strings(self) -> tuple[Shot, ...]:
        """Those that stand. What the machine took back is kept, and counts for nothing beside
        others."""
        return tuple(shot for shot in self.shots if not shot.is_withdrawn) or self.shots

    @property
    def rounds(self) -> int:
        return sum(len(shot.rounds) for shot in self.strings)

    @property
    def is_confirmed(self) -> bool:
        """A person listened and heard gunfire: only then does any officer hear of it."""
        decided = self.state in (AlertState.CONFIRMED, AlertState.CLOSED)
        return decided and self.review is not None and self.review.kind is SoundKind.GUNSHOT


class ShotMiss(msgspec.Struct, frozen=True, kw_only=True):
    """A shooting that is known otherwise and had no alert: what vendors do not count."""

    miss_id: MissId
    agency: AgencyId
    at: datetime
    place: Point
    known_by: ShotOutcome  # casings, a victim, video or a witness
    said_at: datetime
    by: PersonId
    rounds: int | None = None
    zone: str = ""
    note: str = ""
    in_coverage: float | None = None  # chance to hear it there, by the surface of that time


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """`yes` of `of` with its 95 % interval (Wilson 1927); None where there is no case."""

    yes: int
    of: int
    share: float | None = None
    low: float | None = None
    high: float | None = None


class ShotFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How good the alerts of one class of cases were. `name`: the zone, hour or kind; "" is all.

    `precision`: confirmed of those whose outcome is known. `confirmed_of_all`: of all alerts that
    a person let through, as the city audits count. `found`: of all shootings known by whatever
    way, those that had an alert.
    """

    name: str
    alerts: int
    confirmed: int
    unfounded: int  # fireworks, or nothing found
    unknown: int
    open: int  # no outcome yet
    misses: int
    precision: Share
    confirmed_of_all: Share
    found: Share


class ShotRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome ledger of a period, for its page and for the public."""

    since: datetime
    until: datetime
    all: ShotFigures
    by_zone: tuple[ShotFigures, ...]
    by_hour: tuple[ShotFigures, ...]
    by_kind: tuple[ShotFigures, ...]
