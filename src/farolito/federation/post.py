"""The post office of a node: seals and sends, opens and hands over, refuses what is not right.

A refusal travels back sealed, with its reason; where nothing travels back, the partner is away,
and that is another thing than "nothing found".
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from farolito.federation.envelope import Envelope, opened, raw_of, sealed
from farolito.identity import AgencyKey
from farolito.model import AgencyId, Away, EnvelopeId, FarolitoError, Refused

log = logging.getLogger(__name__)

ASK_S_MAX = 5.0  # the partner is called away when nothing came back by then
A_MINUTE_MAX = 1_200  # messages of one partner; more are refused as a flood
BURST = 200
PARTED_KINDS = frozenset({"leave", "purge"})  # what one that left may still be told, and tell


class PartnerAway(Away):
    """Nothing came back: the partner, or the line to it, is down."""


class Line(Protocol):
    """What carries sealed bytes. `app` gives one over NATS; tests may give a shorter one."""

    async def request(self, partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        """The partner's answer. Raises PartnerAway."""
        ...


Handler = Callable[[Envelope], Awaitable[Any]]
# Whether a message is new; from then on it is known, durably. None: the store is away.
IsNew = Callable[[AgencyId, EnvelopeId, datetime], Awaitable[bool]]


class Answered(msgspec.Struct, frozen=True):
    """What travels back: a value, or a refusal with its reason."""

    value: msgspec.Raw = msgspec.Raw(b"null")
    refused: str | None = None
    says: str = ""
    do: str = ""
    permit: int | None = None


class Post:
    def __init__(  # noqa: PLR0913 - who we are, whom we know, and how it travels
        self,
        own: AgencyId,
        key: AgencyKey,
        line: Line,
        is_new: IsNew,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self.own = own
        self._key = key
        self._line = line
        self._is_new = is_new
        self._clock = clock
        self._ids = ids
        self._handlers: dict[str, Handler] = {}
        self._floods: dict[AgencyId, _Flood] = {}
        self.keys: Mapping[AgencyId, str] = {}  # confirmed partners' keys; whoever keeps them sets
        self.parted: Mapping[AgencyId, str] = {}  # of those that left, until both have deleted
        self.refused: dict[tuple[AgencyId, str], int] = {}  # by line and reason, for health

    def on(self, kind: str, handler: Handler) -> None:
        """Who takes messages of this kind. The handler answers a value or raises FarolitoError."""
        assert kind not in self._handlers, kind
        self._handlers[kind] = handler

    async def ask(
        self, partner: AgencyId, kind: str, body: Any, timeout_s: float = ASK_S_MAX,
        line: Line | None = None,
    ) -> Envelope:  # fmt: skip
        """Send, and the partner's sealed answer; its body is the value. `line`: where another
        than the usual one carries it, as for what an agreement lets flow.

        Raises Refused with the partner's own reason, PartnerAway where nothing (right) came back,
        or where nobody here has confirmed that it is who it says: then nothing is sent.
        """
        if partner not in self.keys and not (partner in self.parted and kind in PARTED_KINDS):
            raise PartnerAway(f"{partner} is no confirmed partner", "farolito agency confirm")
        envelope = self.write(partner, kind, raw_of(body))
        way = line or self._line
        raw = await way.request(partner, sealed(envelope, self._key), timeout_s)
        back = self._opened_answer(raw, partner, envelope)
        answered = msgspec.json.decode(back.body, type=Answered)
        if answered.refused is not None:
            raise Refused(answered.refused, answered.says, answered.do, answered.permit)
        return msgspec.structs.replace(back, body=answered.value)

    def write(
        self, partner: AgencyId, kind: str, body: msgspec.Raw, answers: EnvelopeId | None = None
    ) -> Envelope:
        return Envelope(
            envelope_id=EnvelopeId(self._ids()),
            at=self._clock(),
            sender=self.own,
            receiver=partner,
            kind=kind,
            body=body,
            answers=answers,
        )

    async def take(self, line_of: AgencyId, raw: bytes) -> bytes:
        """What came by a partner's line; the sealed answer that goes back."""
        envelope: Envelope | None = None
        try:
            self._hold_back(line_of)
            envelope = self._opened(raw, line_of)
            if envelope.sender not in self.keys and envelope.kind not in PARTED_KINDS:
                raise Refused("not_a_partner", "no partner of ours any more", "join again")
            if not await self._is_new(envelope.sender, envelope.envelope_id, envelope.at):
                raise Refused("replayed", "this message was taken before", "write a new one")
            handler = self._handlers.get(envelope.kind)
            if handler is None:
                raise Refused("not_here", f"nobody here takes {envelope.kind}", "")
            answered = Answered(raw_of(await handler(envelope)))
        except Refused as no:
            self._count(line_of, no.reason)
            answered = Answered(refused=no.reason, says=no.says, do=no.do, permit=no.permit)
        except FarolitoError as no:
            self._count(line_of, "away" if isinstance(no, Away) else "invalid")
            word = "away" if isinstance(no, Away) else "invalid"
            answered = Answered(refused=word, says=no.says, do=no.do)
        except Exception:
            log.exception("a message of %s", line_of)
            answered = Answered(refused="fault", says="the node made a mistake; it is in its log")
        kind = envelope.kind if envelope else "hello"
        answers = envelope.envelope_id if envelope else None
        return sealed(self.write(line_of, kind, raw_of(answered), answers), self._key)

    def _opened_answer(self, raw: bytes, partner: AgencyId, asked: Envelope) -> Envelope:
        """Raises PartnerAway where what came back is not that partner's answer to just this."""
        try:
            back = self._opened(raw, partner)
        except Refused as error:
            raise PartnerAway(f"what came back from {partner} is not theirs: {error.says}") from (
                error
            )
        if back.answers not in (asked.envelope_id, None):
            raise PartnerAway(f"what came back from {partner} answers something else")
        if back.answers is None and msgspec.json.decode(back.body, type=Answered).refused is None:
            raise PartnerAway(f"what came back from {partner} answers nothing")
        return back

    def _opened(self, raw: bytes, line_of: AgencyId) -> Envelope:
        return opened(raw, line_of, {**self.parted, **self.keys}, self.own, self._clock())

    def _count(self, line_of: AgencyId, reason: str) -> None:
        self.refused[line_of, reason] = self.refused.get((line_of, reason), 0) + 1

    def _hold_back(self, line_of: AgencyId) -> None:
        """A bucket for each partner's line: one that floods us is told so, others go on."""
        flood = self._floods.setdefault(line_of, _Flood(BURST, self._clock()))
        if not flood.take(self._clock()):
            raise Refused("flood", "too many messages", "send fewer; the rest is not looked at")


class _Flood:
    def __init__(self, left: float, at: datetime) -> None:
        self._left = left
        self._at = at

    def take(self, now: datetime) -> bool:
        passed_s = max(0.0, (now - self._at).total_seconds())
        self._left = min(float(BURST), self._left + passed_s * A_MINUTE_MAX / 60)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
