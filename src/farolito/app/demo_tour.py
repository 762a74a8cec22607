"""The guided walk through the practice metro: every step is done by people of the three nodes.

Each step signs in as a persona over HTTP, as the simulator's phones do, and does what that person
would do on a screen. What it tells is what the nodes answered, with the numbers of their ledgers.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from farolito.app.demo_neighbours import Neighbouring
from farolito.audit import VerifierKey, verify
from farolito.audit.bundle import ENTRIES_MAX
from farolito.desk import Conflict
from farolito.identity import local_admin
from farolito.model import Agency, AgencyId, FarolitoError

STEPS = ("ask", "refused", "agree", "answered", "recall", "revoke", "prove")
CASE = "26-62790"
HOURS = 2
LIST = "county-watch"
TITLE = "Plates and lookouts between Cuesta County and Luminaria"
WAIT_S_MAX = 20.0
CAR_S_MAX = 30.0  # then the story is told of whatever both have read
WITNESSES_S_MAX = 75.0  # a partner that was away is asked again within a minute
_MAPPING = """\
name: County watch list
format: delimited
delimiter: comma
header: yes
columns: {plate: plate, state: state, category: category, case: case, entered_at: entered}
dates: {format: iso, zone: UTC}
defaults: {source_agency: NM9990200, confirm_with: 505-555-0142}
"""


class Seat:
    """One persona, signed in at one node. `did` keeps what they did, for the page."""

    def __init__(self, node: str, url: str, persona: str) -> None:
        self.node, self.persona = node, persona
        self._http = httpx.AsyncClient(base_url=url, timeout=30.0, trust_env=False)
        self._csrf = ""
        self.name = ""

    async def sit(self) -> None:
        body = {"persona": self.persona}
        told = _right(await self._http.post("/api/session/demo", json=body))
        self._csrf, self.name = told["csrf"], told["person"]["name"]

    async def get(self, path: str, **headers: str) -> dict[str, Any]:
        return _right(await self._http.get(path, headers=headers))

    async def fetch(self, path: str) -> bytes:
        answer = await self._http.get(path)
        if answer.is_error:
            _right(answer)
        return answer.content

    async def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        told = {"X-Farolito-CSRF": self._csrf, **headers}
        return _right(await self._http.post(path, json=body, headers=told))

    async def close(self) -> None:
        await self._http.aclose()


class Did(msgspec.Struct, frozen=True):
    """What one person did at one node, and the entry of that node's ledger. `what`: a word that
    the page has a sentence for; `told`: what the sentence names."""

    node: str
    person: str
    what: str
    permit: int | None = None
    told: Mapping[str, Any] = {}


class Step(msgspec.Struct, frozen=True):
    name: str
    at: datetime
    ms: float
    did: Sequence[Did]


class Tour:
    """Steps are taken in order, each once; `again` begins anew."""

    def __init__(self, city: Agency, city_url: str, neighbours: Sequence[Neighbouring]) -> None:
        self._city, self._city_name, self._city_url = str(city.agency_id), city.name, city_url
        self._sheriff, self._pueblo = neighbours
        self._walking = asyncio.Lock()
        self._seats: dict[tuple[str, str], Seat] = {}
        self._done: list[Step] = []
        self._agreement = ""
        self._plate = ""
        self._works: Mapping[str, Callable[[], Awaitable[list[Did]]]] = {
            "ask": self._ask,
            "refused": self._refused,
            "agree": self._agree,
            "answered": self._answered,
            "recall": self._recall,
            "revoke": self._revoke,
            "prove": self._prove,
        }

    def view(self) -> Mapping[str, Any]:
        sheriff, pueblo = self._sheriff, self._pueblo
        places = [
            (self._city, self._city_name, self._city_url),
            (sheriff.told.agency_id, sheriff.told.name, _local(sheriff.url)),
            (pueblo.told.agency_id, pueblo.told.name, _local(pueblo.url)),
        ]
        return {
            "nodes": [{"agency_id": i, "name": n, "url": u} for i, n, u in places],
            "steps": STEPS,
            "done": self._done,
        }

    async def again(self) -> Mapping[str, Any]:
        async with self._walking:
            await self._end_earlier()
            self._done, self._agreement, self._plate = [], "", ""
        return self.view()

    async def walk(self, name: str) -> Mapping[str, Any]:
        """Take the next step. Raises Conflict where it is another one's turn."""
        async with self._walking:
            due = STEPS[len(self._done)] if len(self._done) < len(STEPS) else ""
            if name != due:
                raise Conflict(f"the next step is {due or 'none'}", "take the steps in order")
            began = time.perf_counter()
            did = await self._works[name]()
            ms = (time.perf_counter() - began) * 1000
            self._done.append(Step(name, datetime.now(UTC), round(ms, 1), did))
        return self.view()

    async def close(self) -> None:
        for seat in self._seats.values():
            await seat.close()

    # ---- the steps

    async def _ask(self) -> list[Did]:
        """A listed car was read in the city: an operator wants to know where it came from."""
        ana = await self._at(self._city, "operator")
        await self._end_earlier()
        self._plate = await self._newest_plate(ana)
        whom = await ana.get("/api/search/owners")
        told = {"plate": self._plate, "owners": len(whom["owners"]), "case": CASE}
        return [Did(ana.node, ana.name, "wonders", whom.get("permit"), told)]

    async def _refused(self) -> list[Did]:
        ana = await self._at(self._city, "operator")
        answer = await self._search(ana)
        theirs = _of(answer, self._sheriff.told.agency_id)
        return [
            Did(ana.node, ana.name, "asked", answer["permit"], {"plate": self._plate}),
            self._no(ana, theirs),
        ]

    async def _agree(self) -> list[Did]:
        """The sheriff's people decide: terms, who gains, two signatures."""
        martha = await self._at(self._sheriff.told.agency_id, "admin")
        rick = await self._at(self._sheriff.told.agency_id, "supervisor")
        await self._end_earlier()
        draft = await martha.post("/api/agreements", _terms(self._city))
        path = f"/api/agreements/{draft['agreement_id']}"
        trial = await martha.get(f"{path}/simulation?days=30")
        first = await martha.post(f"{path}/sign", {"credential": None})
        second = await rick.post(f"{path}/sign", {"credential": None})
        self._agreement = draft["agreement_id"]
        received = await self._until_received("in_force")
        told = {"title": draft["title"], "document": draft["document"]}
        gains = {"asked": trial.get("asked", 0), "as_if": trial.get("as_if") or {}}
        return [
            Did(martha.node, martha.name, "drafted", draft.get("permit"), told),
            Did(martha.node, martha.name, "tried", trial.get("permit"), gains),
            Did(martha.node, martha.name, "signed", first.get("permit"), {"of": 2, "number": 1}),
            Did(rick.node, rick.name, "signed", second.get("permit"), {"of": 2, "number": 2}),
            Did(self._city, "", "verified", None, {"agreement": received["agreement_id"]}),
        ]

    async def _answered(self) -> list[Did]:
        ana = await self._at(self._city, "operator")
        answer = await self._search(ana)
        theirs = _of(answer, self._sheriff.told.agency_id)
        told = {
            "plate": self._plate, "state": theirs["state"], "reads": theirs.get("reads", []),
            "ms": theirs.get("ms"),
        }  # fmt: skip
        return [
            Did(ana.node, ana.name, "asked", answer["permit"], {"plate": self._plate}),
            Did(theirs["agency_id"], ana.name, "was_answered", theirs.get("permit"), told),
        ]

    async def _recall(self) -> list[Did]:
        """A lookout of the sheriff's reaches the city, was wrong, and is taken back everywhere."""
        joan = await self._at(self._sheriff.told.agency_id, "operator")
        ana = await self._at(self._city, "operator")
        # Entered now: what an earlier walk recalled comes back for no older row.
        entered = datetime.now(UTC).isoformat()
        row = f"plate,state,category,case,entered\n{self._plate},NM,stolen,26-0117,{entered}\n"
        listed = await self._sheriff.admin(
            "POST", f"/api/admin/lists/{LIST}/import",
            {
                "file": base64.b64encode(row.encode()).decode(), "mapping": _MAPPING,
                "shrunk": True,
            },
        )  # fmt: skip
        entry = await self._entry(joan)
        shared = await self._until_shared(ana, lambda item: item["recalled_at"] is None)
        began = time.perf_counter()
        reason = "the plate was read wrongly from the report"
        local = local_admin(AgencyId(joan.node)).name  # lists come in at the node's own machine
        path = f"/api/lists/{LIST}/entries/{entry}/recall"
        recalled = await joan.post(path, {"reason": reason})
        gone = await self._until_shared(ana, lambda item: item["recalled_at"] is not None)
        ms = round((time.perf_counter() - began) * 1000)
        return [
            Did(joan.node, local, "listed", listed.get("permit"), {"plate": self._plate}),
            Did(ana.node, ana.name, "was_told", None, {"title": shared["title"]}),
            Did(joan.node, joan.name, "recalled", recalled.get("permit"), {"reason": reason}),
            Did(ana.node, ana.name, "saw_recall", None, {"says": gone["recall_says"], "ms": ms}),
        ]

    async def _revoke(self) -> list[Did]:
        rick = await self._at(self._sheriff.told.agency_id, "supervisor")
        ana = await self._at(self._city, "operator")
        ended, ms = await self._end_agreement()
        await self._until_received("revoked")
        answer = await self._search(ana)
        theirs = _of(answer, self._sheriff.told.agency_id)
        left = await ana.get("/api/shared")
        kept = sum(one["agreement_id"] == self._agreement for one in left["items"])
        purge = await self._until_purged(rick)
        return [
            Did(rick.node, rick.name, "revoked", ended.get("permit"), {"ms": ms}),
            Did(self._city, "", "purged", None, {"kept": kept, "receipt": purge}),
            Did(ana.node, ana.name, "asked", answer["permit"], {"plate": self._plate}),
            self._no(ana, theirs),
        ]  # fmt: skip

    async def _prove(self) -> list[Did]:
        """An auditor of each side takes the ledger out and checks it without either node."""
        did = []
        for node in (self._city, self._sheriff.told.agency_id):
            auditor = await self._at(node, "auditor")
            did.append(await self._checked(auditor))
        return did

    async def _checked(self, auditor: Seat) -> Did:
        await auditor.sit()  # taking something out wants a sign-in of the last minutes
        alarms = await auditor.get("/api/ledger/alarms")
        page = await auditor.get("/api/ledger?limit=1")
        lines = [line.split(" ") for line in alarms["keys"].splitlines() if line]
        keys = [VerifierKey.parse(line[0]) for line in lines]
        first = max(0, page["size"] - ENTRIES_MAX)
        until = time.perf_counter() + WITNESSES_S_MAX
        while True:
            bundle = await auditor.fetch(f"/api/ledger/bundle?first={first}")
            verdict = await asyncio.to_thread(verify, bundle, keys[0], keys[1:])
            if verdict.ok or time.perf_counter() > until:
                break  # what still stands against it is told as it is
            await asyncio.sleep(2.0)
        told = {
            "ok": verdict.ok, "entries": verdict.entries, "size": verdict.size,
            "root": verdict.root, "witnesses": verdict.witnesses, "problems": verdict.problems,
            "alarms": len(alarms["alarms"]),
        }  # fmt: skip
        return Did(auditor.node, auditor.name, "proved", alarms.get("permit"), told)

    # ---- what the steps are made of

    async def _at(self, node: str, persona: str) -> Seat:
        seat = self._seats.get((node, persona))
        if seat is None:
            near: dict[str, str] = {
                one.told.agency_id: one.url for one in (self._sheriff, self._pueblo)
            }
            seat = Seat(node, near.get(node, self._city_url), persona)
            self._seats[node, persona] = seat
        try:
            await seat.get("/api/session")
        except FarolitoError:
            await seat.sit()
        return seat

    async def _newest_plate(self, ana: Seat) -> str:
        """Of a stolen car that was rightly read, so that it passed the sheriff's reader as well."""
        began = time.perf_counter()
        async with asyncio.timeout(WAIT_S_MAX * 6):
            while True:
                told = await ana.get("/api/alerts")
                strict = time.perf_counter() - began < CAR_S_MAX
                for match in (one["match"] for one in told["alerts"]):
                    if not _fits(match, strict=strict):
                        continue
                    if await self._seen_by_sheriff(match["entry"]["plate"]):
                        return str(match["entry"]["plate"])
                await asyncio.sleep(2.0)  # each look at the sheriff's is an entry there

    async def _seen_by_sheriff(self, plate: str) -> bool:
        joan = await self._at(self._sheriff.told.agency_id, "operator")
        body = {"plate": plate, "since_h": HOURS, "owners": []}
        told = await joan.post("/api/search/plate", body, **_for_call())
        return any(one.get("reads") for one in told["owners"])

    def _no(self, ana: Seat, theirs: Mapping[str, Any]) -> Did:
        """Where no agreement lets us ask, the question does not even leave."""
        told = {"plate": self._plate, "reason": theirs["reason"], "says": theirs["says"]}
        permit = theirs.get("permit")
        if permit is None:
            return Did(self._city, ana.name, "did_not_leave", None, told)
        return Did(theirs["agency_id"], ana.name, "was_refused", permit, told)

    async def _search(self, ana: Seat) -> dict[str, Any]:
        owners = [self._sheriff.told.agency_id]
        body = {"plate": self._plate, "since_h": HOURS, "owners": owners}
        return await ana.post("/api/search/plate", body, **_for_call())

    async def _entry(self, joan: Seat) -> str:
        told = await joan.get(f"/api/find?q={self._plate}")
        return str(next(e["entry_id"] for e in told["entries"] if e["list_id"] == LIST))

    async def _end_agreement(self) -> tuple[dict[str, Any], int | None]:
        """The press, and how long until the owner's own rules had it; None: it was over already."""
        rick = await self._at(self._sheriff.told.agency_id, "supervisor")
        told = await rick.get("/api/agreements")
        ours = next(a for a in told["given"] if a["agreement_id"] == self._agreement)
        if ours["state"] != "in_force":
            return ours, None
        began = time.perf_counter()
        path = f"/api/agreements/{self._agreement}/revoke"
        ended = await rick.post(path, {"because": "not_needed"})
        return ended, round((time.perf_counter() - began) * 1000)

    async def _end_earlier(self) -> None:
        """A walk that was left half way, be it before the node started, still lets the city ask."""
        rick = await self._at(self._sheriff.told.agency_id, "supervisor")
        for one in (await rick.get("/api/agreements"))["given"]:
            if one["title"] == TITLE and one["state"] == "in_force":
                path = f"/api/agreements/{one['agreement_id']}/revoke"
                await rick.post(path, {"because": "not_needed"})

    async def _until_received(self, state: str) -> dict[str, Any]:
        boss = await self._at(self._city, "supervisor")

        async def found() -> dict[str, Any] | None:
            told = await boss.get("/api/agreements")
            of = (a for a in told["received"] if a["agreement_id"] == self._agreement)
            return next((a for a in of if a["state"] == state), None)

        return dict(await _until(found))

    async def _until_shared(
        self, ana: Seat, wanted: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        async def found() -> dict[str, Any] | None:
            told = await ana.get("/api/shared")
            rows = (i for i in told["items"] if i["kind"] == "hot_list" and wanted(i))
            return next((i for i in rows if i["agreement_id"] == self._agreement), None)

        return dict(await _until(found))

    async def _until_purged(self, rick: Seat) -> Any:
        async def found() -> Any:
            told = await rick.get("/api/agreements")
            mine = next(a for a in told["given"] if a["agreement_id"] == self._agreement)
            purge = mine.get("purge")
            return purge if purge and purge["answered_at"] else None

        return await _until(found)


async def _until(found: Callable[[], Awaitable[Any]]) -> Any:
    """What is found once it is there. Raises FarolitoError where it never is."""
    try:
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                what = await found()
                if what is not None:
                    return what
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise FarolitoError("what should have come by now has not", "look at /health") from error


def _terms(grantee: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "grantee": grantee,
        "title": TITLE,
        "text": "So that a stolen car does not vanish at the county line.",
        "classes": {"plate_read": "full", "hot_list": "full"},
        "sharing": ["ask", "follow"],
        "purposes": ["in_progress_call", "hot_list_alert", "criminal_investigation"],
        "roles": ["operator", "detective"],
        "starts": (now - timedelta(minutes=1)).isoformat(),
        "expires": (now + timedelta(days=90)).isoformat(),
        "keep_days": 7,
        "record_days": 14,
    }


def _fits(match: Mapping[str, Any], *, strict: bool) -> bool:
    """Whether the story can be told of it; `strict`: of a stolen car and of nothing else."""
    kind = ((match["read"].get("vehicle") or {}).get("kind") or {}).get("value")
    is_car = kind != "motorcycle" and match["entry"]["category"] == "stolen_vehicle"
    return match["standing"] == "lead" and (is_car or not strict)


def _for_call() -> dict[str, str]:
    return {"X-Farolito-Purpose": "in_progress_call", "X-Farolito-Case": CASE}


def _of(answer: Mapping[str, Any], agency: str) -> dict[str, Any]:
    return next(dict(one) for one in answer["owners"] if one["agency_id"] == agency)


def _local(url: str) -> str:
    """As people open it: browsers keep sign-ins by the host's name."""
    return url.replace("127.0.0.1", "localhost")


def _right(answer: httpx.Response) -> dict[str, Any]:
    """Raises FarolitoError with the node's own words."""
    said = answer.json()
    if answer.is_error:
        raise FarolitoError(str(said.get("says", answer.status_code)), str(said.get("do", "")))
    return dict(said)
