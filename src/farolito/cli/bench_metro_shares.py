"""What flows to the sheriff's screen, and how fast it ends.

An operator of the city confirms an alert: until the live socket of the sheriff's operator has it.
A supervisor of the city presses "revoke": until the city's node refuses the sheriff's next
question, and until the sheriff's copies are deleted and the screen there was told so of each.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Container, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
from websockets.asyncio.client import connect

from farolito.cli.bench_metro_asks import Figures, reader
from farolito.cli.bench_metro_nodes import Agencies, Seat
from farolito.cli.bench_node import listed_plates
from farolito.cli.bench_running import percentile_ms
from farolito.cli.bench_sender import request, send_all
from farolito.model import FarolitoError

WAIT_S_MAX = 15.0  # a thing that has not come by then is lost
LIST = "bench"
MAPPING = """\
name: bench
format: delimited
delimiter: comma
header: yes
columns: {plate: plate, state: state, category: category}
defaults: {source_agency: NM0010000, confirm_with: 505-555-0100, reason: stolen vehicle}
"""
GIVES = {"plate_read": "full", "alert": "full"}


class Screen:
    """The live socket of an operator: when each shared thing came, and when it was taken off."""

    def __init__(self) -> None:
        self.came: dict[tuple[str, str], float] = {}  # by agreement and thing
        self.gone: dict[tuple[str, str], float] = {}
        self.alerts: dict[str, dict[str, Any]] = {}
        self._news = asyncio.Event()

    async def listen(self, socket: AsyncIterable[str | bytes]) -> None:
        async for text in socket:
            message = msgspec.json.decode(text)
            at = time.perf_counter()
            if message["k"] == "alert":
                self.alerts[message["alert"]["alert_id"]] = message["alert"]
            elif message["k"] == "shared":
                item = message["shared"]
                key = (str(item["agreement_id"]), str(item["item_id"]))
                (self.gone if item.get("purged") else self.came).setdefault(key, at)
            self._news.set()

    async def until(self, true: Callable[[], bool]) -> bool:
        """Whether it became so within the time."""
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def held(self, agreement: str) -> set[str]:
        """What came by it and is there still."""
        return {item for by, item in self.came.keys() - self.gone.keys() if by == agreement}

    def holds(self, agreement: str, copies: int) -> bool:
        return len(self.held(agreement)) >= copies


@asynccontextmanager
async def screen(seat: Seat) -> AsyncIterator[Screen]:
    url = str(seat.http.base_url).replace("http", "ws", 1).rstrip("/") + "/api/live"
    async with connect(url, additional_headers={"Cookie": seat.cookie}, compression=None) as live:
        await live.recv()  # hello: what is told from now on comes
        shown = Screen()
        listening = asyncio.create_task(shown.listen(live))
        try:
            yield shown
        finally:
            listening.cancel()


async def raised(all_: Agencies, count: int, seed: int) -> list[dict[str, Any]]:
    """So many alerts in the city's queue, by listed cars that passed its reader."""
    plates = listed_plates(count, seed + 1)
    lines = ["plate,state,category", *(f"{plate},NM,stolen_vehicle" for plate in plates)]
    body = {
        "file": base64.b64encode("\n".join(lines).encode()).decode(),
        "mapping": MAPPING,
        "shrunk": True,
    }
    await all_.city.admin("POST", f"/api/admin/lists/{LIST}/import", body)
    key = await reader(all_.city, "bench-gate")
    reads = [request("/ingest/lpr/farolito", key, _read(plate)) for plate in plates]
    async with screen(await all_.seat(all_.city, "operator")) as shown:
        await send_all("127.0.0.1", all_.city.hosted.port, reads, 1)
        if not await shown.until(lambda: len(shown.alerts) >= count):
            raise FarolitoError(f"{len(shown.alerts)} of {count} alerts were raised")
        return list(shown.alerts.values())


async def shares(
    shown: Screen, operator: Seat, agreement: str, alerts: Sequence[dict[str, Any]]
) -> list[float | None]:
    """Seconds from the press that confirms each alert; None where it never came."""
    took: list[float | None] = []
    for alert in alerts:
        began = time.perf_counter()
        await confirm(operator, alert)
        key = (agreement, str(alert["alert_id"]))
        came = await shown.until(partial(shown.came.__contains__, key))
        took.append(shown.came[key] - began if came else None)
    return took


async def confirm(operator: Seat, alert: dict[str, Any]) -> None:
    body = {"version": alert["version"], "crop_compared": True}
    await operator.post(f"/api/alerts/{alert['alert_id']}/confirm", body)


