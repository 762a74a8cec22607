"""The decision: a Permit or a Refusal with its reason, from the rules and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from farolito.model import (
    Act,
    Agency,
    AgencyId,
    AgreementId,
    IncidentId,
    Invalid,
    Partner,
    Point,
    ShareClass,
    Sharing,
    SignedAgreement,
)
from farolito.policy.agreements import asking
from farolito.policy.agreements.compiled import THINGS
from farolito.policy.agreements.shelf import Shelf
from farolito.policy.explain import REASONS, sentence, why
from farolito.policy.request import Permit, Refusal, Request
from farolito.policy.rule_book import FACTS, Answer, RuleBook, read_rules, strictest
from farolito.policy.state_pack import StatePack, load_pack

T = TypeVar("T")


class Policies:
    """The rules of one node. Deciding is a plain function: no clock, no disk, no chance.

    Our own people are decided by the roles' rules, other agencies' by the agreement that they
    name and the standing refusals: two books that share no permit.
    """

    def __init__(self, book: RuleBook, pack: StatePack, shelf: Shelf | None = None) -> None:
        unexplained = set(book.forbids) - set(REASONS)
        if unexplained:
            raise Invalid(
                f"rules: no reason is written for forbid {', '.join(sorted(unexplained))}",
                "add it to REASONS",
            )
        self._book = book
        self._shelf = shelf or Shelf.of_nobody(book.laws)
        self.pack = pack
        told = f"{book.hash}\0{self._shelf.hash}"
        self.hash = hashlib.sha256(told.encode()).hexdigest()

    @classmethod
    def load(cls, law: str, agencies: Iterable[Agency]) -> Policies:
        """The rules that come with the product, for a node under `law` that knows `agencies`.

        Each agency keeps its own state's law and the node's, whichever forbids more. Raises
        Invalid when a rule, the schema or a state pack is wrong: a node does not start on them.
        """
        pack = load_pack(law)
        laws = {a.agency_id: strictest([pack, load_pack(a.law)]) for a in agencies}
        schema, rules = read_rules()
        return cls.compile(schema, rules, laws, pack)

    @classmethod
    def compile(
        cls,
        schema: str,
        rules: Iterable[str],
        laws: Mapping[AgencyId, StatePack],
        pack: StatePack,
    ) -> Policies:
        """The same from given texts: to try a change of rules before it is signed."""
        return cls(RuleBook(schema, rules, laws), pack)

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(sorted(self._book.rules))

    def rules_as_json(self) -> Mapping[str, Any]:
        """Each rule by its id in Cedar's JSON form: for those who review rules by machine."""
        return dict(self._book.rules)

    def with_agreements(
        self, signed: Sequence[SignedAgreement], partners: Mapping[AgencyId, Partner]
    ) -> Policies:
        """The same rules with these agreements and no other. Give all that are known, in whatever
        state: one that ended is refused by its name. Those that have not changed cost nothing."""
        return Policies(self._book, self.pack, self._shelf.with_agreements(signed, partners))

    def terms(self, agreement_id: AgreementId) -> SignedAgreement | None:
        """Given or received, in whatever state."""
        return self._shelf.known.get(agreement_id)

    def agreements(self) -> list[SignedAgreement]:
        return list(self._shelf.known.values())

    def for_partner(
        self, agency: AgencyId, share_class: ShareClass, sharing: Sharing
    ) -> list[AgreementId]:
        """Agreements by which we give this to that agency, in force but for the time of day or
        year: whether one opens anything now, `decide` and `decide_flow` say."""
        return self._shelf.for_partner(agency, share_class, sharing)

    def agreement_rules(self) -> Mapping[AgreementId, Mapping[str, Any]]:
        """What each agreement that we gave compiled to, in Cedar's JSON form, with the standing
        refusals beside it: for those who review rules by machine."""
        return {one.signed.agreement.agreement_id: one.rules for one in self._shelf.given()}

    def decide(self, request: Request) -> Permit | Refusal:
        """One question, one answer: about 0.1 ms for a Permit, 0.5 ms for an explained Refusal.

        Another agency's question costs the same, however many agreements there are."""
        return self.decide_all([request])[0]

    def decide_all(self, requests: Sequence[Request]) -> list[Permit | Refusal]:
        return _each(requests, self._decide_own, self._decide_foreign)

    def decide_flow(  # noqa: PLR0913 - what the terms speak of
        self, agreement_id: AgreementId, share_class: ShareClass, at: datetime,
        minute_of_week: int, place: Point | None, incident: IncidentId | None,
    ) -> Permit | Refusal:  # fmt: skip
        """Whether one thing may flow to the agreement's grantee now: nobody asks for it.

        `minute_of_week`: by the grantor's clock, see `farolito.policy.agreements.minute_of_week`;
        `place`: where the thing is; `incident`: the one it belongs to. What is not known is in no
        zone and of no incident. An alert must be one that a person confirmed: that is not asked.
        """
        signed = self.terms(agreement_id)
        rules = signed and self._shelf.rules_of(
            agreement_id, signed.agreement.grantee, signed.agreement.grantor
        )
        if not rules:
            return asking.no_agreement(Act.LIVE, THINGS[share_class], self.hash)
        return asking.decide_flow(
            rules, share_class, at, minute_of_week, place, incident, self.hash
        )

    def permits(self, requests: Sequence[Request]) -> list[bool]:
        """Yes or no alone, unexplained: for tables and comparisons."""
        return _each(
            requests,
            lambda own: [a.yes for a in self._book.ask(own)],
            lambda foreign: [a.yes for a in asking.answer_all(self._shelf, foreign)],
        )

    def _decide_own(self, requests: Sequence[Request]) -> list[Permit | Refusal]:
        answers = self._book.ask(requests)
        return [self._say(r, a) for r, a in zip(requests, answers, strict=True)]

    def _decide_foreign(self, requests: Sequence[Request]) -> list[Permit | Refusal]:
        return asking.decide_asked(self._shelf, requests, self.hash)

    def _say(self, request: Request, answer: Answer) -> Permit | Refusal:
        if answer.yes:
            return Permit(answer.rules, self.hash)
        reasons = why(self._book, request, answer)
        errors = answer.errors + self._unknown(request)
        says, do = sentence(reasons.reasons[0], request, reasons, errors)
        return Refusal(
            reason=reasons.reasons[0],
            also=reasons.reasons[1:],
            says=says,
            do=do,
            errors=errors,
            policy=self.hash,
        )

    def _unknown(self, request: Request) -> tuple[str, ...]:
        named = [f"no fact is called {name!r}" for name in request.facts if name not in FACTS]
        if request.owner not in self._book.agencies:
            named.append(f"agency {request.owner!r} is not known to this node")
        return tuple(named)


def _each(
    requests: Sequence[Request],
    own: Callable[[Sequence[Request]], list[T]],
    foreign: Callable[[Sequence[Request]], list[T]],
) -> list[T]:
    """Each by its book, the answers in the order of the questions. Without an agreement another
    agency's question goes to our own book, which refuses it by name."""
    apart = [request.is_foreign and request.agreement is not None for request in requests]
    ours = iter(own([r for r, is_theirs in zip(requests, apart, strict=True) if not is_theirs]))
    if not any(apart):
        return list(ours)
    theirs = iter(foreign([r for r, is_theirs in zip(requests, apart, strict=True) if is_theirs]))
    return [next(theirs if is_theirs else ours) for is_theirs in apart]
