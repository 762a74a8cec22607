"""What agreements open, written a second time as plain Python: the same answers, and the same
reasons, over agreements, partners, people and questions by chance (R50)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from shapely.geometry import Point as Spot
from shapely.geometry import Polygon

from farolito.model import (
    Act,
    Agency,
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Answering,
    Hours,
    IncidentId,
    Partner,
    PartnerState,
    Point,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
    Zone,
)
from farolito.model.agreement import Declaration
from farolito.policy import Permit, Policies, Request
from farolito.policy.rule_book import FACTS

from .agreed import COUNTY, FEDERAL, PUEBLO, STRANGER, TEXAS, partner, question, signed, terms
from .conftest import CITY, NOON

SETS, AGREEMENTS, QUESTIONS = 16, 16, 400  # 102,400 questions
FLOWS = 6_400
OUTLAWED = {
    Purpose.IMMIGRATION_ENFORCEMENT,
    Purpose.PROTECTED_HEALTH_CARE,
    Purpose.PROTECTED_ACTIVITY,
    Purpose.PERSONAL,
}
# The law of each state, told again: what it rules out, and whether anything leaves the state.
LAWS: Mapping[str, tuple[set[Purpose], bool]] = {
    "us-nm": (OUTLAWED, True),
    "us-ca": (OUTLAWED, False),
    "us-va": (OUTLAWED | {Purpose.IN_PROGRESS_CALL, Purpose.OFFICER_SAFETY}, False),
}
OF_CLASS = {
    ShareClass.PLATE_READ: Thing.PLATE_READ,
    ShareClass.ALERT: Thing.ALERT,
    ShareClass.SHOT: Thing.SHOT,
    ShareClass.INCIDENT: Thing.INCIDENT,
    ShareClass.UNIT: Thing.UNIT,
    ShareClass.HOT_LIST: Thing.HOT_LIST,
}
WORKERS = {Role.OPERATOR, Role.OFFICER, Role.DETECTIVE, Role.SUPERVISOR}
ENDED = {
    AgreementState.DRAFT: "no_agreement",
    AgreementState.PROPOSED: "no_agreement",
    AgreementState.REVOKED: "agreement_revoked",
    AgreementState.REPLACED: "agreement_replaced",
    AgreementState.EXPIRED: "agreement_expired",
}
Partners = Mapping[AgencyId, Partner]


def broken(
    one: SignedAgreement | None, law: str, partners: Partners, r: Request, *, flows: bool = False
) -> set[str]:
    """All that stands in the way of this question; nothing: it is permitted."""
    found = _standing(law, r, flows=flows)
    if one is None or (one.agreement.grantee, one.agreement.grantor) != (r.person.agency, r.owner):
        return found | {"no_agreement"}
    return found | _ended(one, law, partners, r) | _beyond(one.agreement, law, partners, r, flows)


def _standing(law: str, r: Request, *, flows: bool) -> set[str]:
    checks = {
        "prohibited_purpose": r.purpose in LAWS[law][0],
        "no_purpose": r.purpose is None,
        "sign_in_too_old": not 0 <= r.signed_in_s <= 12 * 3600,
        "sign_in_again": r.signed_in_s > 300
        and (r.act is Act.EXPORT or r.thing is Thing.LEDGER_FIELD),
        "case": r.thing is Thing.PLATE_READ and r.act is not Act.ACT and not (r.case or "").strip(),
        "logs_not_data": not flows and r.person.role not in WORKERS,
        "never_streamed": r.act is Act.LIVE and r.thing is Thing.PLATE_READ,
        "unconfirmed": r.facts.get("confirmed") is False,
    }
    return {reason for reason, stands in checks.items() if stands}


def _is_elsewhere(agency: AgencyId, law: str, partners: Partners) -> bool:
    known = partners.get(agency)
    return known is None or known.card.law != law or known.card.government == "federal"


def _ended(one: SignedAgreement, law: str, partners: Partners, r: Request) -> set[str]:
    terms_, found = one.agreement, set()
    if one.state in ENDED:
        found.add(ENDED[one.state])
    known = partners.get(terms_.grantee)
    if known is None or known.state is not PartnerState.CONFIRMED:
        found.add("not_a_partner")
    elif _is_elsewhere(terms_.grantee, law, partners):
        if not LAWS[law][1]:
            found.add("out_of_state")
        elif terms_.declaration is None:
            found.add("no_declaration")
    if terms_.declaration is not None and r.now >= terms_.declaration.expires:
        found.add("no_declaration")
    if r.now < terms_.starts:
        found.add("agreement_not_begun")
    if r.now >= terms_.expires:
        found.add("agreement_expired")
    return found


def _beyond(
    terms_: Agreement, law: str, partners: Partners, r: Request, flows: bool
) -> set[str]:  # fmt: skip
    age = r.facts.get("record_age_days")
    zones = r.facts.get("zones", ())
    names = {zone.name for zone in terms_.zones}
    incident = r.facts.get("incident_id")
    asks = r.act is Act.READ and Sharing.ASK in terms_.sharing and not flows
    follows = r.act is Act.LIVE and Sharing.FOLLOW in terms_.sharing and flows
    checks = {
        "class_not_shared": r.thing not in {OF_CLASS[c] for c in terms_.classes},
        "sharing_not_agreed": not asks and not follows,
        "role_not_agreed": r.act is not Act.LIVE and r.person.role not in terms_.roles,
        "purpose_not_agreed": r.purpose not in terms_.purposes,
        "on_behalf_of": not _may_stand_for(terms_, law, partners, r),
        "other_incident": terms_.incident is not None and incident != str(terms_.incident),
        "outside_zone": bool(names)
        and not (isinstance(zones, tuple) and zones and set(zones) <= names),
        "outside_hours": bool(terms_.hours) and not _is_open(terms_.hours, r),
        "too_old_records": r.act is not Act.LIVE
        and not (isinstance(age, int) and 0 <= age <= terms_.record_days),
    }
    return {reason for reason, stands in checks.items() if stands}


def _may_stand_for(terms_: Agreement, law: str, partners: Partners, r: Request) -> bool:
    other = r.facts.get("on_behalf_agency")
    if other is None:
        return not (r.on_behalf_of or "").strip()
    if other == terms_.grantee:
        return True
    if other not in terms_.on_behalf_of:
        return False
    declared = terms_.declaration is not None and LAWS[law][1]
    return declared or not _is_elsewhere(AgencyId(str(other)), law, partners)


def _is_open(hours: tuple[Hours, ...], r: Request) -> bool:
    """By walking the week's minutes, hour window by hour window."""
    minute = r.facts.get("minute_of_week")
    if not isinstance(minute, int) or not 0 <= minute < 10_080:
        return False
    day, clock = minute // 1440, time(minute % 1440 // 60, minute % 60)
    for one in hours:
        if one.since < one.until:
            if day in one.days and one.since <= clock < one.until:
                return True
        elif (day in one.days and clock >= one.since) or (
            (day - 1) % 7 in one.days and clock < one.until
        ):
            return True
    return False


