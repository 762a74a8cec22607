"""Reading an EIDO's parts without trusting their types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; of one object, itself."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def texts_of(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [told for one in values if (told := text_of(one))]


def referenced(value: Any) -> str | None:
    """What a `{"$ref": …}` points to."""
    return text_of(value.get("$ref")) if isinstance(value, dict) else None


def moment(value: Any) -> datetime | None:
    """A time with its offset, in UTC. One without offset is not told: the standard wants one."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


class Document(msgspec.Struct, frozen=True):
    """An EIDO and the number of its incident."""

    root: dict[str, Any]
    number: str

    @property
    def incident(self) -> dict[str, Any]:
        """The incident component: an object, though other components are lists."""
        return next(iter(objects(self.root.get("incidentComponent"))), {})

    @property
    def is_handed_over(self) -> bool:
        return bool(objects(self.root.get("callComponent"))) and not self.incident

    def references(self, component: str) -> list[str]:
        """The locations that this component's parts point to, in order."""
        found = []
        for part in objects(self.root.get(component)):
            for one in objects(part.get("locationReference")):
                name = referenced(one)
                if name is not None:
                    found.append(name)
        return found
