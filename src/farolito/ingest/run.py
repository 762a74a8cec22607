"""Supervises sources that we connect to: connect, back off, try again, and say so once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from farolito.ingest.lpr.mqtt import MqttSource, listen

log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # the last one repeats


async def keep_listening(source: MqttSource, hand_in: Callable[[bytes], Awaitable[None]]) -> None:
    """Listen for ever. A loss is logged once, the return once."""
    tries = 0
    while True:
        try:
            await listen(source, hand_in)
        except asyncio.CancelledError:
            raise
        except Exception as why:
            if tries == 0:
                log.warning("broker %s is away: %s", source.host, type(why).__name__)
            await asyncio.sleep(BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)])
            tries += 1
        else:
            tries = 0
