"""The car that was seen beside the car that is listed: what agrees, what contradicts.

Names are brought to one spelling first (NCIC and vendor codes among them); a word we do not know
is compared with nothing. Colours, body kinds and makes that readers or people mix up never
contradict. Only what was seen with confidence does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from farolito.model import ListedVehicle, Seen, SeenVehicle

SEEN_UNRATED = 0.85  # the confidence of an attribute whose source tells none
KIND_SURE = 0.85  # from here on, a seen kind contradicts
MAKE_SURE = 0.9
COLOUR_SURE = 0.9  # colours fool cameras most: dusk, sodium light, dirt
MOTORCYCLE_SURE = 0.6  # two wheels and four are hardly ever mixed up
LIKELIHOOD_MIN, LIKELIHOOD_MAX = 0.05, 20.0  # what the car may add to the characters' evidence
MISREAD_FLOOR = 0.02  # a car seen as another with full confidence is seen wrong this often

_COLOURS = {
    "gray": "grey", "charcoal": "grey", "gunmetal": "grey", "gry": "grey", "dark grey": "grey",
    "light grey": "silver", "sil": "silver", "whi": "white", "pearl": "white", "blk": "black",
    "blu": "blue", "dbl": "blue", "lbl": "blue", "navy": "blue", "dark blue": "blue",
    "light blue": "blue", "grn": "green", "dgr": "green", "lgr": "green", "dark green": "green",
    "light green": "green", "teal": "green", "tea": "green", "tur": "green", "turquoise": "green",
    "mar": "red", "maroon": "red", "burgundy": "red", "dark red": "red", "tan": "beige",
    "bge": "beige", "cream": "beige", "crm": "beige", "ivory": "beige", "champagne": "beige",
    "gld": "gold", "bro": "brown", "brz": "brown", "bronze": "brown", "ong": "orange",
    "copper": "orange", "cpr": "orange", "yel": "yellow", "ple": "purple", "violet": "purple",
}  # fmt: skip
_COLOUR_NAMES = frozenset({
    "white", "silver", "grey", "black", "blue", "green", "red", "beige", "gold", "brown", "orange",
    "yellow", "purple", "pink",
})  # fmt: skip
# Mixed up in dusk, street light, shade, or by naming alone.
COLOURS_ALIKE = (
    frozenset({"white", "silver", "grey", "beige"}),
    frozenset({"silver", "grey", "blue"}),
    frozenset({"grey", "black", "blue", "green"}),
    frozenset({"black", "brown", "purple", "red"}),
    frozenset({"beige", "gold", "brown", "yellow", "silver"}),
    frozenset({"red", "orange", "brown", "pink", "purple"}),
    frozenset({"orange", "yellow", "gold"}),
    frozenset({"blue", "green", "purple"}),
)
_COLOUR_SHARES = {
    "white": 0.25, "black": 0.2, "grey": 0.18, "silver": 0.13, "blue": 0.1, "red": 0.08,
}  # fmt: skip  # of US cars, rounded; the others share what is left
_OTHER_COLOUR_SHARE = 0.02

_KINDS = {
    "4d": "sedan", "4-door": "sedan", "saloon": "sedan", "car": "sedan", "2d": "coupe",
    "hb": "hatchback", "cv": "convertible", "sw": "wagon", "estate": "wagon", "ut": "suv",
    "sport utility": "suv", "sport utility vehicle": "suv", "crossover": "suv", "4x4": "suv",
    "pk": "pickup", "pickup truck": "pickup", "vn": "van", "minivan": "van", "mc": "motorcycle",
    "motorbike": "motorcycle", "moped": "motorcycle", "scooter": "motorcycle", "tk": "truck",
    "box truck": "truck", "heavy truck": "truck", "big truck": "truck", "semi": "truck",
    "tractor": "truck", "bs": "bus", "tl": "trailer",
}  # fmt: skip
_KIND_NAMES = frozenset({
    "sedan", "coupe", "hatchback", "convertible", "wagon", "suv", "pickup", "van", "motorcycle",
    "truck", "bus", "trailer",
})  # fmt: skip
KINDS_ALIKE = (
    frozenset({"sedan", "coupe", "hatchback", "convertible", "wagon"}),
    frozenset({"suv", "wagon", "hatchback", "van"}),
    frozenset({"suv", "pickup"}),
    frozenset({"pickup", "truck", "trailer"}),
    frozenset({"van", "truck", "bus", "trailer"}),
    # A trailer's plate is read behind whatever tows it.
    frozenset({"suv", "trailer"}),
)
_KIND_SHARES = {"suv": 0.4, "sedan": 0.27, "pickup": 0.18, "van": 0.05, "truck": 0.04}
_OTHER_KIND_SHARE = 0.02

_MAKES = {
    "chev": "chevrolet", "chevy": "chevrolet", "toyt": "toyota", "hond": "honda", "niss": "nissan",
    "dodg": "dodge", "hyun": "hyundai", "suba": "subaru", "volk": "volkswagen", "vw": "volkswagen",
    "merz": "mercedes", "mercedes-benz": "mercedes", "mercedes benz": "mercedes",
    "lexs": "lexus", "acur": "acura", "chry": "chrysler", "cadi": "cadillac", "buic": "buick",
    "linc": "lincoln", "infi": "infiniti", "mazd": "mazda", "mits": "mitsubishi", "volv": "volvo",
    "hd": "harley-davidson", "harley": "harley-davidson", "harley davidson": "harley-davidson",
    "yama": "yamaha", "kawk": "kawasaki", "suzi": "suzuki", "pont": "pontiac", "strn": "saturn",
    "merc": "mercury", "landrover": "land rover", "land-rover": "land rover", "tesl": "tesla",
}  # fmt: skip
# Same house, same bodies, often the same car with another badge.
MAKES_ALIKE = (
    frozenset({"chevrolet", "gmc", "cadillac", "buick", "pontiac", "saturn"}),
    frozenset({"dodge", "ram", "chrysler", "jeep", "plymouth"}),
    frozenset({"toyota", "lexus", "scion"}),
    frozenset({"honda", "acura"}),
    frozenset({"nissan", "infiniti"}),
    frozenset({"ford", "lincoln", "mercury"}),
    frozenset({"hyundai", "kia", "genesis"}),
    frozenset({"volkswagen", "audi"}),
)
_MAKE_SHARES = {
    "ford": 0.13, "toyota": 0.15, "chevrolet": 0.13, "honda": 0.1, "nissan": 0.07,
}  # fmt: skip
_OTHER_MAKE_SHARE = 0.03

Attribute = Literal["colour", "make", "kind"]
_Verdict = Literal["agrees", "alike", "contradicts", "unsure"]


class Comparison(msgspec.Struct, frozen=True):
    """`told`: one (attribute, seen, listed, verdict) for each attribute that both sides name.

    `likelihood`: how much likelier this sight is of the listed car than of any car passing, the
    product over attributes of: c/share where it agrees (share: of US cars like that), 1 where
    alike, 1 - c (at least MISREAD_FLOOR) where it differs; held in LIKELIHOOD_MIN…LIKELIHOOD_MAX.
    """

    told: tuple[tuple[Attribute, str, str, _Verdict], ...]
    likelihood: float

    def having(self, verdict: _Verdict) -> list[tuple[Attribute, str, str, _Verdict]]:
        return [t for t in self.told if t[3] == verdict]


NOTHING_TOLD = Comparison((), 1.0)


def compare(seen: SeenVehicle | None, listed: ListedVehicle | None) -> Comparison:
    """What was seen of the car, held against what the row says of it."""
    if seen is None or listed is None:
        return NOTHING_TOLD
    told: list[tuple[Attribute, str, str, _Verdict]] = []
    likelihood = 1.0
    pairs: tuple[tuple[Attribute, Seen | None, str | None], ...] = (
        ("kind", seen.kind, listed.kind),
        ("make", seen.make, listed.make),
        ("colour", seen.colour, listed.colour),
    )
    for attribute, sight, row in pairs:
        if sight is None or row is None:
            continue
        ours, theirs = _names(attribute, sight.value), _names(attribute, row)
        if not ours or not theirs:
            continue
        confidence = SEEN_UNRATED if sight.confidence is None else sight.confidence
        verdict = _verdict(attribute, ours, theirs, confidence)
        told.append((attribute, "/".join(sorted(ours)), "/".join(sorted(theirs)), verdict))
        likelihood *= _factor(attribute, ours, verdict, confidence)
    return Comparison(tuple(told), min(max(likelihood, LIKELIHOOD_MIN), LIKELIHOOD_MAX))


def _names(attribute: Attribute, text: str) -> frozenset[str]:
    """One name, or the two of a two-tone car (`blk/sil`). Empty where the word says nothing."""
    if attribute == "colour":
        words = (w.strip() for w in text.lower().replace(" and ", "/").split("/"))
        return frozenset(_COLOURS.get(w, w) for w in words) & _COLOUR_NAMES
    word = text.strip().lower()
    if attribute == "kind":
        return frozenset({_KINDS.get(word, word)}) & _KIND_NAMES
    make = _MAKES.get(word, word)
    return frozenset({make} if make not in {"", "unknown", "other", "unk"} else ())


def _verdict(
    attribute: Attribute, ours: frozenset[str], theirs: frozenset[str], confidence: float
) -> _Verdict:
    if ours & theirs:
        return "agrees"
    groups = {"colour": COLOURS_ALIKE, "make": MAKES_ALIKE, "kind": KINDS_ALIKE}[attribute]
    if any(ours & group and theirs & group for group in groups):
        return "alike"
    sure = {"colour": COLOUR_SURE, "make": MAKE_SURE, "kind": KIND_SURE}[attribute]
    if attribute == "kind" and "motorcycle" in ours | theirs:
        sure = MOTORCYCLE_SURE
    return "contradicts" if confidence >= sure else "unsure"


def _factor(
    attribute: Attribute, ours: frozenset[str], verdict: _Verdict, confidence: float
) -> float:
    if verdict == "alike":
        return 1.0
    if verdict != "agrees":
        return max(1 - confidence, MISREAD_FLOOR)
    shares: Mapping[str, float]
    shares, other = {
        "colour": (_COLOUR_SHARES, _OTHER_COLOUR_SHARE),
        "make": (_MAKE_SHARES, _OTHER_MAKE_SHARE),
        "kind": (_KIND_SHARES, _OTHER_KIND_SHARE),
    }[attribute]
    share = max(shares.get(name, other) for name in ours)
    return confidence / share + (1 - confidence)
