"""Hot lists of the practice metro, written as their issuers write them.

Three lists: the state's stolen vehicles as delimited text with its mapping, the city's own as a
Genetec export, a county series as Flock entries (which store O as zero). Planted in them: cars
that will drive by, rows that look like innocent regulars, rows of another state's plate, stale
ones. The rest is chance, as in a real list: most of its cars are far away.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from farolito.simulator.fleet import COLOURS, MODELS, Vehicle, new_plate
from farolito.simulator.misread import CONFUSIONS

STATE_LIST, CITY_LIST, COUNTY_LIST = "state-stolen", "city", "county-series"
_FLOCK_STATES = {
    "NM": "new_mexico", "TX": "texas", "AZ": "arizona", "CO": "colorado", "CA": "california",
    "OK": "oklahoma", "UT": "utah", "NV": "nevada", "KS": "kansas", "FL": "florida",
    "IL": "illinois", "MO": "missouri", "MT": "montana", "WA": "washington", "WY": "wyoming",
}  # fmt: skip
# How NCIC's codes write what we say in words.
_MAKES = {
    "ford": "FORD", "chevrolet": "CHEV", "toyota": "TOYT", "honda": "HOND", "ram": "RAM",
    "nissan": "NISS", "jeep": "JEEP", "subaru": "SUBA", "hyundai": "HYUN", "kia": "KIA",
    "gmc": "GMC", "dodge": "DODG", "volkswagen": "VOLK", "mazda": "MAZD", "tesla": "TESL",
    "freightliner": "FRHT", "harley-davidson": "HD", "buick": "BUIC",
}  # fmt: skip
_COLOURS = {
    "white": "WHI", "black": "BLK", "gray": "GRY", "silver": "SIL", "blue": "BLU", "red": "RED",
    "brown": "BRO", "green": "GRN", "gold": "GLD", "orange": "ONG", "yellow": "YEL",
}  # fmt: skip
_KINDS = {
    "sedan": "4D", "suv": "UT", "pickup": "PK", "van": "VN", "truck": "TR", "motorcycle": "MC",
}  # fmt: skip
STATE_COLUMNS = (
    "LIC", "LIS", "VMA", "VMO", "VST", "VCO", "VYR", "DOT", "EXP", "ORI", "OCA", "MKE", "PHONE",
)  # fmt: skip


class Plant(StrEnum):
    """Why a row was planted, for the script and the scoring."""

    WANTED = "wanted"  # its car drives by and is the listed one
    LOOK_ALIKE = "look_alike"  # one confusable character from an innocent regular
    TWIN = "twin"  # an innocent car's plate text, of another state, on a motorcycle
    STALE = "stale"  # expired, the car is back with its owner and drives by


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row as its issuer knows it. `car` is the fleet's car it was planted for, if any."""

    plate: str
    state: str
    make: str
    model: str
    kind: str
    colour: str
    year: int
    reason: str
    entered_at: datetime
    expires_at: datetime
    case: str
    plant: Plant | None = None
    car: int | None = None


class ListFile(msgspec.Struct, frozen=True, kw_only=True):
    """One list's file. `mapping` is the YAML that explains it to an importer."""

    list_id: str
    name: str
    file_name: str
    content: bytes
    mapping: bytes
    folded: bool
    rows: tuple[Row, ...]


