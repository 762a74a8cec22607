"""An agreement's terms as Cedar rules, written as JSON.

Each term becomes one expression. The permit holds where all of them do; what stood in the way is
found by forbids made of the very same expressions, one each, whose ids are the reasons. So what
is decided and what is explained cannot come apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from farolito.model import (
    AgencyId,
    Agreement,
    AgreementState,
    Partner,
    PartnerState,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)
from farolito.policy.agreements.expressions import (
    CONTEXT,
    PRINCIPAL,
    RESOURCE,
    Expression,
    any_of,
    at_least,
    at_most,
    both,
    contains,
    contains_all,
    either,
    entity,
    equal,
    has,
    is_action,
    is_empty,
    less,
    long,
    negated,
    of,
    set_of,
)
from farolito.policy.agreements.facts import spans
from farolito.policy.state_pack import StatePack

THINGS: Mapping[ShareClass, Thing] = {
    ShareClass.PLATE_READ: Thing.PLATE_READ,
    ShareClass.ALERT: Thing.ALERT,
    ShareClass.SHOT: Thing.SHOT,
    ShareClass.INCIDENT: Thing.INCIDENT,
    ShareClass.UNIT: Thing.UNIT,
    ShareClass.HOT_LIST: Thing.HOT_LIST,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OVER = {
    AgreementState.DRAFT: "no_agreement",
    AgreementState.PROPOSED: "no_agreement",
    AgreementState.REVOKED: "agreement_revoked",
    AgreementState.REPLACED: "agreement_replaced",
    AgreementState.EXPIRED: "agreement_expired",
}


class Hurdle(msgspec.Struct, frozen=True):
    """`holds`: an expression of Cedar; None: it never does, whatever is asked."""

    reason: str
    holds: Expression | None


def us(at: datetime) -> int:
    """µs since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def hurdles_of(
    signed: SignedAgreement, home: StatePack, partners: Mapping[AgencyId, Partner]
) -> tuple[Hurdle, ...]:
    """All that must hold for the agreement to open anything, each with its reason. `home`: the
    grantor's law."""
    never = [Hurdle(reason, None) for reason in _never(signed, home, partners)]
    shut = {hurdle.reason for hurdle in never}
    terms = [
        Hurdle(reason, holds)
        for reason, holds in _terms(signed.agreement, home, partners)
        if reason not in shut
    ]
    return (*never, *terms)


def permit_of(terms: Agreement, hurdles: Iterable[Hurdle]) -> dict[str, Any] | None:
    """The one rule that opens something; None where nothing is opened."""
    conditions = []
    for hurdle in hurdles:
        if hurdle.holds is None:
            return None
        conditions.append({"kind": "when", "body": hurdle.holds})
    acts = [{"type": "Action", "id": act} for act in _acts(terms)]
    return {
        "effect": "permit",
        "principal": {"op": "==", "entity": {"type": "Partner", "id": terms.grantee}},
        "action": {"op": "in", "entities": acts},
        "resource": {"op": "All"},
        "conditions": conditions,
        "annotations": {"id": f"agreement:{terms.agreement_id}"},
    }


def refusals_of(hurdles: Iterable[Hurdle]) -> dict[str, Any]:
    """For each hurdle a rule that forbids unless it is taken; by reason."""
    everything = {name: {"op": "All"} for name in ("principal", "action", "resource")}
    return {
        hurdle.reason: {
            "effect": "forbid",
            **everything,
            "conditions": (
                [{"kind": "unless", "body": hurdle.holds}] if hurdle.holds is not None else []
            ),
        }
        for hurdle in hurdles
    }


def _never(
    signed: SignedAgreement, home: StatePack, partners: Mapping[AgencyId, Partner]
) -> Iterable[str]:
    terms = signed.agreement
    if signed.state in _OVER:
        yield _OVER[signed.state]
    grantee = partners.get(terms.grantee)
    if grantee is None or grantee.state is not PartnerState.CONFIRMED:
        yield "not_a_partner"
    elif is_elsewhere(grantee, home):
        if home.out_of_state == "never":
            yield "out_of_state"
        elif terms.declaration is None:
            yield "no_declaration"


