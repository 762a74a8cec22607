"""CoT events for tests: the test says what matters, the rest is a patrol car's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from farolito.ingest.avl.cot import CotEvent, element
from farolito.ingest.xml import Element, parse

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def an_event(**said: Any) -> CotEvent:
    given: dict[str, Any] = {
        "uid": "ANDROID-2a14",
        "type": "a-f-G-U-C",
        "how": "m-g",
        "time": NOW,
        "start": NOW,
        "stale": NOW + timedelta(minutes=5),
        "lat": 35.0844,
        "lon": -106.6504,
        "hae": 1510.2,
        "ce": 6.5,
        "le": None,
    }
    return CotEvent(**(given | said))


def a_car(
    callsign: str = "2A14", speed: str = "12.5", course: str = "271.0", **said: Any
) -> CotEvent:
    detail = element("contact", {"callsign": callsign, "endpoint": "*:-1:stcp"})
    detail += element("track", {"speed": speed, "course": course})
    return an_event(**({"uid": f"ANDROID-{callsign}", "detail": detail} | said))


def canonical(told: Element) -> tuple[Any, ...]:
    """An element without regard for the order of its children and of white space."""
    children = sorted(map(canonical, told.children))
    return (told.name, sorted(told.attributes.items()), told.text, children)


def same_detail(one: str, other: str) -> bool:
    first, second = (parse(f"<detail>{text}</detail>".encode()) for text in (one, other))
    return canonical(first) == canonical(second)
