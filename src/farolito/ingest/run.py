"""Supervises sources that we connect to: connect, back off, try again, and say so once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from farolito.ingest.lpr.mqtt import MqttSource, listen
from farolito.model import Rejected

log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # the last one repeats
CALLS_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)  # calls wait behind their source: it is tried sooner
STEADY_S = 10.0  # what has worked for so long is back


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    back_off_s: Sequence[float] | None = None,
) -> None:
    """Do `work` for ever: a broker's, a TAK server's, a feed's, a listener's, a folder's.

    `work` runs until its source is lost, which it raises. A loss is logged once, the return once;
    what works again starts over with the shortest back-off.
    """
    supervised = _Supervised(name, back_off_s or BACK_OFF_S)
    loop = asyncio.get_running_loop()
    while True:
        steady = loop.call_later(STEADY_S, supervised.is_steady)
        wait_s = supervised.back_off_s[0]
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception as why:
            wait_s = supervised.lost(why)
        finally:
            steady.cancel()
        await asyncio.sleep(wait_s)


async def keep_listening(source: MqttSource, hand_in: Callable[[bytes], Awaitable[None]]) -> None:
    """Listen to a broker of plate reads for ever."""
    await keep_running(f"broker {source.host}", lambda: listen(source, hand_in))


class _Supervised:
    def __init__(self, name: str, back_off_s: Sequence[float]) -> None:
        self.name = name
        self.back_off_s = back_off_s
        self.tries = 0

    def is_steady(self) -> None:
        if self.tries:
            log.warning("%s is back", self.name)
        self.tries = 0

    def lost(self, why: Exception) -> float:
        """How long to wait before the next try."""
        if self.tries == 0:
            says = why.reason if isinstance(why, Rejected) else type(why).__name__
            log.warning("%s is away: %s", self.name, says)
        wait_s = self.back_off_s[min(self.tries, len(self.back_off_s) - 1)]
        self.tries += 1
        return wait_s
