"""A brief as it is said aloud: about twelve seconds, whole sentences only, plates letter by letter.

Version 1 is the card; every later version is its difference. In motion three lines are said
(what, where, hazards) and nothing else: the rest waits on the card.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farolito.briefing.saying import phrase
from farolito.briefing.words import Words
from farolito.model import Brief, LineKind, Phrase

WORDS_MAX = 35  # about 12 s at 170 words a minute
MOVING_LINES = (LineKind.WHAT, LineKind.WHERE, LineKind.HAZARDS)

# APCO's alphabet of 1940, as US police radio spells: an officer hears "Adam Boy Charles" as
# letters at once, where "alpha bravo charlie" is the military's and aviation's.
_APCO = {
    "A": "Adam", "B": "Boy", "C": "Charles", "D": "David", "E": "Edward", "F": "Frank",
    "G": "George", "H": "Henry", "I": "Ida", "J": "John", "K": "King", "L": "Lincoln",
    "M": "Mary", "N": "Nora", "O": "Ocean", "P": "Paul", "Q": "Queen", "R": "Robert",
    "S": "Sam", "T": "Tom", "U": "Union", "V": "Victor", "W": "William", "X": "X-ray",
    "Y": "Young", "Z": "Zebra",
}  # fmt: skip
_NOT_SAID = frozenset({"where.within", "where.about", "what.callers", "what.rounds_between"})
_SHOTS = frozenset({"what.shots", "what.shots_told"})
_FLAGS = frozenset({"hazards.flag", "hazards.flag_until"})
_MOVING_KEYS = ("what", "where", "hazards", "change", "differ", "fact", "vehicle.withdrawn")


def spelled(plate: str) -> str:
    return " ".join(_APCO.get(c, c) for c in plate)


def spoken(brief: Brief, words: Words, language: str, *, moving: bool) -> str:
    """What is read to the officer. Facts that do not fit are left to the card, and that is said."""
    if brief.recalled:
        reason = brief.recall_reason or "@vehicle.by_owner"
        said = [phrase("spoken.unit", unit=brief.unit), phrase("change.recalled", reason=reason)]
        return words.say_all(said, language)
    intro = phrase("spoken.unit", unit=brief.unit)
    if brief.version > 1 and brief.change_phrases:
        change = [p for p in brief.change_phrases if not moving or _is_of_moving(p)]
        # The first two say what this is ("Update:") and its first fact.
        return _fitting([intro, *_said(change)], (0, 1, 2), words, language)
    lines = [line for line in brief.lines if not moving or line.kind in MOVING_LINES]
    phrases, first = [intro], [0]
    for line in lines:
        told = _said(line.phrases)
        if told and line.kind in MOVING_LINES:
            first.append(len(phrases))
        phrases += told
    return _fitting(phrases, first, words, language)


def _fitting(phrases: Sequence[Phrase], first: Iterable[int], words: Words, language: str) -> str:
    """Those of `first` before all others, in the order they stand, up to WORDS_MAX."""
    says = [words.say(p, language) for p in phrases]
    more = words.say(phrase("change.more"), language)
    left = WORDS_MAX - len(more.split())
    taken: set[int] = set()
    order = [i for i in first if i < len(says)]
    for i in [*order, *(i for i in range(len(says)) if i not in order)]:
        count = len(says[i].split())
        if count <= left:
            taken.add(i)
            left -= count
    whole = len(taken) == len(says)
    return " ".join([*(says[i] for i in sorted(taken)), *(() if whole else (more,))])


def _said(phrases: Sequence[Phrase]) -> list[Phrase]:
    """As they are spoken: plates spelled, a flag without its source and dates, shots without who
    heard them."""
    said = []
    for one in phrases:
        if one.key in _NOT_SAID:
            continue
        args = dict(one.args)
        if isinstance(plate := args.get("plate"), str):
            args["plate"] = spelled(plate)
        if one.key in _SHOTS:
            said.append(phrase("spoken.shots", n=int(args["n"]), time=str(args["time"])))
        elif one.key in _FLAGS:
            said.append(phrase("spoken.flag", kind=str(args["kind"]), text=str(args["text"])))
        else:
            said.append(Phrase(one.key, args))
    return said


def _is_of_moving(one: Phrase) -> bool:
    return one.key.startswith(_MOVING_KEYS)
