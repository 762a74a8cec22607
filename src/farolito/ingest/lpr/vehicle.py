"""The vehicle as a reader saw it, in our words.

The words for kind and colour are few, so that what was seen and what a row says can be compared;
a word that is not known is "not told", never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping

from farolito.model import Seen, SeenVehicle

WORD_CHARACTERS_MAX = 40  # a longer make or model is left out

KINDS = frozenset(
    {
        "sedan", "suv", "pickup", "van", "truck", "motorcycle",
        "bus", "trailer", "coupe", "hatchback", "wagon",
    }
)  # fmt: skip
COLOURS = frozenset(
    {
        "black", "white", "gray", "silver", "red", "maroon", "orange", "yellow", "gold",
        "beige", "tan", "brown", "green", "blue", "purple", "pink",
    }
)  # fmt: skip

# Keys are lower case with everything but letters taken out.
_KIND_WORDS: Mapping[str, str] = {
    **{kind: kind for kind in KINDS},
    "saloon": "sedan", "sedanstandard": "sedan", "sedancompact": "sedan", "smallcar": "sedan",
    "sedansports": "coupe", "sedanconvertible": "coupe", "convertible": "coupe",
    "sportscar": "coupe", "coupesport": "coupe",
    "sedanwagon": "wagon", "suvwagon": "wagon", "stationwagon": "wagon", "estate": "wagon",
    "suvstandard": "suv", "suvcrossover": "suv", "crossover": "suv", "suvmpv": "suv",
    "sportutility": "suv", "sportutilityvehicle": "suv",
    "pickuptruck": "pickup", "truckstandard": "pickup",
    "minivan": "van", "vanmini": "van", "vanfull": "van", "mpv": "van", "cargovan": "van",
    "bigtruck": "truck", "heavytruck": "truck", "lighttruck": "truck", "midtruck": "truck",
    "minitruck": "truck", "tractortrailer": "truck", "semi": "truck", "lorry": "truck",
    "smalltruck": "truck", "largetruck": "truck",
    "largebus": "bus", "mediumbus": "bus", "smallbus": "bus", "coach": "bus",
    "motorbike": "motorcycle", "twowheelvehicle": "motorcycle",
}  # fmt: skip
_COLOUR_WORDS: Mapping[str, str] = {
    **{colour: colour for colour in COLOURS},
    "grey": "gray", "deepgray": "gray", "darkgray": "gray", "lightgray": "gray",
    "silvergray": "silver", "goldbeige": "gold", "golden": "gold",
    "deepblue": "blue", "darkblue": "blue", "lightblue": "blue", "navy": "blue", "cyan": "blue",
    "darkgreen": "green", "lightgreen": "green", "darkred": "maroon", "burgundy": "maroon",
    "darkbrown": "brown", "lightbrown": "tan", "violet": "purple",
}  # fmt: skip
_NOT_TOLD = frozenset({"", "unknown", "other", "none", "null", "missing", "na", "n/a", "unk"})


def _letters(word: str) -> str:
    return "".join(c for c in word.lower() if "a" <= c <= "z")


def kind(word: str | None) -> str | None:
    """One of KINDS; None for what names none of them."""
    return _KIND_WORDS.get(_letters(word[:WORD_CHARACTERS_MAX])) if word else None


def colour(word: str | None) -> str | None:
    """One of COLOURS; None for what names none of them."""
    return _COLOUR_WORDS.get(_letters(word[:WORD_CHARACTERS_MAX])) if word else None


def plain(word: str | None) -> str | None:
    """A make, model or year in lower case with single blanks; None for what tells nothing."""
    if not word or len(word) > WORD_CHARACTERS_MAX:
        return None
    words = " ".join(word.replace("_", " ").lower().split())
    return words if words not in _NOT_TOLD and words.isprintable() else None


def seen(value: str | None, confidence: float | None = None) -> Seen | None:
    """The attribute with its confidence (0…1); a confidence outside that tells nothing."""
    if value is None:
        return None
    return Seen(value, confidence if confidence is not None and 0 <= confidence <= 1 else None)


def vehicle(
    make: Seen | None = None,
    model: Seen | None = None,
    colour: Seen | None = None,
    kind: Seen | None = None,
    year: Seen | None = None,
) -> SeenVehicle | None:
    """The vehicle; None where nothing of it was told."""
    if make is model is colour is kind is year is None:
        return None
    return SeenVehicle(make=make, model=model, colour=colour, kind=kind, year=year)
