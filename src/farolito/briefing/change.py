"""What is new from one version to the next, in one sentence that can be spoken.

A version is worth an officer's glance only where a line means something else. Minutes that run
down, and which idle unit happens to be nearest, are live on the screen and make no version.
"""

from __future__ import annotations

from collections.abc import Sequence

from farolito.briefing.saying import phrase
from farolito.briefing.words import Words
from farolito.model import BriefLine, LineKind, Phrase

PHRASES_SPOKEN_MAX = 5  # what is more stands on the card, and that is said
_DRIFT = frozenset({
    "where.eta", "with_you.near", "with_you.straight", "with_you.alone", "with_you.nobody",
})  # fmt: skip
_FLAGS = frozenset({"hazards.flag", "hazards.flag_until"})
LOOKING = frozenset({"hazards.looking", "picture.looking"})
NOTHING = phrase("change.none")


def differences(
    before: Sequence[BriefLine], after: Sequence[BriefLine], first: Sequence[Phrase] = ()
) -> tuple[Phrase, ...]:
    """The difference as phrases, `first` before all; empty where no line means anything new."""
    new = [p for b, a in zip(before, after, strict=True) for p in _new_of(b, a)]
    if not new and not first:
        return ()
    said = [p for p in new if p not in first]
    if len(said) > PHRASES_SPOKEN_MAX:
        said = [*said[:PHRASES_SPOKEN_MAX], phrase("change.more")]
    opening = () if first else (phrase("change.update"),)
    return (*opening, *first, *said)


def same_meaning(before: Sequence[BriefLine], after: Sequence[BriefLine]) -> bool:
    return all(_meaning(b) == _meaning(a) for b, a in zip(before, after, strict=True))


def spoken(phrases: Sequence[Phrase], words: Words, language: str) -> str:
    return words.say_all(phrases or (NOTHING,), language)


def _meaning(line: BriefLine) -> tuple[object, ...]:
    if not line.phrases:  # of before briefs had phrases
        return (line.says,)
    kept = tuple(p for p in line.phrases if p.key not in _DRIFT)
    # Whether another unit's position is known drifts with who is nearest.
    known = line.kind is LineKind.WITH_YOU or line.known
    return (kept, line.confidence, known)


def _new_of(before: BriefLine, after: BriefLine) -> list[Phrase]:
    """What a changed line says that it did not say before; where it only lost something, what
    is over, else the whole line."""
    if _meaning(before) == _meaning(after):
        return []
    new = [p for p in after.phrases if p not in before.phrases and p.key not in _DRIFT]
    gone = [p for p in before.phrases if p not in after.phrases and p.key in _FLAGS]
    over = [
        phrase("change.flag_over", kind=p.args["kind"], text=p.args["text"])  # type: ignore[arg-type]
        for p in gone
        if not any(n.key in _FLAGS and n.args["text"] == p.args["text"] for n in new)
    ]
    news = [p for p in new if p.key not in LOOKING]
    if news or over:
        return [*over, *news]
    was_only_lookup = {p.key for p in before.phrases if p not in after.phrases} <= LOOKING
    return [] if was_only_lookup else list(after.phrases)
