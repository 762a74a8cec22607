"""Whether a camera's owner lets us look at this moment, and how that is said.

The agency's clock on the wall decides on hours: where it is put back at night, an hour of a window
that comes twice is open twice; where it is put forward, an hour that is not does not come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from farolito.model import Camera, Consent, Hours

ALARM_M = 300.0  # so near an open incident a camera may be looked at on alarm
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_A_DAY = timedelta(days=1)


class Leave(NamedTuple):
    """`says` why it is open or not, for the card of the camera."""

    is_open: bool
    says: str


def leave(camera: Camera, at: datetime, zone: ZoneInfo, *, on_alarm: bool) -> Leave:
    """`on_alarm`: an incident is open within ALARM_M of it."""
    if camera.consent is Consent.ALWAYS:
        return Leave(True, "its owner lets us look at any time")
    if camera.consent is Consent.REGISTRY_ONLY:
        return Leave(False, "its owner lets nobody look: it is in the register alone")
    if on_alarm:
        return Leave(True, "open: an incident is open near it")
    alarm = f"while an incident is open within {ALARM_M:.0f} m"
    if camera.consent is Consent.ON_ALARM:
        return Leave(False, f"its owner lets us look only {alarm}")
    hours = told(camera.hours)
    if is_within(camera.hours, at, zone):
        return Leave(True, f"open at this hour: {hours}")
    return Leave(False, f"its owner lets us look {hours}, and {alarm}")


def is_within(hours: Sequence[Hours], at: datetime, zone: ZoneInfo) -> bool:
    local = at.astimezone(zone)
    return any(_is_in(one, local) for one in hours)


def told(hours: Sequence[Hours]) -> str:
    """As people say it: `Mon–Fri 22:00–06:00, Sun 00:00–24:00`."""
    return ", ".join(f"{_days(one.days)} {_span(one)}" for one in hours)


def _is_in(hours: Hours, local: datetime) -> bool:
    clock, day = local.time(), local.weekday()
    if hours.since < hours.until:
        return day in hours.days and hours.since <= clock < hours.until
    before = (local.date() - _A_DAY).weekday()
    begun_today = day in hours.days and clock >= hours.since
    return begun_today or (before in hours.days and clock < hours.until)


def _days(days: Sequence[int]) -> str:
    """Neighbouring days as a span."""
    spans: list[list[int]] = []
    for day in sorted(set(days)):
        if spans and day == spans[-1][-1] + 1:
            spans[-1].append(day)
        else:
            spans.append([day])
    return " ".join(
        _DAYS[span[0]] if len(span) == 1 else f"{_DAYS[span[0]]}–{_DAYS[span[-1]]}"
        for span in spans
    )


def _span(hours: Hours) -> str:
    if hours.since == hours.until:
        return f"{hours.since:%H:%M}–{hours.until:%H:%M} (a whole day)"
    return f"{hours.since:%H:%M}–{hours.until:%H:%M}"
