"""Agencies to measure: whole nodes in processes of their own, joined as their people would.

Each has its own PostgreSQL, NATS, keys, rules and ledger. The city's node listens; the others
connect to it by a leaf link over loopback with mutual TLS. People are the demo's personas, who come
over HTTP and WebSocket as browsers do.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from farolito.app.demo_neighbours import COMMAND, Neighbour, Neighbouring
from farolito.app.hosting import Hosting, NewHosted
from farolito.app.supervise import Supervisor
from farolito.cli.bench_ports import free_ports
from farolito.model import AgencyId, FarolitoError

CITY = Neighbour(AgencyId("bench-pd"), "Bench City Police", "NM9990100", "city", "watch desk")
SHERIFF = Neighbour(AgencyId("bench-so"), "Bench Sheriff", "NM9990200", "county", "watch desk")
PUEBLO = Neighbour(AgencyId("bench-nation"), "Bench Pueblo", "NM9990300", "tribal", "police desk")
STARTED_AT_ONCE = 3
WAIT_S_MAX = 30.0
LOOK_EVERY_S = 0.02
PURPOSE = {"X-Farolito-Purpose": "in_progress_call", "X-Farolito-Case": "26-000117"}

T = TypeVar("T")


class Seat:
    """One persona, signed in at one node. `cookie` opens the live socket."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=30.0, trust_env=False)
        self.cookie = ""
        self._csrf = ""

    async def sit(self, persona: str) -> None:
        answer = await self.http.post("/api/session/demo", json={"persona": persona})
        self._csrf = right(answer)["csrf"]
        self.cookie = str(answer.headers["set-cookie"].partition(";")[0])

    async def get(self, path: str) -> dict[str, Any]:
        return right(await self.http.get(path))

    async def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        told = {"X-Farolito-CSRF": self._csrf, **headers}
        return right(await self.http.post(path, json=body, headers=told))

    async def search(self, plate: str, owners: Sequence[str]) -> dict[str, Any]:
        """Where was this plate, in our own records and those of `owners`?"""
        body = {"plate": plate, "since_h": 24, "owners": list(owners)}
        return await self.post("/api/search/plate", body, **PURPOSE)


class Agencies:
    """The city and its partners; the sheriff is the first of them."""

    def __init__(self, all_: Sequence[Neighbouring]) -> None:
        self.city, *self.partners = all_
        self.sheriff = self.partners[0]
        self._seats: dict[tuple[AgencyId, str], Seat] = {}

    async def seat(self, at: Neighbouring, persona: str) -> Seat:
        key = (at.told.agency_id, persona)
        if key not in self._seats:
            self._seats[key] = Seat(at.url)
            await self._seats[key].sit(persona)
        return self._seats[key]

    async def join(self, host: Neighbouring, guest: Neighbouring) -> None:
        """A code, and both compare the fingerprints. Returns when the line is there both ways."""
        body = {"address": host.url}
        invited = await host.admin("POST", "/api/admin/partners/invite", body)
        body = {"code": invited["code"]}
        joined = await guest.admin("POST", "/api/admin/partners/join", body)
        await _confirm(guest, joined["partner"])
        await _confirm(host, await _partner(host, guest))
        for one, other in ((host, guest), (guest, host)):
            await until(partial(_is_there, one, other))

    async def agree(
        self, grantor: Neighbouring, grantee: Neighbouring, classes: dict[str, str]
    ) -> str:
        """Drafted, and signed by two people of the grantor's; returns its id when the other side
        holds it as in force."""
        admin, boss = await self.seat(grantor, "admin"), await self.seat(grantor, "supervisor")
        await asyncio.gather(admin.sit("admin"), boss.sit("supervisor"))  # signing wants it fresh
        draft = await admin.post("/api/agreements", terms(grantee.told.agency_id, classes))
        number = str(draft["agreement_id"])
        for person in (admin, boss):
            await person.post(f"/api/agreements/{number}/sign", {"credential": None})
        await self.received(grantee, number, "in_force")
        return number

    async def received(self, at: Neighbouring, agreement: str, state: str) -> None:
        async def is_so() -> bool | None:
            told = await at.admin("GET", "/api/admin/agreements")
            states = {one["agreement_id"]: one["state"] for one in told["received"]}
            return states.get(agreement) == state or None

        await until(is_so)

    async def close(self) -> None:
        for seat in self._seats.values():
            await seat.http.aclose()


