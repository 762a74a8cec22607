"""Every new version of a brief wakes its unit's phones."""

from __future__ import annotations

from collections.abc import Sequence

from farolito.delivery.follow import News
from farolito.delivery.push import PushSender
from farolito.model import Brief


class PushFeed:
    def __init__(self, sender: PushSender) -> None:
        self._sender = sender

    async def news(self, items: Sequence[News]) -> None:
        for item in items:
            if isinstance(item.what, Brief):
                self._sender.notify(item.what)

    async def anew(self) -> None:
        """What was missed is on the open page, or was called by radio: no phone is woken late."""
