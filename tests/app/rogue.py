"""A partner's node that keeps to no rule: its own keys, its own line, whatever it likes to say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from farolito.federation.envelope import Envelope, raw_of, sealed
from farolito.federation.post import Answered
from farolito.federation.questions import Found, Question
from farolito.model import AgencyId, AgreementId, PersonId, Purpose, Role
from tests.running import RunningNode

_envelope = msgspec.json.Decoder(Envelope).decode
_answered = msgspec.json.Decoder(Answered).decode


class Rogue:
    """Speaks past the post of its node, over the line that its node has joined by."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node.node
        self.agency = node.node.agency

    def written(self, to: RunningNode, kind: str, body: Any, **lies: Any) -> bytes:
        """A message under the agency's own key; `lies` stand in its envelope."""
        post = self.node.federation.post
        envelope = post.write(to.node.agency.agency_id, kind, raw_of(body))
        return sealed(msgspec.structs.replace(envelope, **lies), post._key)

    async def send(self, to: RunningNode, raw: bytes) -> Answered:
        """By the own line; what the other node sealed to it."""
        bus = self.node.engines.partners
        back = await bus.request(to.node.agency.agency_id, raw, 5)
        return _answered(_envelope(back.partition(b"\n")[2]).body)

    async def say(self, to: RunningNode, kind: str, body: Any, **lies: Any) -> Answered:
        return await self.send(to, self.written(to, kind, body, **lies))

    def question(self, agreement_id: str, plate: str, **lies: Any) -> Question:
        """One that its node would never have let go, past its own gate and ledger."""
        now = datetime.now(UTC)
        honest: dict[str, Any] = {
            "person_id": PersonId(uuid4()),
            "name": "Nobody Known",
            "role": Role.OPERATOR,
            "agency": self.agency.agency_id,
            "ori": self.agency.ori,
            "purpose": Purpose.IN_PROGRESS_CALL,
            "case": "26-000117",
            "on_behalf_of": None,
            "on_behalf_agency": None,
            "signed_in_s": 1,
            "agreement_id": AgreementId(UUID(agreement_id)),
            "plate": plate,
            "state": None,
            "since": now - timedelta(hours=1),
            "until": now + timedelta(minutes=1),
            "receipt": f"{self.agency.agency_id}#1:{'0' * 64}",
        }
        return Question(**{**honest, **lies})

    async def ask(self, of: RunningNode, agreement_id: str, plate: str, **lies: Any) -> Found:
        """What the owner answers to it, a refusal too."""
        back = await self.say(of, "ask", self.question(agreement_id, plate, **lies))
        assert back.refused is None, back
        return msgspec.json.decode(back.value, type=Found)


def own_name(node: RunningNode) -> AgencyId:
    return node.node.agency.agency_id
