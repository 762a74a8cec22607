"""What is happening, from the dispatcher's own words: for CADs whose mapping has no table.

Conservative: a word that could mean two things means OTHER, and the dispatcher's words are kept
beside the kind. Ten-codes differ between agencies; only those are here that nearly all share
(APCO's list), and an agency's own table in its mapping always comes first.
"""

from __future__ import annotations

import re
from functools import lru_cache

from farolito.model import CallKind

WORDS_CHARACTERS_MAX = 200  # what stands behind is not looked at
REMEMBERED_MAX = 2_048  # different type words; an agency has a few hundred

# The first pattern that is found decides, so what changes a meaning stands before what it
# changes: a hold-up alarm is an alarm, a domestic assault is domestic.
_WORDS: tuple[tuple[CallKind, str], ...] = (
    (CallKind.OFFICER_DOWN, r"officer (is )?(down|shot)|officer needs (help|assist)|"
                            r"officer emergency|code 99"),
    (CallKind.ALARM, r"alarm|panic button"),
    (CallKind.SHOOTING, r"shooting|shooter|person shot|gsw|gun ?shot wound|shot victim"),
    (CallKind.SHOTS_FIRED, r"shots?( |-)?(fired|heard)|gun ?shots?\b|gunfire|shot ?spotter|"
                           r"^shots$"),
    (CallKind.STABBING, r"\bstab"),
    (CallKind.DOMESTIC, r"domestic|\bdv\b|family (fight|dispute|disturbance|trouble|violence)"),
    (CallKind.ROBBERY, r"robbery|robbed|hold ?up|car ?jack|mugging|\b211 ?pc\b|\bpc ?211\b"),
    (CallKind.BURGLARY, r"burglar|\bburg\b|break(ing)? (in|and enter)|home invasion|"
                        r"\b459 ?pc\b|\bpc ?459\b"),
    (CallKind.WEAPON, r"weapon|brandish|(with|w/) ?(a )?(gun|knife|firearm|rifle)|armed (person|"
                      r"subject|man|woman)|man gun|\b417 ?pc\b"),
    (CallKind.PURSUIT, r"pursuit|vehicle chase|foot chase"),
    (CallKind.HIT_AND_RUN, r"hit (and|&|n) run|hit/run|leaving (the )?scene"),
    (CallKind.STOLEN_VEHICLE, r"stolen (vehicle|veh|auto|car|truck)|(vehicle|auto|car|veh) theft|"
                              r"theft of (motor )?(vehicle|auto)|\bgta\b|\b10851\b"),
    (CallKind.WANTED_VEHICLE, r"wanted (vehicle|veh)|plate (hit|alert)|lpr (hit|alert)"),
    (CallKind.TRAFFIC_STOP, r"traffic stop|vehicle stop|\bt ?/ ?s\b|^tstop$"),
    (CallKind.CRASH, r"crash|collision|(traffic|vehicle|veh|auto|car|mv) acc(ident)?\b|"
                     r"\bmv[ac]\b|accident (with|w/|no|without|injur|non)|^accident$|rollover"),
    (CallKind.ASSAULT, r"assault|battery\b(?! theft)|beating|\b24[25] ?pc\b"),
    (CallKind.THEFT, r"theft|larceny|shoplift|stolen property|stealing"),
    (CallKind.MISSING_PERSON, r"missing (person|child|juvenile|adult|endangered)|runaway|"
                              r"amber alert|silver alert|abduct|kidnap"),
    (CallKind.WELFARE_CHECK, r"welfare|well ?-?being|check on (person|subject|citizen)"),
    (CallKind.TRESPASS, r"trespass|unwanted (person|subject|guest|party)"),
    (CallKind.SUSPICIOUS, r"suspicious|\bsusp\b|prowler|peeping"),
    (CallKind.DISTURBANCE, r"disturb|fight|disorderly|noise|loud (music|party)|\b415 ?pc\b"),
    (CallKind.MEDICAL, r"medical|\bems\b|ambulance|overdose|cardiac|unconscious|unresponsive|"
                       r"seizure|\bstroke\b|chest pain|sick person|fall victim"),
    (CallKind.FIRE, r"\b(structure|house|vehicle|brush|grass|wild|building|car|trash) ?fire\b|"
                    r"^fire$|smoke (investigation|in)"),
)  # fmt: skip

_TEN_CODES: dict[str, CallKind] = {
    "10-10": CallKind.DISTURBANCE,  # fight in progress
    "10-14": CallKind.SUSPICIOUS,  # prowler
    "10-16": CallKind.DOMESTIC,
    "10-32": CallKind.WEAPON,  # person with a gun
    "10-37": CallKind.SUSPICIOUS,  # vehicle
    "10-38": CallKind.TRAFFIC_STOP,
    "10-50": CallKind.CRASH,
    "10-57": CallKind.HIT_AND_RUN,
    "10-80": CallKind.PURSUIT,
    "10-90": CallKind.ALARM,
}
_TEN_CODE = re.compile(r"10[- ]?(\d\d)[a-z]?\b", re.ASCII)

_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _WORDS)


@lru_cache(maxsize=REMEMBERED_MAX)
def kind_of(says: str) -> CallKind:
    """The kind that a dispatcher's word or code surely means, else OTHER.

    The value of a kind (`shots_fired`) is taken as it is.
    """
    plain = " ".join(says[:WORDS_CHARACTERS_MAX].lower().replace("_", " ").split())
    as_value = plain.replace(" ", "_")
    if as_value in _VALUES:
        return _VALUES[as_value]
    for kind, pattern in _PATTERNS:
        if pattern.search(plain):
            return kind
    code = _TEN_CODE.match(plain)
    return _TEN_CODES.get(f"10-{code[1]}", CallKind.OTHER) if code else CallKind.OTHER


_VALUES = {kind.value: kind for kind in CallKind}
