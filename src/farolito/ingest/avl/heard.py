"""What every source of positions has in common: the checks, the table of units, the callbacks."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from farolito.model import AgencyId, Invalid, Point, Rejected, UnitId, UnitPosition

# Hands positions in. A position is worth a second: nobody waits for a disk here.
Hear = Callable[[Sequence[UnitPosition]], Awaitable[None]]
# Tells of what was not taken in, with its bytes where there are any.
Tell = Callable[[Rejected, bytes], None]
Clock = Callable[[], datetime]

# A clock that is an hour off is the believer's to doubt; a day off is no clock.
AHEAD_MAX = timedelta(days=1)
UNIT_CHARACTERS_MAX = 40
UNKNOWN_UNIT = "unknown_unit"
STRANGER_AGAIN = timedelta(minutes=10)
STRANGERS_MAX = 5_000  # remembered; past it all are told of again
# A phone's accuracy is the radius that holds the true place in 68 of 100 cases; of a circular
# normal error, that for 95 of 100 is sqrt(ln 0.05 / ln 0.32) times as long.
FROM_68_TO_95 = 1.62
KNOT_MPS = 1852 / 3600
MPH_MPS = 0.44704
_A_DAY, _HALF_A_DAY = timedelta(days=1), timedelta(hours=12)
_NEVER = float("inf")


class Origin:
    """Whose positions these are, and by which source: the same for all of a source's."""

    __slots__ = ("agency", "source")

    def __init__(self, agency: AgencyId, source: str) -> None:
        self.agency = agency
        self.source = source

    def position(  # noqa: PLR0913 - a position's own parts
        self,
        unit: str,
        place: tuple[float, float],
        at: datetime,
        received_at: datetime,
        heading_deg: float | None = None,
        speed_mps: float | None = None,
        accuracy_m: float | None = None,
    ) -> UnitPosition:
        """Raises Rejected: `no_unit`, `no_zone`, `future_time`, `no_place`.

        A heading, speed or accuracy that cannot be is left out: the place is still worth having.
        """
        if not unit or len(unit) > UNIT_CHARACTERS_MAX or not unit.isprintable():
            raise Rejected("no_unit", "a position without a usable call sign", "name the unit")
        if at.tzinfo is None:
            raise Rejected("no_zone", "a time without a zone", "send UTC or an offset")
        if at - received_at > AHEAD_MAX:
            raise Rejected("future_time", "a position from the future", "check the unit's clock")
        try:
            point = Point(*place)
        except Invalid as error:
            raise Rejected("no_place", error.says, error.do) from error
        return UnitPosition(
            unit=UnitId(unit),
            agency=self.agency,
            place=point,
            at=at,
            received_at=received_at,
            source=self.source,
            heading_deg=None if heading_deg is None else _heading(heading_deg),
            speed_mps=None if speed_mps is None else _size(speed_mps),
            accuracy_m=None if accuracy_m is None else _size(accuracy_m),
        )


class Strangers:
    """Tells what was not taken in; of a sender that is no unit of ours, only once in a while.

    A county's TAK server carries thousands of others' positions a second: each told would bury
    what somebody should look at. `count` has them all.
    """

    def __init__(self, tell: Tell, clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._told_at: dict[str, datetime] = {}
        self.count = 0

    def tell(self, sender: str, why: Rejected, body: bytes = b"") -> None:
        if why.reason != UNKNOWN_UNIT:
            self._tell(why, body)
            return
        self.count += 1
        now = self._clock()
        last = self._told_at.get(sender)
        if last is not None and now - last < STRANGER_AGAIN:
            return
        if len(self._told_at) >= STRANGERS_MAX:
            self._told_at.clear()
        self._told_at[sender] = now
        self._tell(why, body)


def named(units: Mapping[str, str], *names: str | None) -> str:
    """The unit by the first of its names that the table has. Raises Rejected `unknown_unit`."""
    for name in names:
        if name and name in units:
            return units[name]
    raise Rejected(UNKNOWN_UNIT, "a sender that no unit belongs to", "add it to the table units")


def on_a_day(told: time, received_at: datetime) -> datetime:
    """A time of day, on the day that puts it next to its arrival."""
    seconds = told.hour * 3600 + told.minute * 60 + told.second + told.microsecond / 1e6
    return on_a_day_s(seconds, received_at)


def on_a_day_s(seconds: float, received_at: datetime) -> datetime:
    """Seconds of the UTC day: what was measured before midnight may arrive after it."""
    midnight = received_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(seconds=seconds)
    off = at - received_at
    if off > _HALF_A_DAY:
        return at - _A_DAY
    return at + _A_DAY if off < -_HALF_A_DAY else at


def _heading(degrees: float) -> float | None:
    return degrees % 360 if math.isfinite(degrees) and 0 <= degrees <= 360 else None


def _size(value: float) -> float | None:
    return value if 0 <= value < _NEVER else None