def some(dice: random.Random, of: Any, most: int = 3) -> tuple[Any, ...]:
    listed = list(of)
    return tuple(dice.sample(listed, dice.randint(1, min(most, len(listed)))))


def drawn_partners(dice: random.Random, law: str) -> Partners:
    found = {
        COUNTY: partner(COUNTY, law=law),
        PUEBLO: partner(PUEBLO, law=dice.choice([law, "us-tx"]), government="tribal"),
        TEXAS: partner(TEXAS, law="us-tx", government="city"),
        FEDERAL: partner(FEDERAL, law=law, government="federal"),
    }
    for name in list(found):
        if dice.random() < 0.1:
            state = dice.choice([PartnerState.JOINED, PartnerState.LEFT])
            found[name] = msgspec.structs.replace(found[name], state=state)
        if dice.random() < 0.05:
            del found[name]
    return found


def drawn_zone(dice: random.Random, name: str) -> Zone:
    """Of any shape, dented ones and ones that cross themselves too."""
    corners = range(dice.randint(3, 7))
    return Zone(name, tuple(Point(dice.uniform(35, 36), dice.uniform(-107, -106)) for _ in corners))


def drawn_agreement(dice: random.Random, number: int) -> SignedAgreement:
    narrow: dict[str, Any] = {}
    if dice.random() < 0.3:
        narrow["zones"] = tuple(drawn_zone(dice, n) for n in some(dice, ["North", "South", "Mesa"]))
    if dice.random() < 0.3:
        clocks = [time(dice.randrange(24), dice.randrange(60)) for _ in range(2)]
        clocks[1] = clocks[0] if dice.random() < 0.1 else clocks[1]
        window = Hours(days=some(dice, range(7), 7), since=clocks[0], until=clocks[1])
        narrow["hours"] = (window, *([window] if dice.random() < 0.2 else []))
    if dice.random() < 0.4:
        narrow["on_behalf_of"] = some(dice, [PUEBLO, TEXAS, FEDERAL, STRANGER])
    if dice.random() < 0.4:
        ends = NOON + timedelta(days=dice.choice([-10, 40, 400]))
        narrow["declaration"] = Declaration("d", "Chief", ends)
    starts = NOON + timedelta(days=dice.choice([-20, -20, -1, 1]))
    length = timedelta(days=dice.choice([30, 120, 120, 365]))
    if dice.random() < 0.15:
        narrow["incident"] = IncidentId(UUID(int=dice.choice([5, 6])))
        starts, length = NOON, timedelta(hours=12)
    grantor = CITY.agency_id if dice.random() < 0.95 else COUNTY
    grantee = (
        PUEBLO if dice.random() < 0.2 else dice.choice([COUNTY, COUNTY, COUNTY, TEXAS, FEDERAL])
    )
    agreement = terms(
        agreement_id=AgreementId(UUID(int=number)),
        grantor=grantor,
        grantee=CITY.agency_id if grantor == COUNTY else grantee,
        classes=dict.fromkeys(some(dice, ShareClass, 5), Answering.FULL),
        sharing=tuple(Sharing) if dice.random() < 0.7 else some(dice, Sharing, 1),
        purposes=some(dice, Purpose, 4) if dice.random() < 0.3 else USUAL,
        roles=some(dice, Role, 4) if dice.random() < 0.3 else tuple(WORKERS),
        starts=starts,
        expires=starts + length,
        record_days=dice.choice([1, 7, 30]),
        **narrow,
    )  # fmt: skip
    state = AgreementState.IN_FORCE if dice.random() < 0.9 else dice.choice(list(AgreementState))
    return signed(agreement, state)


