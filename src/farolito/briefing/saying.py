"""How a line is said: phrases of the catalogues, and what from outside goes into them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

import msgspec

from farolito.briefing.words import Words
from farolito.model import BriefLine, Confidence, LineKind, Phrase

TOLD_CHARACTERS_MAX = 160  # of one text from outside: a line is one glance
COMPASS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")

Arg = str | int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A line in phrases, before it is said in a language."""

    kind: LineKind
    phrases: tuple[Phrase, ...]
    source: Phrase
    as_of: datetime | None
    confidence: Confidence = Confidence.MACHINE
    known: bool = True


def phrase(key: str, **args: Arg) -> Phrase:
    return Phrase(key, {**args})


def said(draft: Draft, words: Words, language: str) -> BriefLine:
    return BriefLine(
        kind=draft.kind,
        says=words.say_all(draft.phrases, language),
        source=words.say(draft.source, language),
        as_of=draft.as_of,
        confidence=draft.confidence,
        known=draft.known,
        phrases=draft.phrases,
        source_phrase=draft.source,
    )


def told(text: str) -> str:
    """A text from outside as an argument: one line, bounded, and never taken for a key."""
    text = " ".join(text.split()).lstrip("@ ")
    if len(text) > TOLD_CHARACTERS_MAX:
        return text[: TOLD_CHARACTERS_MAX - 1].rstrip() + "…"
    return text


def sentence(text: str) -> str:
    """The same without its last full stop: our sentences bring their own."""
    return told(text).rstrip(".;, ")


def compass(heading_deg: float) -> str:
    return COMPASS[round(heading_deg / 45) % 8]


def wind(heading_deg: float) -> str:
    """The key of a compass word, as an argument."""
    return f"@compass.{compass(heading_deg)}"


def day(at: datetime, zone: tzinfo) -> dict[str, Arg]:
    """The parts of a date: each language puts them in its own order."""
    local = at.astimezone(zone)
    return {"day": local.day, "month": f"@month.{local.month}", "year": local.year}


def clock_time(at: datetime, zone: tzinfo) -> str:
    """Hours and minutes on the agency's clock; one that is kept in UTC says so."""
    local = at.astimezone(zone).strftime("%H:%M")
    return f"{local} UTC" if zone is UTC else local


def clock_second(at: datetime, zone: tzinfo) -> str:
    """The same to the second: when a shot was fired, cameras are searched by it."""
    local = at.astimezone(zone).strftime("%H:%M:%S")
    return f"{local} UTC" if zone is UTC else local


def minutes(seconds: float) -> int:
    """Nobody is zero minutes away until there."""
    return max(1, round(seconds / 60))


def differing(values: Iterable[str]) -> list[str]:
    """What was told differently, each once, in the order told; spelling alone is no difference."""
    seen: dict[str, str] = {}
    for value in values:
        if sentence(value):
            seen.setdefault(" ".join(value.casefold().split()), told(value))
    return list(seen.values())
