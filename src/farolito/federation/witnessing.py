"""Witnesses: agencies cosign each other's ledgers, and cry out where one was rewritten.

Each node sends its new checkpoint to every partner, who looks whether it continues what it saw
before. Partners tell each other what they saw of third ledgers, so that one that shows two
histories is found. What is found goes to every partner, who weighs it for itself.
No entry is written for a cosignature: it would make the witness's own ledger grow, and so for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any, Literal

import msgspec

from farolito.federation.envelope import Envelope, body_of
from farolito.federation.ledger_alarms import LedgerAlarms, Partners, Prove, Proved
from farolito.federation.post import PartnerAway, Post
from farolito.gate import AWAY, Gate
from farolito.gate.witnesses import (
    Evidence,
    LedgerDamaged,
    OwnLog,
    Panel,
    Question,
    Standing,
    WitnessBook,
    Witnessed,
    log_of,
    witness_of,
)
from farolito.model import Agency, AgencyId, FarolitoError, Invalid, Partner, Person, Refused

log = logging.getLogger(__name__)

ROUND_S = 30.0  # between checkpoints that are sent; the law of the house is ≤ 60
COMPARE_S = 60.0  # between comparisons of what was seen of third ledgers
COSIGN_S_MAX = 2.0  # a witness that takes longer is asked again in the next round
NOTES_MAX = 256  # in one comparison; more are refused
_PASSES: tuple[type[Exception], ...] = (FarolitoError, *AWAY)
TRIES = 3  # with one witness in a round: it may have to tell us first what it saw last
_AWAY = -1


class Cosign(msgspec.Struct, frozen=True, tag="cosign", forbid_unknown_fields=True):
    """`request`: the body of an add-checkpoint request; `at_old`: see WitnessBook.cosign."""

    request: str
    at_old: str = ""


class Compare(msgspec.Struct, frozen=True, tag="compare", forbid_unknown_fields=True):
    """The newest checkpoint seen of each ledger: its key, the signed note."""

    seen: tuple[tuple[str, str], ...]


class Cosigned(msgspec.Struct, frozen=True):
    """HTTP's status words, as c2sp.org/tlog-witness has them."""

    status: int
    body: str


class Line(msgspec.Struct, frozen=True):
    """Of the health page."""

    level: Literal["wrong", "look", "fine"]
    what: str
    do: str


