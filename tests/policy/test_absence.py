"""What is absent by construction (DESIGN 4.6): shown of the rules, the schema and the nouns."""

from __future__ import annotations

import inspect
import re

import msgspec

from farolito import model
from farolito.model import Act, Person, Purpose, Role, Thing
from farolito.policy import Policies
from farolito.policy.rule_book import FACTS, read_partner_rules, read_rules

from .agreed import COUNTY, PLATES, agreed, terms
from .conftest import request

FORBIDDEN_WORDS = re.compile(
    r"face|facial|biometric|gait|iris|risk_score|person_score|threat_level|score|predict"
    r"|suspicion_level|ethnicity|race\b|religion|super_?user|root\b|wildcard|password",
    re.IGNORECASE,
)


def code_of_the_rules() -> str:
    (schema, rules), (partners, standing) = read_rules(), read_partner_rules()
    return re.sub(r"//[^\n]*", "", "\n".join((schema, *rules, partners, *standing)))


def test_no_face_recognition_and_no_score_of_a_person_in_rules_or_schema() -> None:
    assert not FORBIDDEN_WORDS.findall(code_of_the_rules())
    assert not [w for w in (*Act, *Thing, *Purpose, *Role, *FACTS) if FORBIDDEN_WORDS.search(w)]


def test_no_noun_of_the_model_recognises_or_scores_a_person() -> None:
    nouns = [n for _, n in inspect.getmembers(model, inspect.isclass)]
    names = {n.__name__ for n in nouns}
    names |= {f for n in nouns if issubclass(n, msgspec.Struct) for f in n.__struct_fields__}
    assert "plate" in names
    assert not [n for n in names if FORBIDDEN_WORDS.search(n)]
    assert Person.__struct_fields__ == (
        "person_id", "agency", "name", "role", "unit", "owner"
    )  # fmt: skip


def test_every_right_is_given_to_one_role_named_in_the_rule(policies: Policies) -> None:
    for rule, body in policies.rules_as_json().items():
        if body["effect"] == "permit":
            assert body["principal"]["op"] == "==", f"{rule} gives a right to more than one role"
            assert body["action"]["op"] != "All", f"{rule} gives every act"
            whole = body["resource"]["op"] == "All"
            assert not whole or "Thing" in str(body["conditions"]), f"{rule} opens everything"


def test_a_rule_cannot_name_a_person() -> None:
    schema = read_rules()[0]
    assert "entity Person" not in schema
    assert "person_id" not in code_of_the_rules()


def test_what_holds_for_partners_permits_nothing() -> None:
    code = re.sub(r"//[^\n]*", "", "\n".join(read_partner_rules()[1]))
    assert "forbid" in code
    assert "permit" not in code


def test_an_agreement_opens_what_it_names_to_one_partner_and_never_to_a_person() -> None:
    shelf = agreed(terms()).agreement_rules()
    [body] = [b for rule, b in shelf[PLATES].items() if rule.startswith("agreement:")]
    assert body["principal"] == {"op": "==", "entity": {"type": "Partner", "id": COUNTY}}
    assert "person_id" not in str(body)
    # No question can even name another agency's person.
    assert "entity Person" not in read_partner_rules()[0]


def test_no_role_opens_everything(policies: Policies) -> None:
    told: dict[str, object] = {
        "records": False,
        "confirmed": True,
        "assigned_unit": "2A14",
        "reason_code": "complaint",
        "consent_open": True,
        "near_assigned": True,
        "camera_owner": "transit",
        "may_record": True,
    }
    for role in Role:
        questions = [
            request(role, act, thing, p, unit="2A14", camera_owner="transit", case="1", facts=told)
            for act in Act
            for thing in Thing
            for p in Purpose
        ]
        answers = policies.permits(questions)
        opened = {q.thing for q, yes in zip(questions, answers, strict=True) if yes}
        shut = set(Thing) - opened
        assert len(shut) >= 4, f"{role} is shut out of {shut} alone"
        data = {Thing.PLATE_READ, Thing.ALERT, Thing.PICTURE}
        reads = {
            q.thing
            for q, yes in zip(questions, answers, strict=True)
            if yes and q.act is not Act.ACT
        }
        assert not (reads & data and reads & {Thing.LEDGER, Thing.LEDGER_FIELD})
        assert not (reads & data and opened & {Thing.PERSON, Thing.DEVICE})
        watches = any(q.act is Act.WATCH for q, yes in zip(questions, answers, strict=True) if yes)
        assert not (watches and opened & {Thing.LEDGER, Thing.PERSON, Thing.CONSENT})


def test_the_closed_lists_of_the_schema_are_those_of_the_model() -> None:
    _closed_lists(read_rules()[0])
    _closed_lists(read_partner_rules()[0])


def _closed_lists(text: str) -> None:
    schema = re.sub(r"//[^\n]*", "", text)
    for name, enum in (("Role", Role), ("Thing", Thing), ("Purpose", Purpose)):
        listed = re.search(rf"entity {name} enum \[(.*?)\]", schema, re.DOTALL)
        assert listed
        words = set(re.findall(r'"(\w+)"', listed[1])) - {"none"}
        assert words == {m.value for m in enum}
    actions = re.search(r"action (.*?) appliesTo", schema, re.DOTALL)
    assert actions
    assert set(re.findall(r'"(\w+)"', actions[1])) == {a.value for a in Act}
