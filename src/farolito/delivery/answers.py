"""What TAK users send back: receipts for a brief's version, and the officer's words."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from farolito.delivery import chat
from farolito.delivery.subscriber import Subscriber
from farolito.delivery.wording import Wording
from farolito.gate import AWAY
from farolito.ingest.avl.cot import CotEvent
from farolito.model import (
    AnswerKind,
    BriefId,
    FarolitoError,
    Person,
    ReceiptKind,
    Rejected,
)
from farolito.model.ids import digest_id

log = logging.getLogger(__name__)

_NOT_TAKEN: tuple[type[Exception], ...] = (*AWAY, FarolitoError)  # LedgerDown is one of these


class Receipts(Protocol):
    """Where they go: the briefing, with the officer's own right. Made by the app.

    Both pass the gate as `person` and raise Refused where the brief is another unit's.
    """

    async def receive(
        self, person: Person, brief_id: BriefId, version: int, kind: ReceiptKind
    ) -> None: ...

    async def reply(  # noqa: PLR0913 - an answer's own parts
        self,
        person: Person,
        brief_id: BriefId,
        answer_id: UUID,
        kind: AnswerKind,
        says: str,
        tapped_at: datetime,
    ) -> None:
        """Told twice with the same `answer_id`, kept once."""
        ...


class Answers:
    def __init__(
        self,
        receipts: Receipts,
        wording: Wording,
        clock: Callable[[], datetime],
        figures: Counter[str],
    ) -> None:
        self._receipts = receipts
        self._wording = wording
        self._clock = clock
        self._figures = figures

    async def take(self, event: CotEvent, of: Subscriber) -> None:
        """A receipt or a chat to us; any other event is nobody's business here. Never raises for
        what a phone sent."""
        try:
            if event.type in chat.RECEIPTS:
                await self._receipt(event, of)
            elif event.type == chat.CHAT and chat.is_ours(event, of.link.sender):
                await self._words(event, of)
        except Rejected as why:
            self._figures[why.reason] += 1

    async def _receipt(self, event: CotEvent, of: Subscriber) -> None:
        received = chat.received(event)
        if received is None:
            return
        of.proven(received.brief_id, received.version)
        try:
            await self._receipts.receive(
                of.person, received.brief_id, received.version, received.kind
            )
            self._figures["receipts"] += 1
        except _NOT_TAKEN as why:  # the phone cannot help it, and asks for nothing
            self._figures["receipts_not_taken"] += 1
            log.warning("a TAK receipt was not taken: %s", type(why).__name__)

    async def _words(self, event: CotEvent, of: Subscriber) -> None:
        said = chat.said(event)
        if said is None:
            return
        brief_id = next(reversed(of.running), None)
        if brief_id is None:
            self._figures["answers_without_brief"] += 1
            self._tell(of, said.message, self._wording["no_brief"])
            return
        # The phone's own number of the message: sent again, it is the same answer.
        answer_id = digest_id(0, "tak answer", str(of.person.person_id), said.message)
        try:
            await self._receipts.reply(
                of.person, brief_id, answer_id, said.kind, said.says, event.time
            )
        except _NOT_TAKEN as why:
            self._figures["answers_not_taken"] += 1
            log.warning("a TAK answer was not taken: %s", type(why).__name__)
            self._tell(of, said.message, self._wording["not_taken"])
            return
        self._figures["answers"] += 1
        self._tell(of, said.message, self._back(said.kind))

    def _back(self, kind: AnswerKind) -> str:
        if kind is AnswerKind.ASK_RTCC:
            return self._wording["asked"]
        return f"{self._wording['noted']}: {self._wording[kind.value]}"

    def _tell(self, of: Subscriber, message: str, says: str) -> None:
        """The officer sees whether the words arrived: silence would look like a yes."""
        now = self._clock()
        number = digest_id(0, "tak answer back", message)
        of.send(chat.chat(says, str(number), of.between, now))
