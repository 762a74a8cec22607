"""The agreements of a node as rules: one small book each, since every question names its own.

So a decision costs the same however many agreements there are, one that ends is taken off the
shelf without the others being touched, and no agreement can lend another one its permit.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cedarpy import (
    Entities,
    PolicySet,
    is_authorized_batch,
    policies_from_json_str,
)

from farolito.model import (
    AgencyId,
    AgreementId,
    AgreementState,
    Invalid,
    Partner,
    ShareClass,
    Sharing,
    SignedAgreement,
)
from farolito.policy.agreements.compiled import Hurdle, hurdles_of, permit_of, refusals_of
from farolito.policy.rule_book import (
    Answer,
    agency_entity,
    answered,
    check,
    parsed_once,
    read_partner_rules,
)
from farolito.policy.state_pack import StatePack

Question = Mapping[str, Any]


class Standing:
    """What holds for every partner: the refusals, the law of each agency of this node."""

    def __init__(self, laws: Mapping[AgencyId, StatePack]) -> None:
        self.schema_text, texts = read_partner_rules()
        parsed = parsed_once(self.schema_text, tuple(texts))
        self.rules: Mapping[str, Any] = parsed.rules
        permits = [rule for rule, body in self.rules.items() if body["effect"] != "forbid"]
        if permits:
            raise Invalid(f"rules for partners permit by {', '.join(permits)}", "forbid only")
        self.laws = laws
        agencies = json.dumps([agency_entity(a, p) for a, p in sorted(laws.items())])
        self.schema = parsed.schema
        self.entities = Entities.from_json_str(agencies, self.schema)
        self._alone = parsed.policies
        told = "\0".join((self.schema_text, as_json(self.rules), agencies))
        self.hash = hashlib.sha256(told.encode()).hexdigest()

    def ask(self, questions: Sequence[Question], rules: PolicySet | None = None) -> list[Answer]:
        """Where no agreement is named: refusals alone."""
        results = is_authorized_batch(
            [dict(q) for q in questions], rules or self._alone, self.entities, self.schema
        )
        return [answered(result) for result in results]


class AgreementRules:
    """One agreement's permit beside the standing refusals. Immutable."""

    def __init__(
        self, signed: SignedAgreement, hurdles: tuple[Hurdle, ...], standing: Standing
    ) -> None:
        self.signed = signed
        self.hurdles = hurdles
        self._standing = standing
        self._reasons: PolicySet | None = None
        permit = permit_of(signed.agreement, hurdles)
        own = {} if permit is None else {f"agreement:{signed.agreement.agreement_id}": permit}
        self.rules: Mapping[str, Any] = {**standing.rules, **own}
        body = as_json(self.rules)
        if permit is not None:
            check(standing.schema_text, [policies_from_json_str(as_json(own))])
        self._rules = PolicySet.from_json_str(body)
        self.hash = hashlib.sha256(body.encode()).hexdigest()

    @property
    def is_shut(self) -> bool:
        """Whether it opens nothing, whatever is asked."""
        return any(hurdle.holds is None for hurdle in self.hurdles)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        return self._standing.ask(questions, self._rules)

    def why(self, question: Question) -> Answer:
        """All that stands in the way, by the same expressions as the permit's."""
        if self._reasons is None:
            refusals = refusals_of(self.hurdles)
            self._reasons = PolicySet.from_json_str(as_json({**self._standing.rules, **refusals}))
        return self._standing.ask([question], self._reasons)[0]


class Shelf:
    """All agreements this node knows, those it received too: `terms` alone is told of them."""

    def __init__(
        self,
        standing: Standing,
        known: Mapping[AgreementId, SignedAgreement],
        rules: Mapping[AgreementId, AgreementRules],
    ) -> None:
        self.standing = standing
        self.known = known
        self._rules = rules
        self._given: Mapping[tuple[AgencyId, ShareClass, Sharing], list[AgreementId]] = _given(
            one.signed for one in rules.values()
        )
        told = "\0".join(sorted(f"{a}={one.hash}" for a, one in rules.items()))
        self.hash = hashlib.sha256(f"{standing.hash}\0{told}".encode()).hexdigest()

    @classmethod
    def of_nobody(cls, laws: Mapping[AgencyId, StatePack]) -> Shelf:
        return cls(Standing(laws), {}, {})

    def with_agreements(
        self, signed: Sequence[SignedAgreement], partners: Mapping[AgencyId, Partner]
    ) -> Shelf:
        """A shelf of these and no other; what has not changed is not compiled again."""
        laws = self.standing.laws
        known = {one.agreement.agreement_id: one for one in signed}
        rules = {
            agreement_id: self._made(one, laws[one.agreement.grantor], partners)
            for agreement_id, one in known.items()
            if one.agreement.grantor in laws
        }
        return Shelf(self.standing, known, rules)

    def rules_of(
        self, agreement_id: AgreementId | None, asker: AgencyId, owner: AgencyId
    ) -> AgreementRules | None:
        """None also for an agreement between others: who guesses a number learns nothing."""
        found = self._rules.get(agreement_id) if agreement_id else None
        if found is None:
            return None
        terms = found.signed.agreement
        return found if (terms.grantor, terms.grantee) == (owner, asker) else None

    def given(self) -> list[AgreementRules]:
        """Those by which this node gives."""
        return list(self._rules.values())

    def for_partner(
        self, agency: AgencyId, share_class: ShareClass, sharing: Sharing
    ) -> list[AgreementId]:
        return list(self._given.get((agency, share_class, sharing), ()))

    def _made(
        self, signed: SignedAgreement, home: StatePack, partners: Mapping[AgencyId, Partner]
    ) -> AgreementRules:
        """One that cannot be compiled opens nothing, and keeps no other from being ended."""
        hurdles = hurdles_of(signed, home, partners)
        before = self._rules.get(signed.agreement.agreement_id)
        if before is not None and (before.signed, before.hurdles) == (signed, hurdles):
            return before
        try:
            return AgreementRules(signed, hurdles, self.standing)
        except (Invalid, ValueError):
            return AgreementRules(signed, (Hurdle("not_understood", None),), self.standing)


def as_json(rules: Mapping[str, Any]) -> str:
    """A policy set of Cedar."""
    told = {"staticPolicies": rules, "templates": {}, "templateLinks": []}
    return json.dumps(told, sort_keys=True)


def _given(
    signed: Iterable[SignedAgreement],
) -> Mapping[tuple[AgencyId, ShareClass, Sharing], list[AgreementId]]:
    found: dict[tuple[AgencyId, ShareClass, Sharing], list[AgreementId]] = defaultdict(list)
    for one in signed:
        terms = one.agreement
        if one.state is AgreementState.IN_FORCE:
            for share_class in terms.classes:
                for sharing in terms.sharing:
                    found[terms.grantee, share_class, sharing].append(terms.agreement_id)
    return found
