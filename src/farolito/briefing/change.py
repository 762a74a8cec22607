"""What is new from one version to the next, in one sentence that can be spoken.

A version is worth an officer's glance only where a line means something else. Minutes that run
down, and which idle unit happens to be nearest, are live on the screen and make no version.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from farolito.briefing.saying import phrase, wind
from farolito.briefing.words import Words
from farolito.geo.distance import bearing_deg, distance_m
from farolito.model import Brief, BriefLine, LineKind, Phrase

PHRASES_SPOKEN_MAX = 5  # what is more stands on the card, and that is said
_DRIFT = frozenset({
    "where.eta", "what.rounds_between", "with_you.near", "with_you.straight", "with_you.alone",
    "with_you.nobody",
})  # fmt: skip
_FLAGS = frozenset({"hazards.flag", "hazards.flag_until"})
_SHOTS = frozenset({"what.shots", "what.shots_told"})
_OF_SHOTS = ("shot", "n", "name")  # a sensor more, or a tenth of a second, is no news
_OF_PLACE = (
    "where.street", "where.cross", "where.unnamed", "where.likely", "where.away",
    "where.shot_within", "where.eta",
)  # fmt: skip
# Half a sentence: said with the others of its line or not at all.
_FRAGMENTS = frozenset({
    "where.one_of", "where.one_of_two", "where.likely", "where.away", "where.sensors",
})  # fmt: skip
MOVED_M = 10.0  # a place located anew within this is the same place to a driver
SURER = 2.0  # a radius this many times smaller, or larger, is news by itself
LOOKING = frozenset({"hazards.looking", "picture.looking"})
NOTHING = phrase("change.none")


def differences(
    before: Sequence[BriefLine],
    after: Sequence[BriefLine],
    first: Sequence[Phrase] = (),
    moved: Sequence[Phrase] = (),
    steady: Collection[LineKind] = (),
) -> tuple[Phrase, ...]:
    """The difference as phrases, `first` before all; empty where no line means anything new.

    `moved` stands before the news of the place; `steady` lines say nothing new.
    """
    new = [
        p
        for b, a in zip(before, after, strict=True)
        if a.kind not in steady
        for p in (*(moved if a.kind is LineKind.WHERE else ()), *_new_of(b, a))
    ]
    if not new and not first:
        return ()
    said = [p for p in new if p not in first]
    if len(said) > PHRASES_SPOKEN_MAX:
        said = [*said[:PHRASES_SPOKEN_MAX], phrase("change.more")]
    opening = () if first else (phrase("change.update"),)
    return (*opening, *first, *said)


def same_meaning(
    before: Sequence[BriefLine], after: Sequence[BriefLine], steady: Collection[LineKind] = ()
) -> bool:
    pairs = zip(before, after, strict=True)
    return all(_meaning(b) == _meaning(a) for b, a in pairs if a.kind not in steady)


def moved(before: Brief, after: Brief) -> tuple[tuple[Phrase, ...], frozenset[LineKind]]:
    """How the place of the same shots changed: what is said of it, and which lines are steady.

    Sensors locate shots anew while their pulses come in; a street corner that wavers by less than
    its own uncertainty would wake a driver for nothing.
    """
    was, now = _by_shots(before), _by_shots(after)
    if not was or was != now or before.place is None or after.place is None:
        return (), frozenset()
    a = (before.place.lat, before.place.lon)
    b = (after.place.lat, after.place.lon)
    metres = distance_m(a, b)
    if metres >= MOVED_M:
        # Which of several places is likeliest changed: the line says all of them.
        if any(p.key in _FRAGMENTS for p in was):
            return (), frozenset()
        way = wind(bearing_deg(a, b))
        return (phrase("change.moved", metres=round(metres), wind=way),), frozenset()
    radii = sorted((before.within_m or 1.0, after.within_m or 1.0))
    if radii[1] >= SURER * radii[0] or _beside(before) != _beside(after):
        return (), frozenset()
    return (), frozenset({LineKind.WHERE})


def _by_shots(brief: Brief) -> list[Phrase]:
    """Which shots the second line tells the place of, and in which way; empty: of none."""
    return [Phrase(p.key, {"shot": p.args["shot"]}) for p in _where(brief) if "shot" in p.args]


def _beside(brief: Brief) -> list[Phrase]:
    """What the second line says beside the place itself."""
    return [p for p in _where(brief) if not p.key.startswith(_OF_PLACE) and "shot" not in p.args]


def _where(brief: Brief) -> Sequence[Phrase]:
    return next(line.phrases for line in brief.lines if line.kind is LineKind.WHERE)


def spoken(phrases: Sequence[Phrase], words: Words, language: str) -> str:
    return words.say_all(phrases or (NOTHING,), language)


def _meaning(line: BriefLine) -> tuple[object, ...]:
    if not line.phrases:  # of before briefs had phrases
        return (line.says,)
    kept = tuple(_steady(p) for p in line.phrases if p.key not in _DRIFT)
    # Whether another unit's position is known drifts with who is nearest.
    known = line.kind is LineKind.WITH_YOU or line.known
    return (kept, line.confidence, known)


def _steady(one: Phrase) -> Phrase:
    """What makes the phrase another one."""
    if one.key not in _SHOTS:
        return one
    return Phrase(one.key, {name: one.args[name] for name in _OF_SHOTS})


def _counted(one: Phrase, before: BriefLine) -> Phrase:
    """Of shots that were told of already, the new number alone."""
    if one.key not in _SHOTS:
        return one
    was = [p for p in before.phrases if p.key == one.key and p.args["shot"] == one.args["shot"]]
    if not was or was[0].args["name"] != one.args["name"]:
        return one
    return phrase("change.rounds", n=int(one.args["n"]), was=int(was[0].args["n"]))


def _new_of(before: BriefLine, after: BriefLine) -> list[Phrase]:
    """What a changed line says that it did not say before; where it only lost something, what
    is over, else the whole line."""
    if _meaning(before) == _meaning(after):
        return []
    known = [_steady(p) for p in before.phrases]
    new = [
        _counted(p, before)
        for p in after.phrases
        if _steady(p) not in known and p.key not in _DRIFT
    ]
    if any(p.key in _FRAGMENTS for p in (*before.phrases, *new)):
        return [p for p in after.phrases if p.key not in _DRIFT]
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
