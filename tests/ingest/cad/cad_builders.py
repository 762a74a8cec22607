"""What the tests of calls share: a CAD, a sender of signed events, and a taker that remembers."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from farolito.model import AgencyId, CallUpdate, Device, DeviceId, Rejected

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"farolito-practice-secret-0001").decode()
CAD = Device(
    device_id=DeviceId("county-cad"),
    agency=AgencyId("practice-pd"),
    kind="cad",
    name="County CAD",
    format="farolito",
)


class StoreAway(Exception):
    """What the taker below raises while its store is away."""


class Taker:
    """Stands where the desk does: keeps what it is given, knows marks, can be away."""

    def __init__(self) -> None:
        self.updates: list[CallUpdate] = []
        self.marks: list[str] = []
        self.away = False
        self.tried = 0
        self.came = asyncio.Event()

    async def take(self, device: Device, updates: Sequence[CallUpdate], mark: str) -> bool:
        self.tried += 1
        if self.away:
            raise StoreAway
        if mark in self.marks:
            return False
        self.marks.append(mark)
        self.updates.extend(updates)
        self.came.set()
        return True

    @property
    def numbers(self) -> list[str]:
        return [update.number for update in self.updates]


class Notes:
    """A watch that remembers what it was told, and which sources gave a sign of life."""

    def __init__(self) -> None:
        self.heard_updates = 0
        self.letters: list[tuple[str, str, bytes]] = []
        self.says: list[str] = []
        self.alive: list[str] = []

    def heard(self, device: Device, format_: str, reads: int, at: datetime) -> None:
        self.heard_updates += reads

    def rejected(
        self, device: Device | None, format_: str, why: Rejected, body: bytes, at: datetime
    ) -> None:
        self.letters.append((format_, why.reason, body))
        self.says.append(f"{why.says}; {why.do}")

    def is_alive(self, name: str, at: datetime) -> None:
        self.alive.append(name)

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.letters]


def call(number: str = "26-118204", **more: Any) -> dict[str, Any]:
    """A call in our own format."""
    return {"number": number, "sent_at": "2026-11-23T10:00:00Z", **more}


def signed(body: bytes, message_id: str = "msg_1", at: datetime | None = None) -> dict[str, str]:
    """The headers of a message signed rightly, now or at a given time."""
    at = at or datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(message_id, at, body.decode()),
    }
