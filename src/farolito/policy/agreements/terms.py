"""An agreement's terms as TOML, and what they may not be."""

from __future__ import annotations

import json
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from farolito.model import Agreement, Hours, Invalid, Purpose, Role, ShareClass, Sharing

FORMAT = "farolito agreement 1"
TITLE_CHARACTERS_MAX = 120
TEXT_CHARACTERS_MAX = 20_000
NAME_CHARACTERS_MAX = 80
ZONES_MAX = 50
CORNERS_MAX = 5_000
HOURS_MAX = 28
OTHERS_MAX = 50  # on whose behalf

# Who works on calls and cases. Logs and machines are read at home.
ROLES = (Role.OPERATOR, Role.OFFICER, Role.DETECTIVE, Role.SUPERVISOR)
PURPOSES = (
    Purpose.HOT_LIST_ALERT,
    Purpose.IN_PROGRESS_CALL,
    Purpose.OFFICER_SAFETY,
    Purpose.CRIMINAL_INVESTIGATION,
    Purpose.MISSING_PERSON,
)


def check(agreement: Agreement) -> None:
    """Raises Invalid where nobody could read, mean or keep it."""
    _check_lists(agreement)
    _check_words(agreement)
    _check_hours_and_zones(agreement)
    if agreement.classes.keys() == {ShareClass.PLATE_READ} and Sharing.ASK not in agreement.sharing:
        raise Invalid("plate reads that flow", 'plates are asked for one at a time: add "ask"')


def _check_lists(agreement: Agreement) -> None:
    wrong = [p for p in agreement.purposes if p not in PURPOSES]
    if wrong:
        known = ", ".join(PURPOSES)
        raise Invalid(f"an agreement for {', '.join(wrong)}", f"possible purposes: {known}")
    nobody = [r for r in agreement.roles if r not in ROLES]
    if nobody:
        known = ", ".join(ROLES)
        raise Invalid(f"data for the role {', '.join(nobody)}", f"possible roles: {known}")
    for name in ("sharing", "purposes", "roles", "on_behalf_of"):
        listed = getattr(agreement, name)
        if len(set(listed)) < len(listed):
            raise Invalid(f"{name} names something twice", "name it once")
    if len(agreement.on_behalf_of) > OTHERS_MAX:
        raise Invalid("an agreement on behalf of too many", f"at most {OTHERS_MAX} agencies")


def _check_words(agreement: Agreement) -> None:
    line = {"title": agreement.title, **{f"zone {z.name!r}": z.name for z in agreement.zones}}
    declaration = agreement.declaration
    if declaration:
        line["declaration_id"] = declaration.declaration_id
        line["signed_by"] = declaration.signed_by
    for agency in (agreement.grantor, agreement.grantee, *agreement.on_behalf_of):
        line[f"agency {agency!r}"] = agency
    for name, words in line.items():
        longest = TITLE_CHARACTERS_MAX if name == "title" else NAME_CHARACTERS_MAX
        if not words.strip() or len(words) > longest or _unreadable(words):
            raise Invalid(f"{name}: not a line that people can read", f"1 to {longest} letters")
    if len(agreement.text) > TEXT_CHARACTERS_MAX or _unreadable(agreement.text.replace("\n", "")):
        raise Invalid("the text is too long or holds letters that nobody sees", "write plain text")
    for number, words in enumerate(agreement.text.split("\n"), 1):
        if words.lstrip().startswith(("#", "`", "~")):
            raise Invalid(
                f"line {number} of the text begins with {words.lstrip()[0]}",
                "begin it with a word: headings and fences are the document's own",
            )


def _unreadable(words: str) -> bool:
    """Control letters, and those that turn or hide what stands beside them."""
    return any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for c in words)


def _check_hours_and_zones(agreement: Agreement) -> None:
    names = [zone.name for zone in agreement.zones]
    if len(set(names)) < len(names):
        raise Invalid("two zones of one name", "give each a name of its own")
    corners = sum(len(zone.ring) for zone in agreement.zones)
    if len(names) > ZONES_MAX or corners > CORNERS_MAX:
        raise Invalid("too many zones", f"at most {ZONES_MAX}, of {CORNERS_MAX} corners together")
    if len(agreement.hours) > HOURS_MAX:
        raise Invalid("too many hours", f"at most {HOURS_MAX} windows")
    for hours in agreement.hours:
        for clock in (hours.since, hours.until):
            if clock.second or clock.microsecond or clock.tzinfo:
                raise Invalid(f"the hour {clock}", "give hours and minutes of the grantor's clock")


def write_terms(agreement: Agreement) -> str:
    """The terms without the text, which stands above them. Always the same bytes for the same."""
    plain: dict[str, Any] = {
        "format": FORMAT,
        "agreement_id": str(agreement.agreement_id),
        "grantor": agreement.grantor,
        "grantee": agreement.grantee,
        "title": agreement.title,
        "starts": agreement.starts,
        "expires": agreement.expires,
        "sharing": agreement.sharing,
        "purposes": agreement.purposes,
        "roles": agreement.roles,
        "keep_days": agreement.keep_days,
        "record_days": agreement.record_days,
        "on_behalf_of": agreement.on_behalf_of,
        "hop_limit": agreement.hop_limit,
    }
    for name in ("incident", "supersedes"):
        if getattr(agreement, name) is not None:
            plain[name] = str(getattr(agreement, name))
    lines = [f"{name} = {_value(value)}" for name, value in plain.items()]
    if agreement.hours:
        lines += ["hours = [", *(f"  {_hours(one)}," for one in agreement.hours), "]"]
    lines += ["", "[classes]"]
    lines += [f"{c} = {_value(agreement.classes[c])}" for c in ShareClass if c in agreement.classes]
    if agreement.declaration:
        told = msgspec.structs.asdict(agreement.declaration)
        lines += ["", "[declaration]", *(f"{name} = {_value(v)}" for name, v in told.items())]
    for zone in agreement.zones:
        lines += ["", "[[zones]]", f"name = {_value(zone.name)}", "ring = ["]
        lines += [*(f"  [{float(p.lat)!r}, {float(p.lon)!r}]," for p in zone.ring), "]"]
    return "\n".join(lines) + "\n"


def read_terms(terms: str, text: str) -> Agreement:
    """Raises Invalid, with the line of the terms where it is known."""
    try:
        told = tomllib.loads(terms)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"the terms: {error}", "correct that line") from error
    if told.pop("format", None) != FORMAT:
        raise Invalid("terms of another format", f"begin them with format = {json.dumps(FORMAT)}")
    if "text" in told:
        raise Invalid("terms with a text of their own", "the text stands above them")
    try:
        zones = [_zone(zone) for zone in told.pop("zones", [])]
        return msgspec.convert(told | {"text": text, "zones": zones}, Agreement)
    except (msgspec.ValidationError, TypeError, ValueError, KeyError) as error:
        raise Invalid(f"the terms: {error}", "correct or take out what is named") from error


def _zone(told: Mapping[str, Any]) -> dict[str, Any]:
    ring = [{"lat": float(lat), "lon": float(lon)} for lat, lon in told["ring"]]
    return {**told, "ring": ring}


def _value(value: object) -> str:
    """Of TOML. JSON writes strings as TOML's basic strings are."""
    if isinstance(value, StrEnum | str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Iterable):
        return f"[{', '.join(_value(one) for one in value)}]"
    return str(value)


def _hours(hours: Hours) -> str:
    return f"{{ days = {_value(hours.days)}, since = {hours.since}, until = {hours.until} }}"