def is_elsewhere(partner: Partner | None, home: StatePack) -> bool:
    """Under another state's law, or a federal agency. Whom we do not know is elsewhere."""
    if partner is None or partner.card.government == "federal":
        return True
    return partner.card.law != home.law


def _terms(
    terms: Agreement, home: StatePack, partners: Mapping[AgencyId, Partner]
) -> Iterable[tuple[str, Expression]]:
    now, facts = of(CONTEXT, "now"), of(CONTEXT, "facts")
    yield (
        "no_agreement",
        both(
            equal(PRINCIPAL, entity("Partner", terms.grantee)),
            both(
                equal(of(CONTEXT, "owner"), entity("Agency", terms.grantor)),
                equal(of(CONTEXT, "person", "agency"), entity("Agency", terms.grantee)),
            ),
        ),
    )
    yield "agreement_not_begun", at_least(us(terms.starts), now)
    yield "agreement_expired", less(now, long(us(terms.expires)))
    things = set_of(entity("Thing", THINGS[c]) for c in ShareClass if c in terms.classes)
    yield "class_not_shared", contains(things, RESOURCE)
    yield "sharing_not_agreed", _sharing(terms)
    roles = set_of(entity("Role", role) for role in terms.roles)
    named = both(has(_person(), "role"), contains(roles, of(_person(), "role")))
    yield "role_not_agreed", either(is_action("live"), named)
    purposes = set_of(entity("Purpose", purpose) for purpose in terms.purposes)
    yield "purpose_not_agreed", contains(purposes, of(CONTEXT, "purpose"))
    if terms.declaration is not None:
        yield "no_declaration", less(now, long(us(terms.declaration.expires)))
    yield "on_behalf_of", _on_behalf_of(terms, home, partners)
    if terms.incident is not None:
        known = equal(of(facts, "incident_id"), {"Value": str(terms.incident)})
        yield "other_incident", both(has(facts, "incident_id"), known)
    if terms.zones:
        names = set_of({"Value": zone.name} for zone in terms.zones)
        told = of(facts, "zones")
        within = both(negated(is_empty(told)), contains_all(names, told))
        yield "outside_zone", both(has(facts, "zones"), within)
    if terms.hours:
        minute = of(facts, "minute_of_week")
        windows = [both(at_least(a, minute), less(minute, long(b))) for a, b in spans(terms.hours)]
        yield "outside_hours", both(has(facts, "minute_of_week"), any_of(windows))
    yield "too_old_records", _young_enough(terms)


def _acts(terms: Agreement) -> list[str]:
    acts = {Sharing.ASK: "read", Sharing.FOLLOW: "live"}
    return [acts[one] for one in Sharing if one in terms.sharing]


def _sharing(terms: Agreement) -> Expression:
    """A question is read and asked by a person; what flows is live, and nobody asks."""
    is_asked = has(_person(), "role")
    ways = {
        Sharing.ASK: both(is_action("read"), is_asked),
        Sharing.FOLLOW: both(is_action("live"), negated(is_asked)),
    }
    return any_of([ways[one] for one in Sharing if one in terms.sharing])


def _on_behalf_of(
    terms: Agreement, home: StatePack, partners: Mapping[AgencyId, Partner]
) -> Expression:
    """The other one's agency is held to what the grantee is held to (R25)."""
    is_declared = terms.declaration is not None and home.out_of_state == "declaration"
    others = [
        one
        for one in terms.on_behalf_of
        if is_declared or not is_elsewhere(partners.get(one), home)
    ]
    agencies = set_of(entity("Agency", one) for one in (terms.grantee, *others))
    facts = of(CONTEXT, "facts")
    named = of(facts, "on_behalf_agency")
    is_alone = both(
        negated(has(CONTEXT, "on_behalf_of")),
        negated(has(facts, "on_behalf_agency")),
    )
    return either(is_alone, both(has(facts, "on_behalf_agency"), contains(agencies, named)))


def _young_enough(terms: Agreement) -> Expression:
    """Of what is read; what flows is of now."""
    facts = of(CONTEXT, "facts")
    age = of(facts, "record_age_days")
    within = both(at_least(0, age), at_most(age, terms.record_days))
    return either(is_action("live"), both(has(facts, "record_age_days"), within))


def _person() -> Expression:
    return of(CONTEXT, "person")
