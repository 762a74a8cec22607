"""What an agreement's terms ask to be known of a question: where, when, how old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, tzinfo

from farolito.geo.zones import Beat
from farolito.model import Agreement, Hours, Point, Zone
from farolito.policy.request import Fact

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES


def minute_of_week(local: datetime) -> int:
    """0: Monday, midnight. `local`: by the grantor's clock."""
    return local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute


def zones_at(zones: Sequence[Zone], place: Point | None) -> tuple[str, ...]:
    """The names of those that hold the place; of no place, none."""
    if place is None:
        return ()
    return tuple(zone.name for zone in zones if _border(zone).holds(place))


def facts_of_question(
    terms: Agreement, at: datetime, zone: tzinfo, record_age_days: int
) -> Mapping[str, Fact]:
    """Of a question that is held within the agreement's zones by whoever reads the store, and so
    lies in them whatever it finds. `zone`: of the grantor's clock; `record_age_days`: of the
    newest record that is asked for."""
    facts: dict[str, Fact] = {
        "minute_of_week": minute_of_week(at.astimezone(zone)),
        "record_age_days": record_age_days,
    }
    if terms.zones:
        facts["zones"] = tuple(one.name for one in terms.zones)
    return facts


def spans(hours: Sequence[Hours]) -> tuple[tuple[int, int], ...]:
    """As minutes of the week, the last one excluded. A window over Sunday's midnight is two."""
    found: list[tuple[int, int]] = []
    for one in hours:
        since, until = _minute(one.since), _minute(one.until)
        length = (until - since) % DAY_MINUTES or DAY_MINUTES
        for day in one.days:
            begin = day * DAY_MINUTES + since
            end = begin + length
            found.append((begin, min(end, WEEK_MINUTES)))
            if end > WEEK_MINUTES:
                found.append((0, end - WEEK_MINUTES))
    return tuple(sorted(set(found)))


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _border(zone: Zone) -> Beat:
    return Beat(zone.name, ((tuple((p.lon, p.lat) for p in zone.ring),),))
