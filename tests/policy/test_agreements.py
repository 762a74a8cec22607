"""What an agreement opens, to whom, and by which word it is refused."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from farolito.model import (
    Act,
    AgencyId,
    AgreementId,
    AgreementState,
    Answering,
    Hours,
    IncidentId,
    PartnerState,
    Point,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    Thing,
    Zone,
)
from farolito.model.agreement import Declaration
from farolito.policy import (
    Permit,
    Policies,
    Refusal,
    Request,
    facts_of_question,
    minute_of_week,
    zones_at,
)

from .agreed import (
    COUNTY,
    FEDERAL,
    PARTNERS,
    PLATES,
    PUEBLO,
    STRANGER,
    TEXAS,
    agreed,
    partner,
    question,
    signed,
    terms,
)
from .conftest import CITY, NOON

DECLARED = Declaration("2026-7", "Chief Ortiz", NOON + timedelta(days=30))
VALLEY = Zone("Valley", (Point(35.0, -107.0), Point(35.0, -106.0), Point(36.0, -106.0)))
INSIDE, OUTSIDE = Point(35.2, -106.1), Point(35.8, -106.9)
MONDAY_10 = 10 * 60


def reasons(answer: Permit | Refusal) -> list[str]:
    return [] if isinstance(answer, Permit) else [answer.reason, *answer.also]


def flow(policies: Policies, **changed: Any) -> Permit | Refusal:
    told: dict[str, Any] = {
        "agreement_id": PLATES, "share_class": ShareClass.ALERT, "at": NOON,
        "minute_of_week": MONDAY_10, "place": INSIDE, "incident": None,
    } | changed  # fmt: skip
    return policies.decide_flow(*told.values())


def test_a_partner_without_an_agreement_sees_no_plates() -> None:
    policies = agreed()
    assert reasons(policies.decide(question(agreement=None)))[0] == "foreign_agency"
    assert reasons(policies.decide(question())) == ["no_agreement"]


def test_a_permit_names_the_agreement_and_the_hash_of_the_whole_set() -> None:
    policies = agreed(terms())
    permit = policies.decide(question())
    assert isinstance(permit, Permit)
    assert permit.rules == (f"agreement:{PLATES}",)
    assert permit.policy == policies.hash != agreed().hash


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"thing": Thing.SHOT}, "class_not_shared"),
        ({"thing": Thing.PICTURE}, "class_not_shared"),
        ({"thing": Thing.LEDGER}, "class_not_shared"),
        ({"act": Act.EXPORT}, "sharing_not_agreed"),
        ({"act": Act.ACT, "thing": Thing.ALERT}, "sharing_not_agreed"),
        ({"act": Act.WATCH, "thing": Thing.CAMERA}, "class_not_shared"),
        ({"act": Act.LIVE, "thing": Thing.ALERT}, "sharing_not_agreed"),
        ({"role": Role.OPERATOR}, "role_not_agreed"),
        ({"purpose": Purpose.OFFICER_SAFETY}, "purpose_not_agreed"),
        ({"purpose": None}, "no_purpose"),
        ({"case": None}, "case"),
        ({"case": "  "}, "case"),
        ({"signed_in_s": 43_201}, "sign_in_too_old"),
        ({"on_behalf_of": "Agent Smith"}, "on_behalf_of"),
        ({"facts": {"record_age_days": 31}}, "too_old_records"),
        ({"facts": {}}, "too_old_records"),
        ({"now": NOON + timedelta(days=90)}, "agreement_expired"),
        ({"now": NOON - timedelta(days=1, seconds=1)}, "agreement_not_begun"),
        ({"agency": PUEBLO}, "no_agreement"),
        ({"agreement": AgreementId(UUID(int=2))}, "no_agreement"),
    ],
)
def test_each_term_refuses_by_its_own_name(changed: dict[str, Any], reason: str) -> None:
    answer = agreed(terms()).decide(question(**changed))
    assert reasons(answer)[0] == reason
    assert isinstance(answer, Refusal)
    assert answer.says
    assert "{" not in answer.says + answer.do


def test_a_refusal_hides_no_second_hurdle() -> None:
    hours = (Hours(days=(0,), since=time(9), until=time(17)),)
    policies = agreed(terms(hours=hours, zones=(VALLEY,)))
    answer = policies.decide(question(role=Role.OFFICER, case=None, facts={}))
    assert reasons(answer) == [
        "role_not_agreed", "case", "outside_zone", "outside_hours", "too_old_records"
    ]  # fmt: skip


def test_no_role_of_the_house_opens_anything_to_another_agency_s_person() -> None:
    policies = agreed(terms())
    for role in Role:
        for act in Act:
            asked = [
                question(role=role, act=act, thing=t, purpose=p) for t in Thing for p in Purpose
            ]
            opened = [q for q, yes in zip(asked, policies.permits(asked), strict=True) if yes]
            assert {q.thing for q in opened} <= {Thing.PLATE_READ, Thing.ALERT}
            assert not opened or (role, act) == (Role.DETECTIVE, Act.READ)


@pytest.mark.parametrize(
    "role", [Role.AUDITOR, Role.SYSADMIN, Role.SYSTEM, Role.AGENCY_ADMIN, Role.OVERSIGHT]
)
def test_no_agreement_gives_data_to_who_reads_logs_or_keeps_machines(role: Role) -> None:
    policies = agreed(terms(roles=tuple(Role)))
    assert reasons(policies.decide(question(role=role))) == ["logs_not_data"]
    assert isinstance(policies.decide(question(role=Role.OFFICER)), Permit)


@pytest.mark.parametrize(
    "purpose",
    [
        Purpose.IMMIGRATION_ENFORCEMENT,
        Purpose.PROTECTED_HEALTH_CARE,
        Purpose.PROTECTED_ACTIVITY,
        Purpose.PERSONAL,
    ],
)
def test_an_agreement_cannot_open_a_prohibited_purpose(purpose: Purpose) -> None:
    policies = agreed(terms(purposes=(Purpose.MISSING_PERSON, purpose)))
    assert reasons(policies.decide(question(purpose=purpose))) == ["prohibited_purpose"]
    assert isinstance(policies.decide(question()), Permit)
    # Nobody says for what a thing is used that flows: so nothing does.
    assert reasons(flow(policies)) == ["prohibited_purpose"]


@pytest.mark.parametrize("grantee", [TEXAS, FEDERAL])
def test_another_state_and_a_federal_agency_want_a_declaration(grantee: AgencyId) -> None:
    asked = question(agency=grantee)
    without = agreed(terms(grantee=grantee))
    assert reasons(without.decide(asked)) == ["no_declaration"]
    assert not any(rule.startswith("agreement:") for rule in without.agreement_rules()[PLATES])
    assert isinstance(agreed(terms(grantee=grantee, declaration=DECLARED)).decide(asked), Permit)
    ended = Declaration("2026-6", "Chief Ortiz", NOON)
    answer = agreed(terms(grantee=grantee, declaration=ended)).decide(asked)
    assert reasons(answer) == ["no_declaration"]


def test_a_state_that_lets_nothing_out_lets_nothing_out() -> None:
    texan = terms(grantee=TEXAS, declaration=DECLARED)
    assert reasons(agreed(texan, law="us-ca").decide(question(agency=TEXAS))) == ["out_of_state"]


def test_who_asks_on_behalf_of_another_agency_is_held_to_what_it_is_held_to() -> None:
    def asked(agency: str | None) -> Request:
        facts = {"record_age_days": 0} | ({"on_behalf_agency": agency} if agency else {})
        return question(on_behalf_of="Sgt. Lee", facts=facts)

    policies = agreed(terms(on_behalf_of=(PUEBLO, FEDERAL, STRANGER)))
    assert isinstance(policies.decide(asked(PUEBLO)), Permit)
    assert isinstance(policies.decide(asked(COUNTY)), Permit)
    for other in (None, TEXAS, FEDERAL, STRANGER, CITY.agency_id):
        assert reasons(policies.decide(asked(other))) == ["on_behalf_of"]
    declared = agreed(terms(on_behalf_of=(FEDERAL,), declaration=DECLARED))
    assert isinstance(declared.decide(asked(FEDERAL)), Permit)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (AgreementState.DRAFT, "no_agreement"),
        (AgreementState.PROPOSED, "no_agreement"),
        (AgreementState.REVOKED, "agreement_revoked"),
        (AgreementState.REPLACED, "agreement_replaced"),
        (AgreementState.EXPIRED, "agreement_expired"),
    ],
)
def test_only_an_agreement_in_force_opens_anything(state: AgreementState, reason: str) -> None:
    policies = agreed(signed(terms(), state))
    assert reasons(policies.decide(question())) == [reason]
    assert reasons(flow(policies)) == [reason]
    assert policies.for_partner(COUNTY, ShareClass.ALERT, Sharing.FOLLOW) == []
    kept = policies.terms(PLATES)
    assert kept is not None
    assert kept.state is state


@pytest.mark.parametrize("state", [PartnerState.JOINED, PartnerState.LEFT, None])
def test_whom_nobody_confirmed_gets_nothing(state: PartnerState | None) -> None:
    known = {} if state is None else {COUNTY: partner(COUNTY, state=state)}
    policies = agreed().with_agreements([signed(terms())], known)
    assert reasons(policies.decide(question())) == ["not_a_partner"]


def test_an_agreement_that_we_received_opens_nothing_here() -> None:
    received = terms(grantor=COUNTY, grantee=CITY.agency_id)
    policies = agreed(received)
    assert reasons(policies.decide(question())) == ["no_agreement"]
    assert reasons(flow(policies)) == ["no_agreement"]
    assert policies.terms(PLATES) == signed(received)
    assert not policies.for_partner(CITY.agency_id, ShareClass.ALERT, Sharing.FOLLOW)


def test_revoking_one_leaves_the_others_and_their_hash_changes_back() -> None:
    other = AgreementId(UUID(int=2))
    both = agreed(terms(), terms(agreement_id=other))
    one = both.with_agreements([signed(terms())], PARTNERS)
    assert isinstance(both.decide(question(agreement=other)), Permit)
    assert reasons(one.decide(question(agreement=other))) == ["no_agreement"]
    assert isinstance(one.decide(question()), Permit)
    assert one.hash == agreed(terms()).hash != both.hash
    assert both.for_partner(COUNTY, ShareClass.ALERT, Sharing.FOLLOW) == [PLATES, other]


def test_a_changed_partner_is_looked_at_again() -> None:
    policies = agreed(terms())
    moved = {COUNTY: partner(COUNTY, law="us-tx")}
    assert reasons(policies.with_agreements([signed(terms())], moved).decide(question())) == [
        "no_declaration"
    ]


def test_our_own_people_are_decided_as_before() -> None:
    own = question(agency=CITY.agency_id, agreement=None, facts={})
    for policies in (agreed(), agreed(terms())):
        permit = policies.decide(own)
        assert isinstance(permit, Permit)
        assert permit.rules == ("detective_reads_for_a_case",)


def test_answers_come_in_the_order_of_the_questions_ours_and_theirs_mixed() -> None:
    policies = agreed(terms())
    own = question(agency=CITY.agency_id, agreement=None, facts={})
    asked = [question(case=None), own, question(), question(agreement=None), own]
    words = [reasons(answer)[:1] for answer in policies.decide_all(asked)]
    assert words == [["case"], [], [], ["foreign_agency"], []]
    assert policies.permits(asked) == [False, True, True, False, True]


def test_a_thing_flows_where_and_when_the_terms_say() -> None:
    hours = (Hours(days=(0,), since=time(9), until=time(17)),)
    policies = agreed(terms(hours=hours, zones=(VALLEY,)))
    assert isinstance(flow(policies), Permit)
    assert reasons(flow(policies, place=OUTSIDE)) == ["outside_zone"]
    assert reasons(flow(policies, place=None)) == ["outside_zone"]
    assert reasons(flow(policies, minute_of_week=17 * 60)) == ["outside_hours"]
    assert reasons(flow(policies, share_class=ShareClass.SHOT)) == ["class_not_shared"]
    assert reasons(flow(policies, at=NOON + timedelta(days=90))) == ["agreement_expired"]
    assert reasons(flow(policies, agreement_id=AgreementId(UUID(int=9)))) == ["no_agreement"]


def test_plate_reads_never_flow() -> None:
    answer = flow(agreed(terms()), share_class=ShareClass.PLATE_READ)
    assert reasons(answer)[0] == "never_streamed"


def test_what_may_only_be_asked_does_not_flow_and_the_other_way_round() -> None:
    asking = agreed(terms(sharing=(Sharing.ASK,)))
    assert reasons(flow(asking)) == ["sharing_not_agreed"]
    following = agreed(terms(sharing=(Sharing.FOLLOW,)))
    assert reasons(following.decide(question())) == ["sharing_not_agreed"]
    assert isinstance(flow(following), Permit)


def test_mutual_aid_opens_one_incident() -> None:
    incident, other = IncidentId(UUID(int=5)), IncidentId(UUID(int=6))
    aid = terms(
        incident=incident,
        classes={ShareClass.INCIDENT: Answering.FULL},
        starts=NOON,
        expires=NOON + timedelta(hours=4),
    )
    policies = agreed(aid)
    assert isinstance(flow(policies, share_class=ShareClass.INCIDENT, incident=incident), Permit)
    for wrong in (other, None):
        answer = flow(policies, share_class=ShareClass.INCIDENT, incident=wrong)
        assert reasons(answer) == ["other_incident"]


def test_a_search_held_within_the_zones_lies_in_them() -> None:
    narrow = terms(zones=(VALLEY,), hours=(Hours(days=(6,), since=time(22), until=time(3)),))
    policies = agreed(narrow)
    mountain = ZoneInfo("America/Denver")
    # Monday 02:30 in the mountains: Sunday's window, which crosses the end of the week.
    at = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    facts = facts_of_question(narrow, at, mountain, 3)
    assert isinstance(policies.decide(question(now=at, facts=facts)), Permit)
    later = facts_of_question(narrow, at + timedelta(minutes=30), mountain, 3)
    assert reasons(policies.decide(question(now=at, facts=later))) == ["outside_hours"]
    elsewhere = {**facts, "zones": ("Valley", "Heights")}
    assert reasons(policies.decide(question(now=at, facts=elsewhere))) == ["outside_zone"]
    assert reasons(policies.decide(question(now=at, facts={**facts, "zones": ()}))) == [
        "outside_zone"
    ]


def test_a_place_is_in_the_zones_that_hold_it() -> None:
    assert zones_at((VALLEY,), INSIDE) == ("Valley",)
    assert zones_at((VALLEY,), OUTSIDE) == zones_at((VALLEY,), None) == ()
    assert minute_of_week(datetime(2026, 11, 1, 23, 59, tzinfo=UTC)) == 7 * 24 * 60 - 1


@pytest.mark.parametrize(
    "facts",
    [
        {"record_age_days": "0"},
        {"record_age_days": 2**70},
        {"record_age_days": 0, "zones": "Valley"},
        {"record_age_days": 0, "minute": 5},
        {"record_age_days": 0, "reason_code": "because"},
    ],
)
def test_what_cannot_be_evaluated_is_refused(facts: dict[str, Any]) -> None:
    answer = agreed(terms()).decide(question(facts=facts))
    assert isinstance(answer, Refusal)
    assert answer.errors


def test_an_agreement_that_cannot_be_compiled_opens_nothing_and_stops_no_other() -> None:
    huge = terms(agreement_id=AgreementId(UUID(int=2)), record_days=2**70)
    policies = agreed(huge, terms())
    assert isinstance(policies.decide(question()), Permit)
    answer = policies.decide(question(agreement=huge.agreement_id))
    assert reasons(answer) == ["not_understood"]


def test_a_name_is_never_text_of_a_rule() -> None:
    wild = AgencyId('x" || true || "')
    policies = agreed(
        terms(zones=(Zone('V" }; permit(principal, action, resource);', VALLEY.ring),))
    )
    assert reasons(policies.decide(question(agency=wild))) == ["no_agreement"]
    assert reasons(policies.decide(question())) == ["outside_zone"]
