"""Questions of other agencies, as Cedar is asked them, and what is said to a no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from farolito.model import (
    Act,
    Agreement,
    IncidentId,
    Invalid,
    Point,
    Purpose,
    ShareClass,
    Thing,
)
from farolito.policy.agreements.compiled import THINGS, us
from farolito.policy.agreements.facts import zones_at
from farolito.policy.agreements.shelf import AgreementRules, Question, Shelf
from farolito.policy.explain import ACTS, REASONS, THINGS_TOLD, role_told
from farolito.policy.request import Permit, Refusal, Request
from farolito.policy.rule_book import CASE, FACTS, NO_PURPOSE, Answer, fact, ref


def decide_asked(shelf: Shelf, requests: Sequence[Request], policy: str) -> list[Permit | Refusal]:
    """What other agencies' people ask, each by the agreement that it names."""
    answers = answer_all(shelf, requests)
    return [
        Permit(answer.rules, policy) if answer.yes else _refusal(shelf, request, answer, policy)
        for request, answer in zip(requests, answers, strict=True)
    ]


def answer_all(shelf: Shelf, requests: Sequence[Request]) -> list[Answer]:
    """Yes or no, a batch for each agreement."""
    answers: dict[int, Answer] = {}
    by_rules: dict[AgreementRules | None, list[int]] = {}
    for number, request in enumerate(requests):
        by_rules.setdefault(_rules(shelf, request), []).append(number)
    for rules, numbers in by_rules.items():
        ask = rules.ask if rules is not None else shelf.standing.ask
        asked = ask([question(requests[n]) for n in numbers])
        answers.update(zip(numbers, asked, strict=True))
    return [answers[n] for n in range(len(requests))]


def decide_flow(  # noqa: PLR0913 - what the terms speak of
    rules: AgreementRules, share_class: ShareClass, at: datetime, minute_of_week: int,
    place: Point | None, incident: IncidentId | None, policy: str,
) -> Permit | Refusal:  # fmt: skip
    """Whether a thing of this class flows now. Nobody asks, so it must be right for each purpose
    that the agreement names."""
    if at.tzinfo is None:
        raise Invalid("a time without a zone", "send UTC or an offset")
    terms = rules.signed.agreement
    facts: dict[str, Any] = {"minute_of_week": minute_of_week}
    if place is not None:
        facts["zones"] = list(zones_at(terms.zones, place))
    if incident is not None:
        facts["incident_id"] = str(incident)
    questions = [
        _flow(terms, THINGS[share_class], purpose, at, facts) for purpose in terms.purposes
    ]
    for asked, answer in zip(questions, rules.ask(questions), strict=True):
        if not answer.yes:
            why = _why(rules, asked, answer)
            return _said(why, (), terms, Act.LIVE, THINGS[share_class], "a partner", policy)
    return Permit((f"agreement:{terms.agreement_id}",), policy)


def no_agreement(act: Act, thing: Thing, policy: str) -> Refusal:
    return _said(["no_agreement"], (), None, act, thing, "a partner", policy)


def question(r: Request) -> Question:
    person = {"agency": ref("Agency", r.person.agency), "role": ref("Role", r.person.role)}
    context: dict[str, Any] = {
        "person": person,
        "owner": ref("Agency", r.owner),
        "purpose": ref("Purpose", r.purpose or NO_PURPOSE),
        "signed_in_s": r.signed_in_s,
        "proved_s": r.proof_age_s,
        "now": us(r.now),
        "facts": {name: fact(name, value) for name, value in r.facts.items()},
    }
    if r.case and r.case.strip():
        context[CASE] = r.case
    if r.on_behalf_of and r.on_behalf_of.strip():
        context["on_behalf_of"] = r.on_behalf_of
    return _asked(r.person.agency, r.act, r.thing, context)


def _flow(
    terms: Agreement, thing: Thing, purpose: Purpose, at: datetime, facts: Mapping[str, Any]
) -> Question:
    context = {
        "person": {"agency": ref("Agency", terms.grantee)},
        "owner": ref("Agency", terms.grantor),
        "purpose": ref("Purpose", purpose),
        "signed_in_s": 0,
        "proved_s": 0,
        "now": us(at),
        "facts": facts,
    }
    return _asked(terms.grantee, Act.LIVE, thing, context)


def _asked(partner: str, act: Act, thing: Thing, context: Mapping[str, Any]) -> Question:
    return {
        "principal": {"type": "Partner", "id": partner},
        "action": {"type": "Action", "id": act.value},
        "resource": {"type": "Thing", "id": thing.value},
        "context": context,
    }


def _rules(shelf: Shelf, r: Request) -> AgreementRules | None:
    return shelf.rules_of(r.agreement, r.person.agency, r.owner)


def _refusal(shelf: Shelf, r: Request, answer: Answer, policy: str) -> Refusal:
    rules = _rules(shelf, r)
    unknown = tuple(f"no fact is called {name!r}" for name in r.facts if name not in FACTS)
    errors = (*answer.errors, *unknown)
    if rules is None:
        why = _in_order({*answer.rules, "no_agreement"})
        return _said(why, errors, None, r.act, r.thing, role_told(r), policy)
    why = _why(rules, question(r), answer)
    return _said(why, errors, rules.signed.agreement, r.act, r.thing, role_told(r), policy)


def _why(rules: AgreementRules, asked: Question, answer: Answer) -> list[str]:
    return _in_order({*answer.rules, *rules.why(asked).rules}) or ["not_understood"]


def _in_order(found: set[str]) -> list[str]:
    return [reason for reason in REASONS if reason in found]


def _said(  # noqa: PLR0913 - the words of a sentence
    why: Sequence[str], errors: tuple[str, ...], terms: Agreement | None, act: Act, thing: Thing,
    who: str, policy: str,
) -> Refusal:  # fmt: skip
    words = {
        "who": who,
        "act": ACTS[act],
        "thing": THINGS_TOLD[thing],
        "purposes": _listed(terms.purposes if terms else ()),
        "roles": _listed(terms.roles if terms else ()),
        "classes": _listed(tuple(terms.classes) if terms else ()),
        "days": str(terms.record_days if terms else 0),
        "errors": "; ".join(errors) or "no rule and no reason found",
    }
    says, do = REASONS[why[0]]
    return Refusal(
        reason=why[0],
        also=tuple(why[1:]),
        says=says.format(**words),
        do=do.format(**words),
        errors=errors,
        policy=policy,
    )


def _listed(words: Sequence[str]) -> str:
    return ", ".join(str(word).replace("_", " ") for word in words) or "none"
