"""Who would gain or lose by an agreement, had it held already: the questions of the last days,
as the ledger has them, decided once without it and once with it.

The ledger says who asked what, when, why and by which agreement, and not what the answer held: so
a question is taken to lie in the zones of the agreement and to be about records young enough,
which whoever reads the store sees to anyway. Where a partner has asked nothing yet, the questions
of our own people show what theirs could ask: those stand apart, as if.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from farolito.gate import Gate, Records
from farolito.model import (
    Act,
    AgencyId,
    AgreementId,
    AgreementState,
    Partner,
    Person,
    PersonId,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
    digest_id,
)
from farolito.policy import Policies, Request, facts_of_question
from farolito.store import ledger

ENTRIES_MAX = 200_000  # looked at, the newest first; how far back that is stands in the answer
PAGE = 2_000
QUESTIONS_MAX = 20_000  # decided, of each kind; about 0.1 ms each, twice
THINGS: Mapping[ShareClass, Thing] = {
    ShareClass.PLATE_READ: Thing.PLATE_READ,
    ShareClass.ALERT: Thing.ALERT,
    ShareClass.SHOT: Thing.SHOT,
    ShareClass.INCIDENT: Thing.INCIDENT,
    ShareClass.UNIT: Thing.UNIT,
    ShareClass.HOT_LIST: Thing.HOT_LIST,
}


class Line(msgspec.Struct, frozen=True):
    """What of a ledger's entry a question is made of."""

    at: datetime
    act: str
    thing: str
    decision: str
    actor_role: str
    agency: str
    purpose: str | None = None
    agreement: str | None = None


class Question(NamedTuple):
    """`user`: what the entry keeps of the person, or its commitment where that is gone."""

    line: Line
    user: str
    case: str | None
    on_behalf_of: str | None


_line = msgspec.json.Decoder(Line).decode


async def questions(
    records: Records, things: frozenset[str], since: datetime
) -> tuple[list[Question], datetime]:
    """The readings of these things since then, the newest first, and since when they are all
    there."""
    told = await ledger.head(records.connection, records.agency)
    end, looked = (told[0] if told else 0), 0
    found: list[Question] = []
    while end > 0 and looked < ENTRIES_MAX:
        first = max(0, end - PAGE)
        page = await ledger.page(records.connection, records.agency, first - 1, end - first)
        lines = [(one.index, _line(one.raw)) for one in page]
        wanted = [(n, line) for n, line in lines if line.thing in things and line.act == Act.READ]
        if wanted:
            found += await _opened(records, wanted)
        if not lines or lines[0][1].at < since:
            return [q for q in found if q.line.at >= since], since
        end, looked = first, looked + len(lines)
    oldest = min((q.line.at for q in found), default=since)
    return found, max(since, oldest) if end > 0 else since


async def _opened(records: Records, wanted: Sequence[tuple[int, Line]]) -> list[Question]:
    first, last = wanted[0][0], wanted[-1][0]
    kept: dict[int, dict[str, str]] = {}
    for index, field, _, value in await ledger.openings(
        records.connection, records.agency, first, last + 1
    ):
        kept.setdefault(index, {})[field] = value.decode()
    return [
        Question(
            line,
            kept.get(index, {}).get("user", f"entry {index}"),
            kept.get(index, {}).get("case"),
            kept.get(index, {}).get("on_behalf_of"),
        )
        for index, line in reversed(wanted)
    ]


