"""The rules as Cedar holds them: parsed once, each under its own id, checked by the schema.

Cedar answers Allow though a `forbid` failed to evaluate: it skips the rule and says so in a list
of errors. So only an Allow with an empty list counts here, and everything else is a no.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

import msgspec
from cedarpy import (
    AuthzResult,
    Decision,
    Entities,
    PolicySet,
    Schema,
    is_authorized_batch,
    policies_to_json_str,
    validate_policies,
)

from farolito.model import Act, AgencyId, Invalid, Purpose, Role, Thing
from farolito.policy.request import Request
from farolito.policy.state_pack import StatePack

NO_PURPOSE = "none"
CASE = "case_number"
_VALUES = re.compile(r"(?<=`)\{.*\}(?=`)|\"[^\"`]*\"", re.DOTALL)
# What a caller may tell about the thing asked for, and the type Cedar wants it in.
FACTS: Mapping[str, str | None] = {
    "confirmed": None,
    "assigned_unit": None,
    "records": None,
    "demo": None,
    "reason_code": "OpenReason",
    "on_behalf_agency": "Agency",
    "consent_open": None,
    "near_assigned": None,
    "camera_owner": None,
    "may_record": None,
    "zones": None,
    "minute_of_week": None,
    "record_age_days": None,
    "incident_id": None,
}


class Answer(msgspec.Struct, frozen=True):
    """`rules`: ids of the rules that decided, the refusing ones where it is a no."""

    yes: bool
    rules: tuple[str, ...]
    errors: tuple[str, ...]


class RuleBook:
    """One immutable set of rules, schema and agencies, with its hash."""

    def __init__(self, schema: str, rules: Iterable[str], laws: Mapping[AgencyId, StatePack]):
        parsed = parsed_once(schema, tuple(rules))
        self.rules: Mapping[str, Any] = parsed.rules
        agencies = json.dumps([agency_entity(a, p) for a, p in sorted(laws.items())])
        self.laws: Mapping[AgencyId, StatePack] = dict(laws)
        self.agencies = frozenset(laws)
        # What followed from the rules so far, for explanations; the rules never change.
        self.open_purposes: dict[tuple[AgencyId, Role, Act, Thing], tuple[Purpose, ...]] = {}
        self._asked_for: dict[Role, frozenset[str]] = {}
        self._schema, self._policies = parsed.schema, parsed.policies
        self._entities = Entities.from_json_str(agencies, self._schema)
        self.hash = hashlib.sha256("\0".join((schema, parsed.body, agencies)).encode()).hexdigest()

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """An answer for each. Unknown names and wrong types come back as a no with an error."""
        results = is_authorized_batch(
            [question(r) for r in requests], self._policies, self._entities, self._schema
        )
        return [answered(r) for r in results]

    def asks_for(self, role: Role) -> frozenset[str]:
        """The facts, "case_number" among them, that any rule about this role mentions: no other
        one can stand in its way."""
        known = self._asked_for.get(role)
        if known is None:
            texts = [json.dumps(body) for body in self.rules.values() if _is_about(body, role)]
            names = (*FACTS, CASE)
            known = frozenset(n for n in names if any(f'"{n}"' in text for text in texts))
            self._asked_for[role] = known
        return known

    @property
    def forbids(self) -> list[str]:
        return [rule for rule, body in self.rules.items() if body["effect"] == "forbid"]


def read_rules() -> tuple[str, list[str]]:
    """The schema and the rule files that come with the package, for our own people."""
    folder = files("farolito.policy").joinpath("rules")
    rules = sorted((f for f in folder.iterdir() if f.name.endswith(".cedar")), key=lambda f: f.name)
    return _schema(folder), [f.read_text("utf-8") for f in rules]


def read_partner_rules() -> tuple[str, list[str]]:
    """The same for partners: refusals alone. What is permitted to them, agreements say."""
    folder = files("farolito.policy").joinpath("rules")
    names = ("always.cedar", "partners/standing.cedar")
    schema = _schema(folder, "partners/schema.cedarschema")
    return schema, [folder.joinpath(name).read_text("utf-8") for name in names]


def _schema(folder: Traversable, asked: str = "schema.cedarschema") -> str:
    """The nouns, and how these are asked about."""
    return "\n".join(folder.joinpath(n).read_text("utf-8") for n in ("nouns.cedarschema", asked))


def strictest(packs: Sequence[StatePack]) -> StatePack:
    """One pack that forbids whatever any of `packs` forbids."""
    return msgspec.structs.replace(
        packs[0],
        out_of_state="never" if any(p.out_of_state == "never" for p in packs) else "declaration",
        prohibited_purposes=frozenset().union(*(p.prohibited_purposes for p in packs)),
        forbidden_list_categories=frozenset().union(*(p.forbidden_list_categories for p in packs)),
        case_required=frozenset().union(*(p.case_required for p in packs)),
    )


class Parsed(NamedTuple):
    """Texts as Cedar holds them. Shared: nobody changes one. `body`: all rules as JSON."""

    rules: Mapping[str, Any]
    body: str
    schema: Schema
    policies: PolicySet


@lru_cache(maxsize=16)
def parsed_once(schema: str, texts: tuple[str, ...]) -> Parsed:
    """Parsed and held against the schema: 15 ms, so once for the same texts. Raises Invalid."""
    static = keyed(texts)
    check(schema, texts)
    body = json.dumps(static, sort_keys=True)
    return Parsed(
        static["staticPolicies"], body, Schema.from_str(schema), PolicySet.from_json_str(body)
    )


def keyed(rules: Iterable[str]) -> dict[str, Any]:
    """All rules as one JSON policy set, keyed by their `@id`.

    Cedar names rules `policy0`, `policy1` by itself, and takes two rules of one id without a
    word; in a keyed document one of them would vanish, perhaps a forbid. So both are refused.
    """
    static: dict[str, Any] = {}
    for text in rules:
        try:
            parsed = json.loads(policies_to_json_str(text))
        except ValueError as error:
            raise Invalid(f"rules: {error}", "correct the .cedar file") from error
        if parsed.get("templates") or parsed.get("templateLinks"):
            raise Invalid("rules: a template", "write a static rule")
        for body in parsed["staticPolicies"].values():
            rule = (body.get("annotations") or {}).get("id")
            if not rule:
                raise Invalid("rules: a rule without @id", "give it one")
            if rule in static:
                raise Invalid(f"rules: two rules with @id {rule!r}", "rename one")
            static[rule] = body
    return {"staticPolicies": static, "templates": {}, "templateLinks": []}


def check(schema: str, texts: Sequence[str]) -> None:
    try:
        result = validate_policies("\n".join(texts), schema)
    except ValueError as error:
        raise Invalid(f"rules: {error}", "correct the schema or the rules") from error
    if not result.validation_passed:
        raise Invalid("rules: " + "; ".join(map(str, result.errors)), "correct the rules")


def _is_about(body: Mapping[str, Any], role: Role) -> bool:
    principal = body["principal"]
    return bool(principal["op"] != "==" or principal["entity"]["id"] == role.value)


def ref(kind: str, name: str) -> dict[str, dict[str, str]]:
    return {"__entity": {"type": kind, "id": name}}


def agency_entity(agency: AgencyId, pack: StatePack) -> dict[str, Any]:
    return {
        "uid": {"type": "Agency", "id": agency},
        "attrs": {
            "prohibited": [ref("Purpose", p) for p in sorted(pack.prohibited_purposes)],
            "case_required": [ref("Thing", t) for t in sorted(pack.case_required)],
        },
        "parents": [],
    }


def question(r: Request) -> dict[str, Any]:
    person: dict[str, Any] = {"agency": ref("Agency", r.person.agency)}
    if r.person.unit:
        person["unit"] = r.person.unit
    if r.person.owner:
        person["owner"] = r.person.owner
    context: dict[str, Any] = {
        "person": person,
        "owner": ref("Agency", r.owner),
        "purpose": ref("Purpose", r.purpose or NO_PURPOSE),
        "signed_in_s": r.signed_in_s,
        "proved_s": r.proof_age_s,
        "now": int(r.now.timestamp()),
        "facts": {name: fact(name, value) for name, value in r.facts.items()},
    }
    # Cedar has no null: what is not told is left out, and blanks tell nothing.
    if r.case and r.case.strip():
        context[CASE] = r.case
    if r.on_behalf_of and r.on_behalf_of.strip():
        context["on_behalf_of"] = r.on_behalf_of
    return {
        "principal": {"type": "Role", "id": r.person.role.value},
        "action": {"type": "Action", "id": r.act.value},
        "resource": {"type": "Thing", "id": r.thing.value},
        "context": context,
    }


def fact(name: str, value: object) -> object:
    kind = FACTS.get(name)
    if kind:
        return ref(kind, str(value))
    return list(value) if isinstance(value, tuple) else value


def _without_values(error: str) -> str:
    """Cedar's message without the values of the question, since errors are logged."""
    return _VALUES.sub("…", error)


def answered(result: AuthzResult) -> Answer:
    found = result.diagnostics
    errors = tuple(_without_values(e) for e in found.errors)
    yes = result.decision is Decision.Allow and not errors
    if result.decision is Decision.NoDecision and not errors:
        errors = ("no decision",)
    return Answer(yes, tuple(sorted(found.reasons)), errors)
