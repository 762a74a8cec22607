"""Keeps a watched folder or a subscription going: try, back off, try again, and say so once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # the last one repeats


async def keep_going(
    name: str, run: Callable[[], Awaitable[None]], back_off_s: tuple[float, ...] = BACK_OFF_S
) -> None:
    """Run for ever. A loss is logged once, the return once; what failed is told by its type only,
    since its words may hold what belongs in no log."""
    tries = 0
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except Exception as why:
            if asyncio.get_running_loop().time() - started > back_off_s[-1]:
                tries = 0
            if tries == 0:
                log.warning("%s is away: %s", name, type(why).__name__)
            await asyncio.sleep(back_off_s[min(tries, len(back_off_s) - 1)])
            tries += 1
        else:
            tries = 0
            await asyncio.sleep(back_off_s[0])
