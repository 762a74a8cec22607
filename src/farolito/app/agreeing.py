"""Agreements at work on one node: the rooms they move, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.app.agreement_trial import Trial
from farolito.console.agreements import Agreements
from farolito.federation.agreement_book import AgreementBook, Exports, Partners, is_purged
from farolito.federation.agreement_news import Telling
from farolito.federation.agreements import AgreementDesk
from farolito.federation.aid import Aid
from farolito.federation.post import Post
from farolito.federation.signatures import File, check
from farolito.gate import Gate, Records
from farolito.identity import AgencyKey
from farolito.identity.signing import Signing
from farolito.model import (
    Agency,
    AgencyId,
    Agreement,
    Because,
    FarolitoError,
    Invalid,
    Person,
    SignedAgreement,
)
from farolito.model.shared import Purge
from farolito.policy import parse_document, write_document


class PolicyRules:
    """What the room `policy` and the gate make of agreements."""

    def __init__(self, gate: Gate, partners: Partners, clock: Callable[[], datetime]) -> None:
        self._gate = gate
        self._partners = partners
        self._trial = Trial(gate, partners, clock)

    def write(self, agreement: Agreement) -> str:
        return write_document(agreement)

    def parse(self, document: str) -> Agreement:
        return parse_document(document)

    def use(self, signed: Sequence[SignedAgreement]) -> None:
        self._gate.use(self._gate.policies.with_agreements(signed, self._partners()))

    async def simulate(
        self, records: Records, draft: SignedAgreement, days: int
    ) -> Mapping[str, Any]:
        return await self._trial.run(records, draft, days)


@dataclass(frozen=True)
class AgreementRooms:
    """`news.run()` is to be run for as long as the node lives, after `book.start()`."""

    book: AgreementBook
    news: Telling
    desk: AgreementDesk
    aid: Aid
    console: Agreements


def agreement_rooms(  # noqa: PLR0913 - the rooms that an agreement moves
    agency: Agency,
    gate: Gate,
    system: Person,
    post: Post,
    key: AgencyKey,
    signing: Signing,
    partners: Partners,
    exports: Exports,
    clock: Callable[[], datetime],
    ids: Callable[[], UUID],
) -> AgreementRooms:
    """`partners`: those this node knows, by id; `exports`: opens and closes the bus's subjects to
    a partner."""
    rules = PolicyRules(gate, partners, clock)
    book = AgreementBook(gate, system, rules, partners, exports, clock)
    book.in_change.append(purging(agency.agency_id))
    news = Telling(book, gate, post, clock, demo=signing.demo)
    desk = AgreementDesk(gate, book, signing, key, clock)
    aid = Aid(gate, book, desk, key, clock, ids)

    def names() -> Mapping[AgencyId, str]:
        known = {one.agency_id: one.card.name for one in partners().values()}
        return known | {agency.agency_id: agency.name}

    return AgreementRooms(book, news, desk, aid, Agreements(desk, aid, names))


def purging(own: AgencyId) -> Callable[[Records, SignedAgreement], Any]:
    """What came by an agreement of ours that was ended, or by one that it had replaced, is to be
    deleted over there: asked for in the very transaction that ends it, so that no crash forgets it.
    What another one still lets flow is told once more. Where the agencies part, the parting itself
    purges all."""

    async def ask(records: Records, signed: SignedAgreement) -> None:
        own_one = signed.agreement.grantor == own and signed.agency_signature
        if not own_one or not is_purged(signed) or signed.revoked_because == Because.LEAVING:
            return
        ended: SignedAgreement | None = signed
        because = signed.revoked_because or signed.state.value
        while ended is not None:
            terms = ended.agreement
            purge = Purge(terms.grantee, terms.agreement_id, because, signed.changed_at)
            await records.sharing.ask_purge(purge)
            before = terms.supersedes
            ended = None if before is None else await records.agreements.get(before)
        await records.sharing.begin_anew(signed.agreement.grantee)

    return ask


def read_file(data: bytes) -> File:
    """An agreement as `farolito agreement save` wrote it. Raises Invalid."""
    try:
        return msgspec.json.decode(data, type=File)
    except (msgspec.DecodeError, FarolitoError) as error:
        raise Invalid("that is no saved agreement", "save it with `farolito agreement save`") from (
            error
        )


def verify_file(file: File, *, demo: bool) -> None:
    """Raises Refused unless it is signed as an agreement must be."""
    check(file.signed, file.grantor_key, parse_document, demo=demo)