class Ended(NamedTuple):
    """Seconds from the press: its own answer, the first refused question, the last copy gone.
    `by_owner`: the owner's node refused it, and not the asker's own, which was told by then.
    `after`: the agreement and what was confirmed after the press, which must not come by it."""

    pressed: float
    refused: float
    purged: float
    by_owner: bool
    after: tuple[str, str]

    @property
    def effect(self) -> float:
        return max(self.refused, self.purged)


async def revocations(
    all_: Agencies,
    shown: Screen,
    agreement: str,
    alerts: tuple[Sequence[dict[str, Any]], Sequence[dict[str, Any]]],
    progress: Callable[[float], None],
) -> list[Ended]:
    """`agreement`: the first round's; each round after it has one of its own, by which what was
    confirmed flows anew. `alerts`: those that are, and one more for each round."""
    confirmed, more = alerts
    plate = confirmed[0]["match"]["entry"]["plate"]
    ended: list[Ended] = []
    for alert in more:
        if ended:
            agreement = await all_.agree(all_.city, all_.sheriff, GIVES)
        copies = len(confirmed) + len(ended)
        if not await shown.until(partial(shown.holds, agreement, copies)):
            raise FarolitoError(f"{len(shown.held(agreement))} of {copies} copies came")
        ended.append(await _revoked(all_, shown, agreement, plate, alert))
        progress(len(ended) / len(more))
    return ended


async def _revoked(
    all_: Agencies, shown: Screen, agreement: str, plate: str, alert: dict[str, Any]
) -> Ended:
    asker = await all_.seat(all_.sheriff, "operator")
    city = all_.city.told.agency_id
    if (await _answer(asker, plate, city))["state"] != "answered":
        raise FarolitoError("a question that is agreed was not answered")
    began = time.perf_counter()
    pressing = asyncio.create_task(_press(all_, agreement, alert))
    while (answer := await _answer(asker, plate, city))["state"] != "refused":
        if time.perf_counter() - began > WAIT_S_MAX:
            raise FarolitoError("a question was answered long after the agreement ended")
    refused = time.perf_counter()
    pressed = await pressing
    if not await shown.until(lambda: not shown.held(agreement)):
        raise FarolitoError(f"{len(shown.held(agreement))} copies were not deleted")
    purged = max(at for (by, _), at in shown.gone.items() if by == agreement)
    if (await _answer(asker, plate, city))["state"] != "refused":
        raise FarolitoError("a question was answered after one was refused")
    by_owner = answer["permit"] is not None
    after = (agreement, str(alert["alert_id"]))
    return Ended(pressed - began, refused - began, purged - began, by_owner, after)


async def _press(all_: Agencies, agreement: str, alert: dict[str, Any]) -> float:
    """The moment of its answer. What is confirmed then is confirmed too late to flow by it."""
    boss = await all_.seat(all_.city, "supervisor")
    operator = await all_.seat(all_.city, "operator")
    await boss.post(f"/api/agreements/{agreement}/revoke", {"because": "not_needed"})
    pressed = time.perf_counter()
    await confirm(operator, alert)
    return pressed


async def _answer(asker: Seat, plate: str, owner: str) -> dict[str, Any]:
    told = await asker.search(plate, [owner])
    return next(dict(one) for one in told["owners"] if one["agency_id"] == owner)


def told_shares(took: Sequence[float | None]) -> Figures:
    known = [seconds for seconds in took if seconds is not None]
    return {
        "share_p50_ms": percentile_ms(known, 0.50),
        "share_p99_ms": percentile_ms(known, 0.99),
        "shares": len(took),
        "shares_lost": len(took) - len(known),
    }


def told_revocations(ended: Sequence[Ended], came: Container[tuple[str, str]]) -> Figures:
    """`came`: whatever came to the screen, by agreement and thing."""
    return {
        "revoke_p50_ms": percentile_ms([one.effect for one in ended], 0.50),
        "revoke_p99_ms": percentile_ms([one.effect for one in ended], 0.99),
        "revoke_answered_p99_ms": percentile_ms([one.pressed for one in ended], 0.99),
        "revoke_refused_p99_ms": percentile_ms([one.refused for one in ended], 0.99),
        "revoke_purged_p99_ms": percentile_ms([one.purged for one in ended], 0.99),
        "revocations": len(ended),
        "revocations_refused_by_owner": sum(one.by_owner for one in ended),
        "shared_after_revocation": sum(one.after in came for one in ended),
    }


def _read(plate: str) -> bytes:
    return msgspec.json.encode([{
        "plate": plate, "captured_at": datetime.now(UTC), "confidence": 0.99,
        "characters": [0.999] * len(plate), "state": "NM", "state_confidence": 0.99,
    }])  # fmt: skip