def make_hot_lists(
    seed: int, fleet: Sequence[Vehicle], at: datetime, rows: int = 3_000
) -> tuple[ListFile, ...]:
    """The three lists as of `at`; `rows` in the state's, a tenth and a hundredth in the others."""
    chance = random.Random(f"hot lists {seed}")  # noqa: S311 - practice, no secret
    plants = _planted(chance, fleet, at)
    filler = [_filler(chance, at) for _ in range(rows)]
    far, near = rows * 8 // 10, rows * 9 // 10
    state = [*(p for p in plants if p.plant is not Plant.LOOK_ALIKE), *filler[:far]]
    city = [*(p for p in plants if p.plant is Plant.LOOK_ALIKE), *filler[far:near]]
    county = filler[near : near + max(5, rows // 100)]
    for group in (state, city):
        chance.shuffle(group)
    return (state_file(state), _city_file(city), _county_file(county))


def planted(lists: Sequence[ListFile]) -> dict[Plant, list[Row]]:
    """The planted rows by their kind, in the order of their cars' numbers."""
    found: dict[Plant, list[Row]] = {kind: [] for kind in Plant}
    for one in lists:
        for row in one.rows:
            if row.plant is not None:
                found[row.plant].append(row)
    return {kind: sorted(rows, key=lambda r: r.car or 0) for kind, rows in found.items()}


def _planted(chance: random.Random, fleet: Sequence[Vehicle], at: datetime) -> list[Row]:
    locals_ = [v for v in fleet if v.state == "NM" and not v.passes_through and len(v.plate) == 6]
    cars = chance.sample(locals_, min(48, len(locals_)))
    rows = [_row_of(v, chance, at, Plant.WANTED) for v in cars[:18]]
    rows += [_look_alike(v, chance, at) for v in cars[18:30]]
    twins = [v for v in cars[30:40] if v.kind in ("suv", "sedan", "pickup", "van")]
    rows += [
        msgspec.structs.replace(
            _row_of(v, chance, at, Plant.TWIN), state="MT", make="harley-davidson",
            model="street glide", kind="motorcycle", colour="black",
        )
        for v in twins
    ]  # fmt: skip
    stale = [_row_of(v, chance, at, Plant.STALE) for v in cars[40:]]
    rows += [
        msgspec.structs.replace(
            r, entered_at=at - timedelta(days=420), expires_at=at - timedelta(days=55)
        )
        for r in stale
    ]
    return rows


def _row_of(vehicle: Vehicle, chance: random.Random, at: datetime, plant: Plant) -> Row:
    entered_at = (at - timedelta(hours=chance.uniform(5, 300))).astimezone(UTC)
    return Row(
        plate=vehicle.plate, state=vehicle.state, make=vehicle.make, model=vehicle.model,
        kind=vehicle.kind, colour=vehicle.colour, year=vehicle.year,
        reason=chance.choice(("Stolen vehicle", "Stolen vehicle", "Felony vehicle")),
        entered_at=entered_at, expires_at=entered_at + timedelta(days=365),
        case=f"{entered_at:%y}-{chance.randrange(1, 99_999):05d}", plant=plant,
        car=vehicle.number,
    )  # fmt: skip


def _look_alike(vehicle: Vehicle, chance: random.Random, at: datetime) -> Row:
    """A listed plate one confusable character away from a car that does nothing wrong."""
    plate = vehicle.plate
    places = [i for i, c in enumerate(plate) if c in CONFUSIONS]
    i = chance.choice(places) if places else len(plate) - 1
    other = CONFUSIONS[plate[i]][0][0] if places else ("1" if plate[i] != "1" else "7")
    row = _row_of(vehicle, chance, at, Plant.LOOK_ALIKE)
    return msgspec.structs.replace(row, plate=plate[:i] + other + plate[i + 1 :])


def _filler(chance: random.Random, at: datetime) -> Row:
    plate, state = new_plate(chance)
    if chance.random() < 0.55:  # most of a national list is not from here
        other = chance.choice([s for s in _FLOCK_STATES if s != "NM"])
        state = other
    make, model, kind, _ = chance.choices(MODELS, [m[3] for m in MODELS])[0]
    entered_at = (at - timedelta(days=min(700, chance.expovariate(1 / 90)))).astimezone(UTC)
    return Row(
        plate=plate, state=state, make=make, model=model, kind=kind,
        colour=chance.choices([c for c, _ in COLOURS], [w for _, w in COLOURS])[0],
        year=2026 - min(24, int(chance.expovariate(1 / 8))),
        reason=chance.choice(("Stolen vehicle", "Stolen vehicle", "Stolen plate", "Wanted person")),
        entered_at=entered_at, expires_at=entered_at + timedelta(days=730),
        case=f"{entered_at:%y}-{chance.randrange(1, 99_999):05d}",
    )  # fmt: skip


def state_file(rows: Sequence[Row]) -> ListFile:
    """The state's list as delimited text, with the mapping that explains its columns."""
    lines = ["|".join(STATE_COLUMNS)]
    for r in rows:
        values = (
            r.plate, r.state, _MAKES[r.make], r.model.upper()[:3], _KINDS[r.kind],
            _COLOURS[r.colour], str(r.year), f"{r.entered_at:%Y%m%d}", f"{r.expires_at:%Y%m%d}",
            "NM0010000", r.case, r.reason.upper(), "505-555-0142",
        )  # fmt: skip
        lines.append("|".join(values))
    return ListFile(
        list_id=STATE_LIST, name="State stolen vehicles (practice)",
        file_name="state-stolen.txt", content=("\n".join(lines) + "\n").encode(),
        mapping=_state_mapping(), folded=False, rows=tuple(rows),
    )  # fmt: skip


def _state_mapping() -> bytes:
    def table(codes: dict[str, str]) -> str:
        return "\n".join(f"    {code!r}: {word}" for word, code in codes.items())

    return f"""\
# The practice metro's state list. Columns are made up: no real extract looks like this.
name: State stolen vehicles (practice)
format: delimited
delimiter: pipe
header: yes
columns:
  plate: LIC
  state: LIS
  make: VMA
  kind: VST
  colour: VCO
  year: VYR
  entered_at: DOT
  expires_at: EXP
  source_agency: ORI
  case: OCA
  category: MKE
  confirm_with: PHONE
dates:
  format: YYYYMMDD
  zone: America/Denver
categories:
  STOLEN VEHICLE: stolen_vehicle
  STOLEN PLATE: stolen_plate
  FELONY VEHICLE: felony_vehicle
  WANTED PERSON: wanted_person
values:
  make:
{table(_MAKES)}
  kind:
{table(_KINDS)}
  colour:
{table(_COLOURS)}
""".encode()


def _city_file(rows: Sequence[Row]) -> ListFile:
    lines = [
        f"Stolen vehicle;{r.state};{r.plate};{r.entered_at:%Y-%m-%d};{r.expires_at:%Y-%m-%d}"
        for r in rows
    ]
    mapping = (
        "start_from: genetec\nname: City hot list (practice)\ndefaults:\n"
        "  source_agency: Luminaria Police Department\n  confirm_with: 505-555-0117\n"
    )
    return ListFile(
        list_id=CITY_LIST, name="City hot list (practice)", file_name="city.csv",
        content=("\r\n".join(lines) + "\r\n").encode(), mapping=mapping.encode(), folded=False,
        rows=tuple(rows),
    )  # fmt: skip


def _county_file(rows: Sequence[Row]) -> ListFile:
    entries = [
        {
            "plate": r.plate.replace("O", "0"), "reason": "Series of burglaries",
            "caseNumber": r.case, "state": _FLOCK_STATES[r.state],
            "expiry": f"{r.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "note": {"message": "Confirm with the Cuesta County desk, 505-555-0163"},
        }
        for r in rows
    ]  # fmt: skip
    mapping = "start_from: flock\nname: County series (practice)\n"
    return ListFile(
        list_id=COUNTY_LIST, name="County series (practice)", file_name="county-series.json",
        content=msgspec.json.encode({"name": "Burglary series", "entries": entries}),
        mapping=mapping.encode(), folded=True, rows=tuple(rows),
    )  # fmt: skip