USUAL = (Purpose.HOT_LIST_ALERT, Purpose.MISSING_PERSON, Purpose.CRIMINAL_INVESTIGATION)


def drawn_minute(dice: random.Random, terms_: Agreement) -> int:
    """Often just where a window opens."""
    if not terms_.hours or dice.random() < 0.3:
        return dice.randrange(10_080)
    one = dice.choice(terms_.hours)
    return dice.choice(one.days) * 1440 + one.since.hour * 60 + one.since.minute


def drawn_facts(dice: random.Random, terms_: Agreement) -> dict[str, Any]:
    """What a gate would know, now and then forgotten or wrong."""
    facts: dict[str, Any] = {
        "record_age_days": dice.randrange(terms_.record_days + 1),
        "minute_of_week": drawn_minute(dice, terms_),
        "zones": tuple(zone.name for zone in terms_.zones),
        "incident_id": str(terms_.incident),
    }
    for name in list(facts):
        if dice.random() < 0.03:
            del facts[name]
    if dice.random() < 0.1:
        facts["zones"] = some(dice, ["North", "South", "Mesa", "Moon"])
    if dice.random() < 0.05:
        facts["record_age_days"] = dice.choice([-1, 31, 10**9])
    if dice.random() < 0.05:
        facts["minute_of_week"] = dice.choice([-1, 10_080, 10**9])
    if dice.random() < 0.05:
        facts["incident_id"] = str(UUID(int=6))
    if dice.random() < 0.08:
        facts["on_behalf_agency"] = dice.choice([COUNTY, PUEBLO, TEXAS, FEDERAL, STRANGER, "city"])
    if dice.random() < 0.05:
        facts["confirmed"] = dice.choice([True, False])
    return facts