class Trial:
    """Bound to one node. It decides beside the gate and opens nothing: only counts come out."""

    def __init__(
        self,
        gate: Gate,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._partners = partners
        self._clock = clock

    async def run(self, records: Records, draft: SignedAgreement, days: int) -> Mapping[str, Any]:
        """`since`, `asked`, `gains` and `losses` of the grantee's own questions; `as_if`: what its
        people could have had of what ours asked."""
        now = self._clock()
        since = now - timedelta(days=days)
        things = frozenset(THINGS[one].value for one in draft.agreement.classes)
        found, since = await questions(records, things, since)
        before = self._gate.policies
        known = {one.agreement.agreement_id: one for one in before.agreements()}
        after = {one.agreement.agreement_id: one for one in had_it_held(draft, since, now)}
        tried = before.with_agreements(list({**known, **after}.values()), self._partners())
        asked = self._as_asked(found, draft, known)
        own = self._as_if(found, draft)
        gains, losses = await asyncio.to_thread(_difference, before, tried, asked)
        would, _ = await asyncio.to_thread(_difference, before, tried, own)
        return {
            "since": since,
            "asked": len(asked),
            "gains": gains,
            "losses": losses,
            "as_if": would,
        }

    def _as_asked(
        self,
        found: Sequence[Question],
        draft: SignedAgreement,
        known: Mapping[AgreementId, SignedAgreement],
    ) -> list[Request]:
        """What people of the grantee asked, each by the agreement that it would name: the one it
        named where that let it, or is to be replaced; the draft otherwise."""
        terms = draft.agreement
        requests = []
        for one in found:
            if one.line.agency != terms.grantee:
                continue
            named = AgreementId(UUID(one.line.agreement)) if one.line.agreement else None
            stays = named and (one.line.decision == "permit" or named == terms.supersedes)
            by = known.get(named) if named and stays else None
            requests.append(self._request(one, draft, by))
        return requests[:QUESTIONS_MAX]

    def _as_if(self, found: Sequence[Question], draft: SignedAgreement) -> list[Request]:
        """What our own people asked, as if people of the grantee in the same role had."""
        terms = draft.agreement
        if Sharing.ASK not in terms.sharing:
            return []
        roles = set(terms.roles)
        own = [
            one
            for one in found
            if one.line.agency == self._gate.owner and one.line.actor_role in roles
        ]
        return [self._request(one, draft, None) for one in own[:QUESTIONS_MAX]]

    def _request(
        self, one: Question, draft: SignedAgreement, by: SignedAgreement | None
    ) -> Request:
        line, terms = one.line, (by or draft).agreement
        facts = dict(facts_of_question(terms, line.at, self._gate.zone, 0))
        names = (*terms.zones, *draft.agreement.zones)
        if names:
            facts["zones"] = tuple({zone.name for zone in names})
        return Request(
            person=Person(
                person_id=PersonId(digest_id(0, "asked", one.user)),
                agency=terms.grantee,
                name="",
                role=Role(line.actor_role),
            ),
            signed_in_s=0,
            act=Act.READ,
            thing=Thing(line.thing),
            purpose=Purpose(line.purpose) if line.purpose else None,
            owner=self._gate.owner,
            now=line.at,
            case=one.case,
            on_behalf_of=one.on_behalf_of,
            facts=facts,
            agreement=terms.agreement_id,
        )


def had_it_held(draft: SignedAgreement, since: datetime, now: datetime) -> list[SignedAgreement]:
    """The draft as if it had been in force all the time; under the name of the one that it
    replaces as well, since that is what the questions name."""
    terms = msgspec.structs.replace(
        draft.agreement,
        starts=since - timedelta(minutes=1),
        expires=now + timedelta(minutes=1),
    )
    held = msgspec.structs.replace(draft, state=AgreementState.IN_FORCE)
    ids = [one for one in (terms.agreement_id, terms.supersedes) if one is not None]
    return [
        msgspec.structs.replace(
            held, agreement=msgspec.structs.replace(terms, agreement_id=one, supersedes=None)
        )
        for one in ids
    ]


def _difference(
    before: Policies, after: Policies, asked: Sequence[Request]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of who gained and who lost, the most questions first."""
    gains: dict[tuple[str, ...], list[PersonId]] = {}
    losses: dict[tuple[str, ...], list[PersonId]] = {}
    for request, had, has in zip(asked, before.permits(asked), after.permits(asked), strict=True):
        if had != has:
            person = request.person
            kind = (person.agency, person.role, request.act, request.thing, request.purpose or "")
            (gains if has else losses).setdefault(kind, []).append(person.person_id)
    return _rows(gains), _rows(losses)


def _rows(found: Mapping[tuple[str, ...], Sequence[PersonId]]) -> list[dict[str, Any]]:
    names = ("agency", "role", "act", "thing", "purpose")
    rows = [
        dict(zip(names, map(str, kind), strict=True))
        | {"people": len(set(people)), "count": len(people)}
        for kind, people in found.items()
    ]
    return sorted(rows, key=lambda row: -int(row["count"]))
