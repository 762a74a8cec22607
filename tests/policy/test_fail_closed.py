"""Anything but a clean yes is a no."""

from __future__ import annotations

from datetime import datetime

import pytest
from cedarpy import Decision, Entities, PolicySet, Schema, is_authorized

from farolito.model import Act, AgencyId, Invalid, Purpose, Role, Thing
from farolito.policy import Permit, Policies, Refusal, load_pack
from farolito.policy.rule_book import RuleBook, read_rules

from .conftest import CITY, Ask, request

ALERT = (Role.OPERATOR, Act.READ, Thing.ALERT)
FAILING_FORBID = """
@id("prohibited_purpose") forbid (principal, action, resource)
when { context.signed_in_s * 9223372036854775807 > 0 };
@id("yes") permit (principal == Role::"operator", action, resource);
"""


def compiled(*rules: str, schema: str | None = None) -> Policies:
    pack = load_pack("us-nm")
    return Policies.compile(schema or read_rules()[0], rules, {CITY.agency_id: pack}, pack)


def test_a_forbid_that_fails_to_evaluate_refuses() -> None:
    # Cedar skips a rule that fails and answers Allow: shown here, so that the day it no longer
    # does is noticed.
    schema = (
        "entity U; entity R; action a appliesTo {principal: U, resource: R, context: {n: Long}};"
    )
    raw = is_authorized(
        {"principal": 'U::"u"', "action": 'Action::"a"', "resource": 'R::"r"', "context": {"n": 3}},
        PolicySet.from_str(
            "permit(principal, action, resource);"
            "forbid(principal, action, resource)"
            " when { context.n * 9223372036854775807 > 0 };"
        ),
        Entities.from_json_str("[]"),
        Schema.from_str(schema),
    )
    assert raw.decision is Decision.Allow

    answer = compiled(FAILING_FORBID).decide(request(*ALERT))
    assert isinstance(answer, Refusal)
    assert answer.errors
    assert isinstance(compiled(FAILING_FORBID).decide(request(*ALERT, signed_in_s=0)), Permit)


def test_an_agency_the_node_does_not_know_is_refused(ask: Ask) -> None:
    nobody = AgencyId("nobody")
    answer = ask(*ALERT, agency=nobody, owner=nobody)
    assert isinstance(answer, Refusal)
    assert any("'nobody' is not known" in e for e in answer.errors)


@pytest.mark.parametrize(
    "facts",
    [{"confirmd": True}, {"confirmed": "yes"}, {"confirmed": 1}, {"assigned_unit": 7}],
)
def test_a_fact_of_unknown_name_or_wrong_type_refuses(facts: dict[str, object], ask: Ask) -> None:
    answer = ask(*ALERT, facts=facts)
    assert isinstance(answer, Refusal)
    assert answer.errors


def test_errors_hold_no_values_of_the_question(ask: Ask) -> None:
    answer = ask(*ALERT, case="SECRET-1", on_behalf_of="SECRET-2", facts={"assigned_unit": 7})
    assert isinstance(answer, Refusal)
    assert "SECRET" not in "".join((*answer.errors, answer.says, answer.do))
    typed = ask(
        Role.AUDITOR,
        Act.READ,
        Thing.LEDGER_FIELD,
        Purpose.AUDIT,
        facts={"reason_code": "SECRET-3"},
    )
    assert isinstance(typed, Refusal)
    assert "SECRET" not in "".join((*typed.errors, typed.says, typed.do))


def test_a_time_without_a_zone_is_no_question() -> None:
    with pytest.raises(Invalid):
        request(*ALERT, now=datetime(2026, 11, 1))  # noqa: DTZ001 - the point of the test


def test_no_rules_permit_nothing() -> None:
    assert isinstance(compiled().decide(request(*ALERT)), Refusal)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (['@id("a") permit(principal, action, resource);'] * 2, "two rules"),
        (['@id("a") permit(principal, action, resource);' * 2], "two rules"),
        (["permit(principal, action, resource);"], "without @id"),
        (['@id("a") permit(principal == ?principal, action, resource);'], "template"),
        (['@id("a") permit(principal, action, resource'], "rules"),
        (['@id("a") permit(principal == Role::"king", action, resource);'], "king"),
        (['@id("a") permit(principal, action == Action::"score", resource);'], "score"),
        (
            ['@id("a") permit(principal, action, resource) when {context.case_number == "1"};'],
            "optional",
        ),
        (['@id("a") permit(principal, action, resource) when {context.face};'], "face"),
        (['@id("unheard_of") forbid(principal, action, resource);'], "no reason"),
    ],
)
def test_wrong_rules_stop_the_node_from_starting(rules: list[str], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        compiled(*rules)


def test_a_prohibited_purpose_stays_shut_under_a_rule_that_permits_everything() -> None:
    schema, rules = read_rules()
    open_door = '@id("open_door") permit(principal, action, resource);'
    policies = compiled(*rules, open_door, schema=schema)
    assert isinstance(policies.decide(request(Role.OPERATOR, Act.WATCH, Thing.ALERT)), Permit)
    for purpose in sorted(load_pack("us-nm").prohibited_purposes):
        answer = policies.decide(request(*ALERT, purpose))
        assert isinstance(answer, Refusal)
        assert answer.reason == "prohibited_purpose"


def test_a_changed_rule_changes_the_hash() -> None:
    schema, rules = read_rules()
    laws = {CITY.agency_id: load_pack("us-nm")}
    same = RuleBook(schema, rules, laws).hash
    assert RuleBook(schema, rules, laws).hash == same
    assert RuleBook(schema, rules[1:], laws).hash != same
    assert RuleBook(schema, rules, {CITY.agency_id: load_pack("us-va")}).hash != same


def test_ids_in_reasons_are_ours_and_not_positions_in_a_file(policies: Policies) -> None:
    assert not any(rule.startswith("policy") for rule in policies.rules)