def drawn_question(dice: random.Random, terms_: Agreement) -> Request:
    """Right in everything for these terms, but for one thing here and there."""
    right: dict[str, Any] = {
        "role": dice.choice(terms_.roles),
        "act": Act.READ,
        "thing": OF_CLASS[dice.choice(list(terms_.classes))],
        "purpose": dice.choice(terms_.purposes),
        "agency": terms_.grantee,
        "owner": terms_.grantor,
        "agreement": terms_.agreement_id,
        "case": "2026-1",
        "signed_in_s": 60,
        "now": terms_.starts + (terms_.expires - terms_.starts) * dice.random(),
        "facts": drawn_facts(dice, terms_),
    }
    wrong: dict[str, list[Any]] = {
        "role": list(Role),
        "act": list(Act),
        "thing": list(Thing),
        "purpose": [None, *Purpose],
        "agency": [COUNTY, PUEBLO, TEXAS, FEDERAL, STRANGER],
        "agreement": [AgreementId(UUID(int=n)) for n in (*range(1, AGREEMENTS + 1), 999)],
        "case": [None, "", "  "],
        "signed_in_s": [-1, 0, 300, 301, 43_200, 43_201, 10**9],
        "now": [NOON, terms_.starts, terms_.expires, terms_.starts - timedelta(microseconds=1)],
        "on_behalf_of": ["Sgt. Lee", " "],
    }
    for name, values in wrong.items():
        if dice.random() < 0.03:
            right[name] = dice.choice(values)
    if right["agency"] == right["owner"]:
        right["agency"] = STRANGER  # our own people have their own book
    return question(**right)


def drawn_set(dice: random.Random, bases: Mapping[str, Policies]) -> tuple[Any, ...]:
    law = dice.choice(["us-nm", "us-nm", *LAWS])
    partners = drawn_partners(dice, law)
    known = [drawn_agreement(dice, n + 1) for n in range(AGREEMENTS)]
    policies = bases[law].with_agreements(known, partners)
    return law, partners, known, policies


@pytest.fixture(scope="module")
def bases() -> Mapping[str, Policies]:
    def city(law: str) -> Agency:
        return Agency(agency_id=CITY.agency_id, name="City", ori="NM0010100", law=law)

    return {law: Policies.load(law, [city(law)]) for law in LAWS}


def by_id(known: list[SignedAgreement], r: Request) -> SignedAgreement | None:
    """The agreement that a question names, where we are its grantor."""
    ours = (one for one in known if one.agreement.grantor == CITY.agency_id)
    return next((one for one in ours if one.agreement.agreement_id == r.agreement), None)


@pytest.mark.timeout(600)
@pytest.mark.timeout(400)
def test_the_rules_agree_with_the_reference_in_a_hundred_thousand_questions(
    bases: Mapping[str, Policies],
) -> None:
    dice = random.Random(20261123)
    asked = permitted = 0
    for _ in range(SETS):
        law, partners, known, policies = drawn_set(dice, bases)
        given = [one for one in known if one.agreement.grantor == CITY.agency_id]
        questions = [
            drawn_question(dice, dice.choice(given).agreement)
            for _ in range(AGREEMENTS * QUESTIONS)
        ]
        expected = [not broken(by_id(known, q), law, partners, q) for q in questions]
        answers = policies.permits(questions)
        pairs = zip(questions, answers, expected, strict=True)
        wrong = [q for q, yes, right in pairs if yes != right]
        assert not wrong, f"{len(wrong)} wrong, the first: {wrong[0]}"
        asked += len(questions)
        permitted += sum(answers)
    assert asked >= 100_000
    # A comparison of noes with noes proves little: enough of both kinds were drawn.
    assert permitted > 0.1 * asked


@pytest.mark.timeout(300)
def test_every_reason_told_is_one_of_the_reference_and_none_is_missing(
    bases: Mapping[str, Policies],
) -> None:
    dice = random.Random(7)
    told: Counter[str] = Counter()
    for _ in range(12):
        law, partners, known, policies = drawn_set(dice, bases)
        given = [one for one in known if one.agreement.grantor == CITY.agency_id]
        questions = [drawn_question(dice, dice.choice(given).agreement) for _ in range(250)]
        for q, answer in zip(questions, policies.decide_all(questions), strict=True):
            expected = broken(by_id(known, q), law, partners, q)
            if isinstance(answer, Permit):
                assert answer.rules == (f"agreement:{q.agreement}",)
                assert not expected
                continue
            assert {answer.reason, *answer.also} == expected, q
            assert not answer.errors
            told.update(expected)
    assert len(told) >= 20, f"only {sorted(told)} came up"


