"""The Cedar rules against the same rights written a second time, as plain Python (R50)."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from farolito.model import Act, Purpose, Role, Thing
from farolito.policy import Policies, Request

from .conftest import CITY, NOON, SHERIFF, request

CASES = 20_000
DESK = {
    Purpose.HOT_LIST_ALERT,
    Purpose.IN_PROGRESS_CALL,
    Purpose.OFFICER_SAFETY,
    Purpose.MISSING_PERSON,
}
FORCE = {Purpose.CRIMINAL_INVESTIGATION, Purpose.MISSING_PERSON}
OUTLAWED = {
    Purpose.IMMIGRATION_ENFORCEMENT,
    Purpose.PROTECTED_HEALTH_CARE,
    Purpose.PROTECTED_ACTIVITY,
    Purpose.PERSONAL,
}
REASONS = {"routine_review", "random_sample", "misuse_report", "complaint", "court_order"}
REASONS |= {"public_records_request", "system_test"}
QUEUE = {
    Thing.ALERT,
    Thing.SHOT,
    Thing.SOUND,
    Thing.SENSOR,
    Thing.BRIEF,
    Thing.CALL,
    Thing.INCIDENT,
    Thing.PICTURE,
    Thing.HOT_LIST,
    Thing.UNIT,
    Thing.MAP,
}
LOOK = {Act.READ, Act.LIVE, Act.WATCH}
CLOCKS = {
    Purpose.IN_PROGRESS_CALL,
    Purpose.HOT_LIST_ALERT,
    Purpose.OFFICER_SAFETY,
    Purpose.ADMINISTRATION,
}


def reference(r: Request) -> bool:
    return not _forbidden(r) and _granted(r)


def _forbidden(r: Request) -> bool:
    facts = r.facts
    behalf = facts.get("on_behalf_agency")
    return (
        r.purpose is None
        or r.purpose in OUTLAWED
        or r.person.agency != r.owner
        or ((r.on_behalf_of is not None or behalf is not None) and behalf != r.owner)
        or not 0 <= r.signed_in_s <= 43_200
        or ((r.act is Act.EXPORT or r.thing is Thing.LEDGER_FIELD) and r.signed_in_s > 300)
        or (r.thing is Thing.PLATE_READ and r.act is not Act.ACT and not r.case)
        or (
            facts.get("confirmed") is False
            and (r.thing is Thing.BRIEF or r.person.role is Role.OFFICER)
        )
        or (_looks_or_turns(r) and not facts.get("consent_open"))
        or (
            r.thing is Thing.CLIP and r.act in {Act.ACT, Act.EXPORT} and not facts.get("may_record")
        )
        or ("reason_code" in facts and facts["reason_code"] not in REASONS)
    )


def _looks_or_turns(r: Request) -> bool:
    turns = r.act is Act.ACT and r.purpose not in {Purpose.ADMINISTRATION, Purpose.SYSTEM}
    return r.thing is Thing.CAMERA and (r.act is Act.WATCH or turns)


def _granted(r: Request) -> bool:  # noqa: PLR0911 - a table of rights
    if r.thing in {Thing.PARTNER, Thing.AGREEMENT, Thing.SHARED, Thing.REVIEW, Thing.REPORT}:
        return _among_agencies(r)
    if r.thing in {Thing.CAMERA, Thing.CONSENT, Thing.VIEWING, Thing.CLIP}:
        return _pictures(r)
    match r.person.role:
        case Role.OPERATOR:
            return _desk(r) or _counts_dead(r) or _for_a_call(r)
        case Role.SUPERVISOR:
            dead = r.thing is Thing.DEAD_LETTER and r.purpose is Purpose.ADMINISTRATION
            rest = _for_a_case(r) or _counts_dead(r) or (dead and r.act is Act.READ)
            figures = r.thing in {Thing.TIMING, Thing.SHOT_FIGURE}
            clocks = figures and r.act is Act.EXPORT and r.purpose in CLOCKS
            return _desk(r) or rest or clocks or _for_a_call(r)
        case Role.OFFICER:
            own = r.person.unit is not None and r.facts.get("assigned_unit") == r.person.unit
            brief = r.thing is Thing.BRIEF and r.act in {Act.READ, Act.LIVE, Act.ACT}
            picture = r.thing is Thing.PICTURE and r.act in {Act.READ, Act.LIVE}
            position = r.thing is Thing.UNIT and r.act is Act.ACT
            incident = r.thing is Thing.INCIDENT and r.act is Act.LIVE
            shown = incident and r.person.unit is not None and r.facts.get("confirmed") is True
            return r.purpose in DESK and (shown or (own and (brief or picture or position)))
        case Role.DETECTIVE:
            map_ = r.thing is Thing.MAP and r.act is Act.READ and r.purpose in FORCE
            return map_ or _for_a_case(r)
        case _:
            return _office(r)


def _among_agencies(r: Request) -> bool:  # noqa: PLR0911 - a table of rights
    """Partners, agreements, what they let us have, reviews and reports."""
    office = r.purpose is Purpose.ADMINISTRATION
    look = r.act is Act.READ
    agreed = r.thing in {Thing.PARTNER, Thing.AGREEMENT}
    opens = {Act.READ, Act.LIVE, Act.ACT}  # to act on it is mutual aid
    shared = r.thing is Thing.SHARED and r.act in opens and r.purpose in DESK
    review = r.thing is Thing.REVIEW and r.act in {Act.READ, Act.ACT}
    match r.person.role:
        case Role.AGENCY_ADMIN:
            report = r.thing is Thing.REPORT and r.act in {Act.READ, Act.ACT, Act.EXPORT}
            return office and (report or (agreed and r.act in {Act.READ, Act.ACT}))
        case Role.SUPERVISOR:
            signs = r.thing is Thing.AGREEMENT and r.act is Act.ACT and office
            asks = agreed and look and (office or r.purpose in DESK | FORCE)
            return signs or asks or shared
        case Role.OPERATOR:
            return shared or (agreed and look and (office or r.purpose in DESK))
        case Role.DETECTIVE:
            return agreed and look and (office or r.purpose in FORCE)
        case Role.AUDITOR | Role.OVERSIGHT:
            told = r.thing in {Thing.PARTNER, Thing.AGREEMENT, Thing.REPORT}
            acts = {Act.READ, Act.EXPORT}
            acts |= {Act.LIVE} if r.person.role is Role.OVERSIGHT else set()
            return r.purpose is Purpose.AUDIT and (review or (told and r.act in acts))
        case Role.SYSTEM:
            return r.act is Act.ACT and r.purpose is Purpose.SYSTEM
    return False


def _for_a_call(r: Request) -> bool:
    return r.thing is Thing.PLATE_READ and r.act is Act.READ and r.purpose in DESK and bool(r.case)


def _pictures(r: Request) -> bool:  # noqa: PLR0911 - a table of rights
    """Cameras: who sees the register, who watches, who turns, who keeps, who sees who looked."""
    match r.person.role, r.thing:
        case Role.OPERATOR | Role.SUPERVISOR, Thing.CAMERA:
            return r.act is not Act.EXPORT and r.purpose in DESK
        case Role.DETECTIVE, Thing.CAMERA:
            return r.act in LOOK and _has_a_case(r)
        case Role.OFFICER, Thing.CAMERA:
            own = r.person.unit is not None and r.facts.get("assigned_unit") == r.person.unit
            near = own and r.facts.get("near_assigned") is True
            return near and r.act in LOOK and r.purpose in DESK
        case Role.AGENCY_ADMIN | Role.SYSADMIN, Thing.CAMERA:
            registers = r.act is Act.ACT and r.person.role is Role.AGENCY_ADMIN
            look = r.act in {Act.READ, Act.LIVE}
            return r.purpose is Purpose.ADMINISTRATION and (look or registers)
        case Role.CAMERA_OWNER, Thing.CONSENT | Thing.VIEWING:
            own = r.person.owner is not None and r.facts.get("camera_owner") == r.person.owner
            decides = r.act is Act.ACT and r.thing is Thing.CONSENT
            allowed = r.act is Act.READ or decides
            return own and allowed and r.purpose is Purpose.ADMINISTRATION
        case Role.SUPERVISOR, Thing.VIEWING:
            return r.act is Act.READ and r.purpose in DESK | {Purpose.ADMINISTRATION}
        case Role.AUDITOR, Thing.VIEWING:
            return r.act is Act.READ and r.purpose is Purpose.AUDIT
        case Role.SYSTEM, Thing.CAMERA | Thing.VIEWING | Thing.CLIP:
            sweep = r.thing is Thing.CAMERA and r.act is Act.WATCH
            return r.purpose is Purpose.SYSTEM and (sweep or r.act is Act.ACT)
    return r.thing is Thing.CLIP and _clips(r)


def _clips(r: Request) -> bool:
    desk = r.person.role in {Role.OPERATOR, Role.SUPERVISOR} and r.purpose in DESK
    case = r.person.role in {Role.SUPERVISOR, Role.DETECTIVE} and _has_a_case(r)
    if r.act is Act.EXPORT:
        return case
    return r.act in {Act.READ, Act.ACT} and (desk or case)


def _has_a_case(r: Request) -> bool:
    return r.purpose in FORCE and bool(r.case)


def _desk(r: Request) -> bool:  # noqa: PLR0911 - a table of rights
    if r.thing is Thing.HEALTH:
        return r.act in {Act.READ, Act.LIVE} and r.purpose in DESK | {Purpose.ADMINISTRATION}
    if r.thing in {Thing.TIMING, Thing.SHOT_FIGURE}:
        return r.act is Act.READ and r.purpose in CLOCKS
    if r.act in {Act.READ, Act.LIVE}:
        return r.thing in QUEUE and r.purpose in DESK
    if r.act is not Act.ACT:
        return False
    if r.thing is Thing.BRIEF:
        return r.purpose in DESK and r.facts.get("confirmed") is True
    if r.thing in {Thing.INCIDENT, Thing.SHOT}:
        return r.purpose in DESK
    return r.thing in {Thing.ALERT, Thing.HOT_LIST} and r.purpose is Purpose.HOT_LIST_ALERT


def _for_a_case(r: Request) -> bool:
    things = {Thing.PLATE_READ, Thing.PICTURE, Thing.SHOT, Thing.SOUND}
    return r.thing in things and r.act is Act.READ and r.purpose in FORCE and bool(r.case)


def _counts_dead(r: Request) -> bool:
    counts = r.act is Act.READ and r.facts.get("records") is False
    purposes = {Purpose.HOT_LIST_ALERT, Purpose.ADMINISTRATION}
    return r.thing is Thing.DEAD_LETTER and counts and r.purpose in purposes


def _office(r: Request) -> bool:  # noqa: PLR0911 - a table of rights
    look = r.act in {Act.READ, Act.LIVE}
    match r.person.role, r.purpose:
        case Role.AGENCY_ADMIN, Purpose.ADMINISTRATION:
            if r.act is Act.ACT:
                return r.thing in {Thing.HOT_LIST, Thing.DEVICE, Thing.PERSON, Thing.UNIT}
            if r.thing in {Thing.TIMING, Thing.SHOT_FIGURE}:
                return r.act in {Act.READ, Act.EXPORT}
            if r.thing is Thing.HEALTH:
                return look
            counts = r.thing in {Thing.HOT_LIST, Thing.DEAD_LETTER}
            open_ = r.thing in {Thing.DEVICE, Thing.PERSON, Thing.SENSOR}
            return r.act is Act.READ and (open_ or (counts and r.facts.get("records") is False))
        case Role.SYSADMIN, Purpose.ADMINISTRATION:
            device = r.thing is Thing.DEVICE and (look or r.act is Act.ACT)
            device = device or (r.thing is Thing.SENSOR and r.act is Act.READ)
            return device or _counts_dead(r) or (r.thing is Thing.HEALTH and look)
        case Role.AUDITOR, Purpose.AUDIT | Purpose.ADMINISTRATION:
            if r.thing is Thing.HEALTH:
                return look
            if r.purpose is not Purpose.AUDIT:
                return False
            if r.thing in {Thing.TIMING, Thing.SHOT_FIGURE}:
                return r.act in {Act.READ, Act.EXPORT}
            field = r.thing is Thing.LEDGER_FIELD and r.act is Act.READ
            ledger = r.thing is Thing.LEDGER and (look or r.act is Act.EXPORT)
            return ledger or (field and "reason_code" in r.facts)
        case Role.OVERSIGHT, Purpose.AUDIT:
            if r.thing is Thing.LEDGER_FIELD:
                return r.act is Act.READ and "reason_code" in r.facts
            return r.thing is Thing.LEDGER and (look or r.act is Act.EXPORT)
        case Role.SYSTEM, Purpose.SYSTEM:
            written = {Thing.ALERT, Thing.CALL, Thing.INCIDENT, Thing.PLATE_READ, Thing.DEAD_LETTER}
            things = written | {Thing.HOT_LIST, Thing.UNIT}
            things |= {Thing.SHOT, Thing.SOUND, Thing.SENSOR}
            brief = r.thing is Thing.BRIEF and r.facts.get("confirmed") is True
            return r.act is Act.ACT and (r.thing in things or brief)
    return False


def drawn(dice: random.Random) -> Request:
    """A question by chance, leaning to those that are nearly right: all else is trivially no."""
    facts: dict[str, Any] = {}
    for name, values in (
        ("confirmed", [True, True, False]),
        ("assigned_unit", ["2A14", "2A14", "2A15", ""]),
        ("records", [False, True]),
        ("reason_code", [*sorted(REASONS), "because"]),
        ("demo", [True, False]),
        ("consent_open", [True, True, False]),
        ("near_assigned", [True, True, False]),
        ("camera_owner", ["transit", "transit", "schools", ""]),
        ("may_record", [True, True, False]),
    ):
        if dice.random() < 0.6:
            facts[name] = dice.choice(values)
    if dice.random() < 0.08:
        facts["on_behalf_agency"] = dice.choice([CITY.agency_id, SHERIFF.agency_id])
    near = dice.random() < 0.85
    return request(
        dice.choice(list(Role)),
        dice.choice(list(Act)),
        dice.choice(list(Thing)),
        dice.choice([None, *Purpose]),
        unit=dice.choice(["2A14", "2A14", None]),
        camera_owner=dice.choice(["transit", "transit", None]),
        agency=CITY.agency_id if near else dice.choice([CITY.agency_id, SHERIFF.agency_id]),
        case=dice.choice(["2026-1", "2026-1", None, ""]),
        on_behalf_of="Sgt. Lee" if dice.random() < 0.05 else None,
        signed_in_s=60 if near else dice.choice([-1, 0, 300, 301, 43_200, 43_201, 10**9]),
        facts=facts,
        now=NOON + timedelta(seconds=dice.randrange(10**8)),
    )


def test_cedar_agrees_with_the_reference_in_twenty_thousand_questions(policies: Policies) -> None:
    dice = random.Random(20261101)
    questions = [drawn(dice) for _ in range(CASES)]
    answers = policies.permits(questions)
    wrong = [q for q, yes in zip(questions, answers, strict=True) if yes != reference(q)]
    assert not wrong, f"{len(wrong)} of {CASES}, the first: {wrong[0]}"
    # A comparison of noes with noes proves little: enough of both kinds were drawn.
    assert sum(answers) > 300


def test_the_reference_agrees_on_every_nearly_right_question(policies: Policies) -> None:
    told: dict[str, Any] = {"confirmed": True, "assigned_unit": "2A14", "records": False}
    told |= {"reason_code": "complaint", "consent_open": True, "near_assigned": True}
    told |= {"camera_owner": "transit", "may_record": True}
    questions = [
        request(
            role,
            act,
            thing,
            purpose,
            unit="2A14",
            camera_owner="transit",
            case="2026-1",
            facts=told,
        )
        for role in Role
        for act in Act
        for thing in Thing
        for purpose in Purpose
    ]
    answers = policies.permits(questions)
    assert answers == [reference(q) for q in questions]
    assert sum(answers) > 100
