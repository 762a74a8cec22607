"""Street names as people write them, made comparable: `4th Street Northwest` is `4th St NW`.

Spellings follow USPS Publication 28, appendix C1, where the city's own data do.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TYPES = {
    "alley": "aly", "ally": "aly", "avenue": "ave", "av": "ave", "aven": "ave",
    "boulevard": "blvd", "boul": "blvd", "bridge": "brg", "circle": "cir", "cirs": "cir",
    "court": "ct", "crt": "ct", "cove": "cv", "drive": "dr", "drv": "dr",
    "expressway": "expy", "freeway": "fwy", "highway": "hwy", "lane": "ln", "loop": "loop",
    "parkway": "pkwy", "pky": "pkwy", "park": "park", "place": "pl", "plaza": "plz",
    "road": "rd", "route": "rte", "square": "sq", "street": "st", "str": "st", "terrace": "ter",
    "terr": "ter", "trail": "trl", "turnpike": "tpke", "tpk": "tpke", "way": "way", "wy": "way",
    "aly": "aly", "ave": "ave", "blvd": "blvd", "brg": "brg", "cir": "cir", "ct": "ct",
    "cv": "cv", "dr": "dr", "expy": "expy", "fwy": "fwy", "hwy": "hwy", "ln": "ln",
    "pkwy": "pkwy", "pl": "pl", "plz": "plz", "rd": "rd", "rte": "rte", "sq": "sq",
    "st": "st", "ter": "ter", "trl": "trl", "tpke": "tpke",
}  # fmt: skip
_WINDS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw", "n": "n", "s": "s", "e": "e", "w": "w", "ne": "ne",
    "nw": "nw", "se": "se", "sw": "sw",
}  # fmt: skip
_WORDS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th",
    "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
    "eleventh": "11th", "twelfth": "12th", "mount": "mt", "saint": "st", "fort": "ft",
}  # fmt: skip
_NOT_WORD = re.compile(r"[^\w\s]", re.UNICODE)
FUZZY_1_FROM = 4  # characters a name needs before one slip is forgiven
FUZZY_2_FROM = 8  # … and before two are


class StreetName(NamedTuple):
    """`core` is what is left without type and direction: `central` of `Central Ave NW`."""

    core: str
    type: str | None
    wind: str | None


def parse_name(text: str) -> StreetName:
    """A name without words (`Avenue`, `North`) is its own core, never empty unless text is."""
    words = [_WORDS.get(w, w) for w in _NOT_WORD.sub("", text.lower().replace("-", " ")).split()]
    wind = kind = None
    if len(words) > 1 and words[-1] in _WINDS:
        wind = _WINDS[words.pop()]
    if len(words) > 1 and words[-1] in _TYPES:
        kind = _TYPES[words.pop()]
    if len(words) > 1 and wind is None and words[0] in _WINDS:
        wind = _WINDS[words.pop(0)]
    return StreetName(" ".join(words), kind, wind)


def fits(asked: StreetName, known: StreetName) -> int | None:
    """For the same core: 0 the same name, 1 something left out, 2 another type, None no match.

    A contradicting direction is no match: NW and SE are different places.
    """
    if asked.wind and known.wind and asked.wind != known.wind:
        return None
    if asked.type and known.type and asked.type != known.type:
        return 2
    return 0 if asked == known else 1


def is_slip(asked: str, known: str) -> bool:
    """Whether one core may be the other misspelt or cut short (`Mass` for `Massachusetts`).

    A number is never forgiven: 4th is not 5th.
    """
    if any(c.isdigit() for c in asked + known):
        return False
    shorter = min(len(asked), len(known))
    if shorter < FUZZY_1_FROM:
        return False
    if known.startswith(asked):
        return True
    allowed = 2 if shorter >= FUZZY_2_FROM else 1
    return abs(len(asked) - len(known)) <= allowed and _edits(asked, known) <= allowed


def _edits(a: str, b: str) -> int:
    """Optimal string alignment: insertions, deletions, changes and swaps of neighbours."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
