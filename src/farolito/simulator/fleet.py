"""The cars of the practice metro: plates of many states, makes, colours, and their habits.

Plates follow each state's pattern of letters (A) and digits (9); which are issued is chance. No
plate here is taken from anywhere; one that exists is a coincidence.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

# State, share of the traffic, plate patterns with their shares.
STATES: tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...] = (
    ("NM", 0.80, (("999AAA", 0.30), ("AAA999", 0.45), ("AAAA99", 0.25))),
    ("TX", 0.045, (("AAA9999", 1.0),)),
    ("AZ", 0.035, (("AAA9999", 0.6), ("A9AAA9A", 0.4))),
    ("CO", 0.03, (("AAA999", 0.4), ("AAAA99", 0.6))),
    ("CA", 0.02, (("9AAA999", 1.0),)),
    ("OK", 0.012, (("AAA999", 1.0),)),
    ("UT", 0.01, (("A999AA", 0.5), ("9A9AA", 0.5))),
    ("NV", 0.008, (("999A99", 1.0),)),
    ("KS", 0.007, (("999AAA", 0.4), ("9999AAA", 0.6))),
    ("FL", 0.007, (("AAAA99", 0.6), ("AA99AA", 0.4))),
    ("IL", 0.006, (("AA99999", 1.0),)),
    ("MO", 0.006, (("AA9A9A", 1.0),)),
    ("MT", 0.005, (("999999A", 1.0),)),
    ("WA", 0.005, (("AAA9999", 1.0),)),
    ("WY", 0.004, (("999999", 1.0),)),
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # most serials leave out I, O and Q
_VANITY = (
    "LOBO", "CHILE", "SOL", "LUNA", "MESA", "ROJO", "VERDE", "DUSTY", "MOM", "GRACIAS", "TRUCKN",
    "BIKER", "GOLFR", "SKIIN", "PINON", "ARROYO", "COYOTE", "HAWK", "RAVEN", "ZOOM", "4WHEEL",
    "OZONE", "BOSS", "TACO", "FIESTA",
)  # fmt: skip
_VANITY_SHARE = 0.03

# Make, model, kind, share.
MODELS: tuple[tuple[str, str, str, float], ...] = (
    ("ford", "f-150", "pickup", 9), ("chevrolet", "silverado", "pickup", 8),
    ("toyota", "camry", "sedan", 6), ("honda", "civic", "sedan", 5), ("ram", "1500", "pickup", 5),
    ("toyota", "tacoma", "pickup", 5), ("nissan", "altima", "sedan", 4),
    ("honda", "cr-v", "suv", 4), ("toyota", "rav4", "suv", 4), ("jeep", "wrangler", "suv", 3),
    ("subaru", "outback", "suv", 3), ("ford", "explorer", "suv", 3),
    ("chevrolet", "malibu", "sedan", 3), ("hyundai", "elantra", "sedan", 3),
    ("kia", "sportage", "suv", 3), ("gmc", "sierra", "pickup", 3), ("kia", "forte", "sedan", 2),
    ("dodge", "charger", "sedan", 2), ("volkswagen", "jetta", "sedan", 2),
    ("dodge", "caravan", "van", 2), ("honda", "odyssey", "van", 1.5),
    ("ford", "transit", "van", 1.5), ("mazda", "cx-5", "suv", 2), ("tesla", "model 3", "sedan", 1),
    ("freightliner", "cascadia", "truck", 1.2), ("buick", "encore", "suv", 1),
    ("harley-davidson", "street glide", "motorcycle", 1),
)  # fmt: skip
COLOURS: tuple[tuple[str, float], ...] = (
    ("white", 26), ("black", 19), ("gray", 18), ("silver", 14), ("blue", 9), ("red", 8),
    ("brown", 2), ("green", 2), ("gold", 1), ("orange", 0.6), ("yellow", 0.4),
)  # fmt: skip


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """A car and its owner's habits. `home` and `work` are positions in a list of places."""

    number: int
    plate: str
    state: str
    make: str
    model: str
    kind: str
    colour: str
    year: int
    home: int
    work: int
    commutes: bool
    passes_through: bool  # lives elsewhere: comes and goes by the interstates
    leaves_h: float  # local hour of leaving for work or out
    returns_h: float
    outings: float  # other trips a day, on average


def serial(pattern: str, chance: random.Random) -> str:
    return "".join(
        chance.choice(_SERIAL_LETTERS) if c == "A" else chance.choice("0123456789") for c in pattern
    )


def new_plate(chance: random.Random) -> tuple[str, str]:
    """A plate and its state."""
    state, _, patterns = chance.choices(STATES, [s[1] for s in STATES])[0]
    if chance.random() < _VANITY_SHARE:
        # A word alone would stand on plates of five states at once.
        tail = "".join(chance.choice(_SERIAL_LETTERS + "0123456789") for _ in range(2))
        return chance.choice(_VANITY)[:5] + tail, state
    pattern = chance.choices([p for p, _ in patterns], [w for _, w in patterns])[0]
    return serial(pattern, chance), state


def make_fleet(seed: int, count: int, homes: int, places: Sequence[float]) -> tuple[Vehicle, ...]:
    """`count` cars with different plates. `homes`: how many homes there are; `places`: how much
    each work place draws. Zipf–Mandelbrot outings: few cars are everywhere, most seldom seen."""
    chance = random.Random(f"fleet {seed}")  # noqa: S311 - practice, no secret
    taken: set[tuple[str, str]] = set()
    fleet = []
    shares = [m[3] for m in MODELS]
    for number in range(count):
        plate = new_plate(chance)
        while plate in taken:
            plate = new_plate(chance)
        taken.add(plate)
        make, model, kind, _ = chance.choices(MODELS, shares)[0]
        through = plate[1] != "NM" and chance.random() < 0.55
        rank = (number * 7919) % count
        fleet.append(
            Vehicle(
                number=number, plate=plate[0], state=plate[1], make=make, model=model, kind=kind,
                colour=chance.choices([c for c, _ in COLOURS], [w for _, w in COLOURS])[0],
                year=2026 - min(24, int(chance.expovariate(1 / 8))),
                home=chance.randrange(homes),
                work=chance.choices(range(len(places)), places)[0],
                commutes=not through and chance.random() < 0.62,
                passes_through=through,
                leaves_h=min(11.0, max(4.5, chance.gauss(7.6, 1.1))),
                returns_h=min(22.0, max(12.0, chance.gauss(17.3, 1.3))),
                outings=min(9.0, 0.35 + 55.0 / (rank + 25) ** 0.8),
            )
        )  # fmt: skip
    return tuple(fleet)