@asynccontextmanager
async def agencies(partners: int, progress: Callable[[float], None]) -> AsyncIterator[Agencies]:
    """The city and so many partners, joined with it; of two, the sheriff and the pueblo with each
    other too. Raises FarolitoError where one does not come up."""
    folder = Path(tempfile.mkdtemp(prefix="farolito-bench-"))
    folder.chmod(0o711)
    supervisor = Supervisor()
    try:
        told = [CITY, SHERIFF, PUEBLO, *map(_another, range(3, partners + 1))][: partners + 1]
        made = await _started(folder, told, supervisor)
        progress(0.6)
        together = Agencies(made)
        for done, guest in enumerate(together.partners, start=1):
            await together.join(together.city, guest)
            progress(0.6 + 0.4 * done / len(together.partners))
        if partners == len((SHERIFF, PUEBLO)):
            await together.join(*together.partners)
        try:
            yield together
        finally:
            await together.close()
    finally:
        await asyncio.gather(*(supervisor.end(one.name) for one in supervisor.status()))
        shutil.rmtree(folder, ignore_errors=True)


async def until(look: Callable[[], Awaitable[T | None]]) -> T:
    """What is found once it is there. Raises FarolitoError where it never is."""
    end = time.monotonic() + WAIT_S_MAX
    while time.monotonic() < end:
        if (found := await look()) is not None:
            return found
        await asyncio.sleep(LOOK_EVERY_S)
    raise FarolitoError("what should have come by now has not", "is the machine overloaded?")


def right(answer: httpx.Response) -> dict[str, Any]:
    """Raises FarolitoError with the node's own words."""
    said = answer.json()
    if answer.is_error:
        raise FarolitoError(str(said.get("says", answer.status_code)), str(said.get("do", "")))
    return dict(said)


def terms(grantee: str, classes: dict[str, str]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "grantee": grantee,
        "title": "Plates and alerts between neighbours",
        "text": "So that a stolen car does not vanish at the county line.",
        "classes": classes,
        "sharing": ["ask", "follow"],
        "purposes": ["hot_list_alert", "in_progress_call", "criminal_investigation"],
        "roles": ["operator", "supervisor", "detective"],
        "starts": (now - timedelta(minutes=1)).isoformat(),
        "expires": (now + timedelta(days=90)).isoformat(),
        "keep_days": 7,
    }


def _another(number: int) -> Neighbour:
    agency_id = AgencyId(f"bench-{number:02d}")
    return Neighbour(agency_id, f"Bench Town {number}", f"NM99904{number:02d}", "city", "desk")


async def _started(
    folder: Path, told: Sequence[Neighbour], supervisor: Supervisor
) -> list[Neighbouring]:
    few = asyncio.Semaphore(STARTED_AT_ONCE)
    ports = free_ports(2 * len(told))

    async def start(number: int, one: Neighbour) -> Neighbouring:
        hosting = Hosting(folder / one.agency_id, supervisor, COMMAND)
        new = NewHosted(
            agency_id=one.agency_id,
            name=one.name,
            ori=one.ori,
            government=one.government,
            port=ports[number],
        )
        folder.joinpath(one.agency_id).mkdir(mode=0o711)
        hosted = hosting.make(new)
        with hosted.file.open("a") as file:
            file.write(_more(one, ports[len(told) + number]))
        async with few:
            await hosting.start(hosted)
        return Neighbouring(one, hosted)

    return list(await asyncio.gather(*(start(n, one) for n, one in enumerate(told))))


def _more(one: Neighbour, listening: int) -> str:
    """Of two partners one must listen: the city, and the sheriff for the pueblo."""
    lines = ["", "[federation]", f'contact = "{one.name}, {one.contact}"']
    if one in (CITY, SHERIFF):
        lines += [f"port = {listening}", 'host = "127.0.0.1"', f'address = "127.0.0.1:{listening}"']
    return "\n".join([*lines, "", "[video]", "sweep_minutes = 0.0", ""])


async def _confirm(at: Neighbouring, partner: dict[str, Any]) -> None:
    path = f"/api/admin/partners/{partner['agency_id']}/confirm"
    await at.admin("POST", path, {"fingerprint": partner["fingerprint"]})


async def _partner(at: Neighbouring, other: Neighbouring) -> dict[str, Any]:
    told = await at.admin("GET", "/api/admin/partners")
    return next(dict(p) for p in told["partners"] if p["agency_id"] == other.told.agency_id)


async def _is_there(one: Neighbouring, other: Neighbouring) -> bool | None:
    return bool((await _partner(one, other))["connected"]) or None