class Witnessing:
    """Both sides of it: our ledger before its witnesses, and we as a witness of others'."""

    def __init__(  # noqa: PLR0913 - the two sides, and where they meet
        self,
        post: Post,
        partners: Partners,
        own: OwnLog,
        book: WitnessBook,
        gate: Gate,
        system: Person,
        agency: Agency,
        least: int,
    ) -> None:
        self._post = post
        self._own = own
        self._book = book
        self._agency = agency
        self._least = least
        self._one_round = asyncio.Lock()
        self._refused: dict[AgencyId, int] = {}  # who did not cosign our last one, and the status
        self._away: set[AgencyId] = set()  # who did not answer; asked again in the next round
        self.alarms = LedgerAlarms(post, partners, own, book, gate, system)
        post.on("witness", self._take)

    async def run(self) -> None:
        """For ever: send what is new, compare, cry out."""
        loop = asyncio.get_running_loop()
        compare_at = loop.time() + COMPARE_S
        while True:
            await _try(self.round)
            if loop.time() >= compare_at:
                compare_at = loop.time() + COMPARE_S
                await _try(self.compare)
                await _try(self.alarms.ask_again)
                await _try(self._book.forget_old)
            await _try(self.alarms.tell)
            with suppress(TimeoutError):
                async with asyncio.timeout(ROUND_S):
                    await self.alarms.to_tell.wait()

    def nudge(self) -> None:
        """A partner is there again: it is asked now, not at the next round."""
        self.alarms.to_tell.set()

    # Our own ledger

    async def round(self) -> int | None:
        """Have the ledger as it is now cosigned by every partner that is there; the size of the
        newest checkpoint that enough of them have. Raises LedgerDown."""
        async with self._one_round:
            try:
                await self._have_cosigned()
            except LedgerDamaged as error:
                log.error("the own ledger: %s", error.says)
                await self._confess()
                raise
            return (await self.witnessed()).size or None

    async def witnessed(self) -> Witnessed:
        return await self._own.witnessed(self.panel())

    async def covering(self, least: int) -> int | None:
        """The size of a checkpoint of at least `least` entries that enough agencies cosigned; where
        there is none yet, those who answered lately are asked now. None: there is none."""
        found = (await self.witnessed()).size
        if found < least:
            async with self._one_round:
                await self._have_cosigned(self._away)
            found = (await self.witnessed()).size
        return found if found >= least else None

    def _witnesses(self) -> dict[AgencyId, tuple[str, str]]:
        """Key and government of each partner that could cosign."""
        found: dict[AgencyId, tuple[str, str]] = {}
        for partner in self.alarms.confirmed():
            try:
                key = witness_of(partner.card.witness_key, partner.agency_id)
            except Invalid:
                continue
            found[partner.agency_id] = (key, partner.card.government)
        return found

    def panel(self) -> Panel:
        return Panel(dict(self._witnesses().values()), self._agency.government, self._least)

    async def _have_cosigned(self, but: Collection[AgencyId] = ()) -> None:
        asked = {a: key for a, (key, _) in self._witnesses().items() if a not in but}
        if not asked or not self._own.size:
            return
        size, checkpoint = await self._own.checkpoint()
        results = await asyncio.gather(
            *(self._cosigned_by(agency, key, size, checkpoint) for agency, key in asked.items())
        )
        for agency, status in zip(asked, results, strict=True):
            self._refused.pop(agency, None)
            self._away.discard(agency)
            if status == _AWAY:
                self._away.add(agency)
            elif status:
                self._refused[agency] = status

    async def _cosigned_by(
        self, agency: AgencyId, witness: str, size: int, checkpoint: bytes
    ) -> int:
        """0: it has; _AWAY; otherwise the status of its refusal."""
        old = await self._own.cosigned_to(witness)
        if old == size:
            return 0
        status = 0
        for _ in range(TRIES):
            request, at_old = await self._own.request(old, size, checkpoint)
            asked = Cosign(request.decode(), at_old.decode())
            try:
                back = await self._post.ask(agency, "witness", asked, COSIGN_S_MAX)
                answer: Cosigned = body_of(back, Cosigned)
                if answer.status == 200:
                    await self._own.keep(checkpoint, answer.body.encode(), witness)
                    return 0
            except (PartnerAway, Refused, Invalid) as no:
                log.debug("%s did not cosign: %s", agency, no.says)
                return _AWAY
            status, seen = answer.status, answer.body.strip()
            if status != 409 or not seen.isdecimal() or int(seen) == old:
                return status
            old = int(seen)
            if old > size:
                await self._confess()
                return status
        return status

    async def _confess(self) -> None:
        """Our storage is not what we signed: partners hear it from us as well."""
        try:
            await self.alarms.found(await self._own.confession())
        except Invalid as error:
            log.error("nothing to confess with: %s", error.says)

    # Others' ledgers

    async def _take(self, envelope: Envelope) -> Any:
        asked: Cosign | Compare | Prove = body_of(envelope, Cosign | Compare | Prove)  # type: ignore[arg-type]
        if isinstance(asked, Prove):
            proof = await self._own.prove(asked.old, asked.new)
            return Proved(None if proof is None else tuple(proof))
        if isinstance(asked, Compare):
            await self._compare_with(envelope.sender, asked)
            return {}
        return await self._cosign(envelope.sender, asked)

    async def _cosign(self, sender: AgencyId, asked: Cosign) -> Cosigned:
        card = next(p.card for p in self.alarms.confirmed() if p.agency_id == sender)
        try:
            key = log_of(card.ledger_key, sender)
        except Invalid as error:
            raise Refused("unknown_log", error.says, error.do) from error
        answer, against = await self._book.cosign(
            key, asked.request.encode(), asked.at_old.encode()
        )
        if against is not None:
            await self.alarms.found(against)
        return Cosigned(answer.status, answer.body.decode())

    async def compare(self) -> None:
        """Tell each partner what was seen of third ledgers."""
        seen = await self._book.newest()
        for partner in self.alarms.confirmed():
            third = tuple(one for one in seen if one[0] != partner.card.ledger_key)
            try:
                if third:
                    await self._post.ask(partner.agency_id, "witness", Compare(third))
            except (PartnerAway, Refused) as no:
                log.debug("nothing compared with %s: %s", partner.agency_id, no.says)

    async def _compare_with(self, sender: AgencyId, told: Compare) -> None:
        if len(told.seen) > NOTES_MAX or len(dict(told.seen)) < len(told.seen):
            raise Refused("malformed", "more than one checkpoint of a ledger", "send the newest")
        for ledger, note in told.seen:
            owner = self.alarms.owner_of(ledger)
            if owner is None or owner.agency_id == sender:
                continue
            try:
                log_key = log_of(ledger, owner.agency_id)
                found = await self._book.compare(log_key, note.encode())
            except Invalid as error:
                raise Refused("unsigned", f"a checkpoint of {ledger}: {error.says}") from error
            if isinstance(found, Question):
                found = await self._put(owner, found)
            if found is not None:
                await self.alarms.found(found)

    async def _put(self, owner: Partner, question: Question) -> Evidence | None:
        """Ask the ledger itself. Where it is away now, it is asked when this comes up again."""
        try:
            proof = await self.alarms.ask_for_proof(owner, question.old.size, question.new.size)
        except (PartnerAway, Refused):
            return None
        return await self._book.judge(question, proof)

    # The health page

    async def lines(self) -> list[Line]:
        """What a person must know, the worst first."""
        found = []
        for alarm in await self.alarms.all():
            if alarm.state is not Standing.EXPLAINED:
                owner = self.alarms.owner_of(alarm.evidence.log)
                whose = f"the ledger of {owner.card.name}" if owner else "OUR OWN LEDGER"
                says = _SAYS[alarm.evidence.doubt.value]
                found.append(Line("wrong", f"{whose} {says} (told by {alarm.raised_by})", _DO))
        found += [
            Line("wrong", f"{agency} does not cosign our ledger (status {status})", _DO)
            for agency, status in sorted(self._refused.items())
        ]
        return found + self._how_witnessed(await self.witnessed())

    def _how_witnessed(self, told: Witnessed) -> list[Line]:
        wanted = f"{self._least} witnesses, one of another government"
        if not told.could:
            return [Line("fine", f"too few agencies can cosign our ledger: {wanted} are wanted",
                         "join partners: farolito agency invite")]  # fmt: skip
        if told.is_late:
            what = f"entries over 5 minutes old are not cosigned by {wanted}"
            return [Line("look", what, "see which partners are away; it is made up for by itself")]
        by = ", ".join(told.by)
        return [Line("fine", f"our ledger is cosigned to entry {told.size} by {by}", "")]


async def _try(step: Callable[[], Awaitable[Any]]) -> None:
    """One step's trouble keeps no other from its work: an alarm goes out with the ledger down."""
    try:
        await step()
    except _PASSES as error:  # the health page says which
        log.info("witnessing waits: %s", error)


_SAYS = {
    "two_histories": "was rewritten: it signed two histories",
    "no_proof": "shows no proof that it continues what it signed",
    "confessed": "is not what it signed, as its own agency says",
}
_DO = "call that agency and the auditor; see /api/ledger/alarms"
