"""What callers of the practice metro say, as a dispatcher types it. Nobody in it is real.

Each kind has pairs: what the first caller says, and what another says of the same event from
farther away. `{car}` is a vehicle as that caller describes it, `{who}` the people.
"""

from __future__ import annotations

from collections.abc import Mapping

from farolito.model import CallKind

Pair = tuple[str, str]

SAYS: Mapping[CallKind, tuple[Pair, ...]] = {
    CallKind.SHOTS_FIRED: (
        ("RP HEARD 5-6 SHOTS, SAW {who} RUN TO A {car}", "HEARD GUNSHOTS, {car} SPED OFF"),
        ("{who} ARGUING THEN SHOTS, LEFT IN A {car}", "RP THINKS 4 SHOTS, POSS {car} INVOLVED"),
        ("RP STATES RAPID FIRE FROM A {car}", "SHOTS IN THE AREA, NO VISUAL, A {car} LEFT FAST"),
    ),
    CallKind.SHOOTING: (
        ("MALE DOWN IN PARKING LOT, BLEEDING, {car} FLED", "ONE PERSON SHOT, {car} DROVE AWAY"),
    ),
    CallKind.STABBING: (
        ("MALE STABBED IN THE ARM, {who} WALKED OFF", "FIGHT, ONE IS BLEEDING BADLY, {who}"),
    ),
    CallKind.ROBBERY: (
        ("CLERK HELD AT GUNPOINT BY {who}, LEFT IN A {car}", "SAW {who} RUN FROM STORE TO A {car}"),
        ("RP'S PHONE AND WALLET TAKEN BY {who}, KNIFE SHOWN", "SOMEBODY ROBBED AT BUS STOP, {who}"),
    ),
    CallKind.BURGLARY: (
        ("RP HEARS GLASS BREAKING NEXT DOOR, {who} AT THE SIDE WINDOW", "{who} CARRYING A TV OUT"),
        ("GARAGE DOOR PRIED OPEN, {car} BACKED IN", "STRANGE {car} AT NEIGHBOUR'S, THEY ARE AWAY"),
    ),
    CallKind.ASSAULT: (
        ("{who} HITTING A MALE ON THE GROUND", "FIGHT IN FRONT OF THE STORE, {who}"),
    ),
    CallKind.DOMESTIC: (
        ("RP HEARS WOMAN SCREAMING, THINGS BREAKING", "LOUD ARGUMENT NEXT DOOR, KIDS CRYING"),
        ("OPEN LINE, MALE YELLING IN BACKGROUND", "YELLING FROM THE SECOND FLOOR AGAIN"),
    ),
    CallKind.WEAPON: (
        ("{who} WITH A HANDGUN IN WAISTBAND", "{who}, ONE MAY HAVE A GUN"),
    ),
    CallKind.STOLEN_VEHICLE: (
        ("RP'S {car} GONE FROM DRIVEWAY, KEYS WERE IN IT", "SAW {who} GET INTO A {car} AND LEAVE"),
    ),
    CallKind.HIT_AND_RUN: (
        ("PARKED CAR HIT, {car} LEFT, FRONT DAMAGE", "{car} HIT A CAR AND KEPT GOING"),
        ("CYCLIST DOWN, {car} DID NOT STOP", "BIKE STRUCK BY A {car}, IT DROVE OFF"),
    ),
    CallKind.CRASH: (
        ("TWO CAR CRASH BLOCKING A LANE, ONE COMPLAINS OF NECK PAIN", "ACCIDENT, CARS IN THE ROAD"),
        ("{car} INTO A POLE, DRIVER AWAKE", "CAR HIT A LIGHT POLE, LOOKS LIKE A {car}"),
    ),
    CallKind.THEFT: (
        ("{who} RAN OUT WITH A CART OF GOODS", "{who} LOADING STUFF INTO A {car}"),
        ("CATALYTIC CONVERTER BEING CUT, {who} UNDER A CAR", "SAWING NOISE, {car} WAITING"),
    ),
    CallKind.DISTURBANCE: (
        ("{who} YELLING AT CUSTOMERS, REFUSES TO LEAVE", "LOUD GROUP OUTSIDE, {who}"),
        ("PARTY, ABOUT 30 PEOPLE, CARS BLOCKING THE STREET", "LOUD MUSIC AND YELLING"),
    ),
    CallKind.SUSPICIOUS: (
        ("{who} TRYING DOOR HANDLES ON PARKED CARS", "{who} LOOKING INTO CARS WITH A FLASHLIGHT"),
        ("{car} PARKED FOR TWO HOURS, ENGINE ON", "A {car} KEEPS CIRCLING THE BLOCK"),
    ),
    CallKind.TRESPASS: (
        ("{who} SLEEPING IN THE ENTRANCE, WILL NOT LEAVE", "{who} BEHIND THE FENCE"),
    ),
    CallKind.WELFARE_CHECK: (
        ("RP CAN NOT REACH ELDERLY NEIGHBOUR SINCE YESTERDAY", "MAIL PILING UP, LIGHTS ON"),
        ("MALE SITTING IN THE MEDIAN, SEEMS CONFUSED", "PERSON IN THE ROAD, CARS SWERVING"),
    ),
    CallKind.ALARM: (
        ("COMMERCIAL ALARM, REAR MOTION, NO KEYHOLDER YET", "ALARM RINGING FOR 10 MINUTES"),
        ("RESIDENTIAL ALARM, FRONT DOOR CONTACT", "SIREN FROM A HOUSE"),
    ),
    CallKind.MISSING_PERSON: (
        ("CHILD 7 NOT HOME FROM SCHOOL, BLUE BACKPACK", "SMALL CHILD ALONE, BLUE BACKPACK"),
    ),
    CallKind.MEDICAL: (
        ("MALE 60S COLLAPSED, BREATHING, FIRE EN ROUTE", "PERSON LYING ON THE SIDEWALK"),
    ),
    CallKind.FIRE: (
        ("DUMPSTER FIRE SPREADING TO FENCE, FIRE EN ROUTE", "SMOKE BEHIND THE BUILDINGS"),
    ),
    CallKind.OTHER: (
        ("RP WANTS TO SPEAK TO AN OFFICER ABOUT A NEIGHBOUR", "QUESTION ABOUT A TOWED CAR"),
    ),
}  # fmt: skip