@pytest.mark.timeout(300)
def test_what_flows_is_what_the_reference_lets_flow(bases: Mapping[str, Policies]) -> None:
    dice = random.Random(11)
    flowed = asked = 0
    while asked < FLOWS:
        law, partners, known, policies = drawn_set(dice, bases)
        for _ in range(AGREEMENTS * 50):
            one = dice.choice(known)
            terms_ = one.agreement
            classes = terms_.classes if dice.random() < 0.9 else ShareClass
            share_class = dice.choice([c for c in classes if c != "plate_read"] or list(classes))
            place_ = drawn_place(dice, terms_) if dice.random() < 0.9 else None
            incident = dice.choice([None, terms_.incident, IncidentId(UUID(int=6))])
            span = terms_.expires - terms_.starts
            at = terms_.starts + span * dice.uniform(-0.05, 1.05)
            minute = drawn_minute(dice, terms_)
            args = (terms_.agreement_id, share_class, at, minute, place_, incident)
            yes = isinstance(policies.decide_flow(*args), Permit)
            q = flow_question(terms_, share_class, args)
            ours = one if terms_.grantor == CITY.agency_id else None
            expected = not any(
                broken(ours, law, partners, msgspec.structs.replace(q, purpose=p), flows=True)
                for p in terms_.purposes
            )
            assert yes == expected, (one, args)
            asked += 1
            flowed += yes
    assert 0.1 * asked < flowed < 0.9 * asked


def drawn_place(dice: random.Random, terms_: Agreement) -> Point:
    """Often in the middle of a zone, which dented ones need not hold."""
    if not terms_.zones or dice.random() < 0.4:
        return Point(dice.uniform(34.9, 36.1), dice.uniform(-107.1, -105.9))
    ring = dice.choice(terms_.zones).ring
    near = [dice.uniform(0.1, 1.0) for _ in ring]
    lat = sum(p.lat * w for p, w in zip(ring, near, strict=True)) / sum(near)
    lon = sum(p.lon * w for p, w in zip(ring, near, strict=True)) / sum(near)
    return Point(lat, lon)


def flow_question(terms_: Agreement, share_class: ShareClass, args: tuple[Any, ...]) -> Request:
    _, _, at, minute, place, incident = args
    facts: dict[str, Any] = {"minute_of_week": minute}
    if place is not None:
        facts["zones"] = tuple(z.name for z in terms_.zones if _lies_in(z, place))
    if incident is not None:
        facts["incident_id"] = str(incident)
    return question(
        act=Act.LIVE, thing=OF_CLASS[share_class], agency=terms_.grantee, owner=terms_.grantor,
        agreement=terms_.agreement_id, now=at, signed_in_s=0, facts=facts,
    )  # fmt: skip


def _lies_in(zone: Zone, place: Point) -> bool:
    """By the library of shapes. It wants a ring that does not cross itself, so the ring is cut
    into the triangles of a fan, which hold a place an odd number of times where the ring does."""
    corners = [(p.lon, p.lat) for p in zone.ring]
    fans = [Polygon([corners[0], corners[n], corners[n + 1]]) for n in range(1, len(corners) - 1)]
    return sum(fan.contains(Spot(place.lon, place.lat)) for fan in fans) % 2 == 1


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_fact_of_a_wrong_type_is_refused_whatever_it_is(
    name: str, bases: Mapping[str, Policies]
) -> None:
    policies = bases["us-nm"].with_agreements([signed(terms())], {COUNTY: partner(COUNTY)})
    right: dict[str, Any] = {"record_age_days": 0}
    assert isinstance(policies.decide(question(facts=right)), Permit)
    for value in (3.5, None, {"a": 1}, [1, "x"], 2**80):
        answer = policies.decide(question(facts=right | {name: value}))
        assert not isinstance(answer, Permit), (name, value)
