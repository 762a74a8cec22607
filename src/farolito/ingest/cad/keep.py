"""Keeps a watched folder or a subscription going: try, back off, try again, and say so once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

# The last one repeats. Shorter than for other sources: a call waits behind it.
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)


async def keep_going(
    name: str, run: Callable[[], Awaitable[None]], back_off_s: tuple[float, ...] = BACK_OFF_S
) -> None:
    """Run for ever. A loss is logged once, and the return once it has lasted for the longest
    pause; what failed is told by its type, since its words may hold what belongs in no log."""
    loop = asyncio.get_running_loop()
    tries = 0
    while True:
        started = loop.time()
        back = loop.call_later(back_off_s[-1], log.warning, "%s is back", name) if tries else None
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except Exception as why:
            if loop.time() - started > back_off_s[-1]:
                tries = 0
            if tries == 0:
                log.warning("%s is away: %s", name, type(why).__name__)
        finally:
            if back is not None:
                back.cancel()
        await asyncio.sleep(back_off_s[min(tries, len(back_off_s) - 1)])
        tries += 1