PEOPLE = (
    "two men", "one man in a gray hoodie", "a man and a woman", "three young men",
    "one man, red jacket", "two people, one tall", "a woman in dark clothing",
    "one man, no shirt", "four people, one limping",
)  # fmt: skip

LATER = (
    "RP STILL ON THE LINE, HAS STEPPED INSIDE",
    "RP NO LONGER SEES THEM",
    "RP WILL MEET OFFICERS AT THE FRONT",
    "NO ANSWER ON CALLBACK",
    "RP SAYS IT HAS GOTTEN QUIET",
    "GATE CODE NEEDED, RP WILL OPEN",
)
ARRIVED = (
    "ON SCENE, CHECKING THE AREA",
    "CONTACT WITH RP",
    "ONE DETAINED",
    "UNFOUNDED SO FAR",
    "SCENE SECURE",
    "TAKING A REPORT",
)
CAME_BACK = "RP CALLED BACK: THEY HAVE RETURNED"
NOWHERE = ("CELL CALL DROPPED, RP NEAR THE RIVER", "RP LOST, WALKING ON A DIRT ROAD, WEST SIDE")

# What the CAD knows of a place: kind, words, for how many days from its date on it holds.
PREMISE: tuple[tuple[str, str, int], ...] = (
    ("weapon", "Rifle seen inside at an earlier call", 365),
    ("weapon", "Resident keeps a handgun by the door", 180),
    ("violence", "Fought with officers here before", 365),
    ("dog", "Large dog loose in the yard", 90),
    ("officer_safety", "Cameras on every side of the house", 120),
    ("premise", "Domestic violence here before, two arrests", 365),
    ("other", "Unlit stairs at the rear, railing missing", 60),
)
