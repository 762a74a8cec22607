"""What the law of a state adds: purposes ruled out, list categories refused, how long is kept.

A pack is a TOML file in `packs/`, so a changed bill is a changed line and no release of code.
"""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files
from typing import Literal

import msgspec

from farolito.model import Invalid, Purpose, Thing

# The law of no place asks at least this much, so a pack that forgets one is refused.
PROHIBITED_EVERYWHERE = frozenset(
    {
        Purpose.IMMIGRATION_ENFORCEMENT,
        Purpose.PROTECTED_HEALTH_CARE,
        Purpose.PROTECTED_ACTIVITY,
        Purpose.PERSONAL,
    }
)

# What a yearly report may count; each is computed from the ledger and the records.
Figure = Literal[
    "cameras",
    "plate_readers",
    "reads",
    "searches",
    "searches_by_purpose",
    "searches_by_agency",
    "hits",
    "confirmed",
    "wrong",
    "stops",
    "refusals",
    "agreements",
    "unauthorised_access",
]


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days; None: this law sets no limit, the agency's own policy does."""

    reads_days_max: int | None = None
    hits_days_max: int | None = None
    ledger_days_min: int = 365


class DeclarationForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agency of another state, or a federal one, signs before it gets anything: each of
    these statements."""

    statements: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.statements:
            raise Invalid("a declaration that declares nothing", "list its statements")


class OwnPlate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner of a plate is told of searches for a case that is still open: all of them, how
    many there are, or nothing but that such are left out. `unknown_days`: so long a search counts
    as one of an open case where nobody here knows whether its case has ended."""

    open_cases: Literal["told", "counted", "left_out"] = "counted"
    unknown_days: int = 180


class YearlyReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report that the law asks for each year: to whom, and the figures in it. `due`: the day of
    the following year, "MM-DD"; None: not known here."""

    to: str
    figures: tuple[Figure, ...]
    due: str | None = None


class StatePack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One state's rules as data. `unverified` names fields nobody has held against the text.

    `out_of_state`: what other states' and federal agencies may have: nothing without a valid
    declaration in the agreement, or nothing ever.
    """

    law: str
    name: str
    prohibited_purposes: frozenset[Purpose]
    forbidden_list_categories: frozenset[str]
    case_required: frozenset[Thing]
    out_of_state: Literal["declaration", "never"]
    retention: Retention
    declaration: DeclarationForm | None = None
    yearly_report: YearlyReport | None = None
    own_plate: OwnPlate = OwnPlate()
    in_force_from: date | None = None
    unverified: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        missing = PROHIBITED_EVERYWHERE - self.prohibited_purposes
        if missing:
            raise Invalid(
                f"state pack {self.law} allows {', '.join(sorted(missing))}",
                "list it under prohibited_purposes",
            )
        if self.out_of_state == "declaration" and self.declaration is None:
            raise Invalid(
                f"state pack {self.law} asks for a declaration and does not say which",
                "list its statements under [declaration]",
            )
        unknown = set(self.unverified) - set(self.__struct_fields__)
        if unknown:
            raise Invalid(f"state pack {self.law}: no field {', '.join(sorted(unknown))}")

    @property
    def keep_reads_days_max(self) -> int | None:
        return self.retention.reads_days_max


def load_pack(law: str) -> StatePack:
    """The pack of `law` ("us-nm"). Raises Invalid where there is none or it is malformed."""
    if law not in laws():
        raise Invalid(f"no state pack {law!r}", f"use one of {', '.join(laws())}")
    text = files("farolito.policy").joinpath("packs", f"{law}.toml").read_text("utf-8")
    return parse_pack(text)


def parse_pack(text: str) -> StatePack:
    try:
        return msgspec.convert(tomllib.loads(text), StatePack)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"state pack: {error}", "correct the file") from error


def laws() -> list[str]:
    """The laws there is a pack for."""
    packs = files("farolito.policy").joinpath("packs").iterdir()
    return sorted(p.name.removesuffix(".toml") for p in packs if p.name.endswith(".toml"))
