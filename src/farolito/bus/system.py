"""The node's word to its own server, said in the system account: which accounts there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import nats
import nats.errors
from nats.aio.client import Client

from farolito.bus.lane import BusDown

ANSWER_S_MAX = 3.0


class System:
    """Raises BusDown where the server does not answer or does not do it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    async def connect(
        cls, url: str, credentials: Path, on_return: Callable[[], Awaitable[None]]
    ) -> System:
        """`on_return` is awaited each time the server is back after it was away."""
        client = await nats.connect(
            url,
            user_credentials=str(credentials),
            name="farolito-system",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            reconnected_cb=on_return,
            error_cb=_quiet,
        )
        return cls(client)

    async def close(self) -> None:
        with suppress(nats.errors.Error):
            await self._client.close()

    async def publish(self, jwt: str) -> None:
        """Put an account, or its newer claims, in force."""
        await self._ask("$SYS.REQ.CLAIMS.UPDATE", jwt.encode())

    async def accounts(self) -> set[str]:
        """The public keys of all accounts that the server knows."""
        return set((await self._ask("$SYS.REQ.CLAIMS.LIST", b""))["data"])

    async def delete(self, deletion: str) -> None:
        """Delete accounts; who is connected to one is cut off."""
        await self._ask("$SYS.REQ.CLAIMS.DELETE", deletion.encode())

    async def reload(self) -> bool:
        """Let the server read its configuration again. False where it must be started anew."""
        server = await self._ask("$SYS.REQ.USER.INFO", b"")
        subject = f"$SYS.REQ.SERVER.{server['server']['id']}.RELOAD"
        try:
            await self._ask(subject, b"")
        except BusDown:
            return False
        return True

    async def _ask(self, subject: str, raw: bytes) -> dict[str, Any]:
        if not self._client.is_connected:
            raise BusDown("the bus is not connected", "it comes back by itself")
        try:
            answer = await self._client.request(subject, raw, timeout=ANSWER_S_MAX)
        except (nats.errors.Error, TimeoutError) as error:
            raise BusDown("the bus does not answer its own node", "it is asked again") from error
        told: dict[str, Any] = msgspec.json.decode(answer.data)
        if wrong := told.get("error"):
            says = wrong.get("description", "") if isinstance(wrong, dict) else wrong
            raise BusDown(f"the bus did not do it: {says}", "see the nats log")
        return told


async def _quiet(error: Exception) -> None:
    """Connection trouble shows on the health page, not a line each."""
