"""Joining, partners and hosted agencies, built from a node's parts and handed to its screens."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec

from farolito.app.config import Config
from farolito.app.hosting import Hosted, Hosting, NewHosted
from farolito.console.partners import Partners as ForScreens
from farolito.federation import Post
from farolito.federation.greeting import Greeting
from farolito.federation.invitation import OFFER_BYTES_MAX
from farolito.federation.joining import Joining
from farolito.federation.parting import Parting
from farolito.federation.partners import Lines, PartnerBook
from farolito.gate import Answer, Ask, Gate, Records
from farolito.identity import AgencyKey
from farolito.model import AgencyCard, AgencyId, Away, FarolitoError, Invalid, Person, Refused, Zone
from farolito.model.joining import KnownPartner
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

JOIN_PATH = "/api/federation/join"
JOIN_S_MAX = 20.0
ROUND_S = 30.0  # how often what a partner has not heard yet is said again


@dataclass(frozen=True)
class Rooms:
    """`hosting`: None where this node hosts nobody, as a hosted one."""

    gate: Gate
    post: Post
    key: AgencyKey
    lines: Lines
    system: Person
    hosting: Hosting | None


class Partners:
    """`load` first; `run` beside the rest of the node. `book`, `parting.on_leave` and
    `book.on_change` are for the other rooms of the federation."""

    def __init__(
        self,
        card: AgencyCard,
        rooms: Rooms,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._rooms = rooms
        self._nudged = asyncio.Event()
        self.book = PartnerBook(rooms.gate, rooms.post, rooms.key, card, rooms.lines, clock)
        self.joining = Joining(self.book, rooms.system, bring, ids)
        self.greeting = Greeting(self.book, rooms.system)
        self.parting = Parting(self.book, rooms.system)
        self.book.on_change.append(self._changed)

    async def load(self) -> None:
        await self.book.load()

    def nudge(self) -> None:
        """A partner is there again: say now what it has not heard yet."""
        self._nudged.set()

    async def run(self) -> None:
        """Tell partners what they have not heard: our card, that it has ended. Never returns."""
        while True:
            self._nudged.clear()
            try:
                await self.greeting.round()
                await self.parting.round()
            except AWAY as error:
                log.warning("partners wait: the records do not answer (%s)", type(error).__name__)
            except FarolitoError as error:
                log.warning("partners wait: %s", error)
            try:
                async with asyncio.timeout(ROUND_S):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    def for_screens(self) -> ForScreens:
        return ForScreens(
            own=self.book.shown_own,
            view=self.book.view,
            invite=self.joining.invite,
            join=self._join,
            confirm=self._confirm,
            leave=self._leave,
            leave_all=self._leave_all,
            take=self.joining.take,
            hosted=self._hosted,
            host=self._host,
            retire=self._retire,
        )

    async def _changed(self) -> None:
        self.nudge()

    # ---- as screens show it

    async def _join(self, ask: Ask, code: str) -> Answer[Mapping[str, Any]]:
        answer = await self.joining.join(ask, code)
        return Answer(self._shown(answer.value.agency_id), answer.permit)

    async def _confirm(self, ask: Ask, partner: AgencyId, said: str) -> Answer[Mapping[str, Any]]:
        answer = await self.book.confirm(ask, partner, said)
        return Answer(self._shown(partner), answer.permit)

    async def _leave(self, ask: Ask, partner: AgencyId) -> Answer[Mapping[str, Any]]:
        return self._left(await self.parting.leave(ask, partner))

    async def _leave_all(self, ask: Ask) -> Sequence[Answer[Mapping[str, Any]]]:
        return [self._left(one) for one in await self.parting.leave_all(ask)]

    def _left(self, answer: Answer[KnownPartner]) -> Answer[Mapping[str, Any]]:
        return Answer(self.book.shown(answer.value), answer.permit)

    def _shown(self, partner: AgencyId) -> Mapping[str, Any]:
        return self.book.shown(self.book.known()[partner])

    # ---- hosted agencies

    @property
    def _its_hosting(self) -> Hosting:
        """Raises FarolitoError."""
        if self._rooms.hosting is None:
            raise FarolitoError("this node hosts nobody", "ask the node that hosts this one")
        return self._rooms.hosting

    async def _hosted(self, ask: Ask) -> Answer[Sequence[Mapping[str, Any]]]:
        async def work(records: Records, permit: int) -> Sequence[Mapping[str, Any]]:
            hosting = self._rooms.hosting
            return [self._as_shown(one) for one in hosting.hosted()] if hosting else []

        return await self._rooms.gate.read(ask, work)

    async def _host(self, ask: Ask, told: Mapping[str, Any]) -> Answer[Mapping[str, Any]]:
        hosting = self._its_hosting
        try:
            new = msgspec.convert(told, NewHosted)
        except msgspec.ValidationError as error:
            raise Invalid(f"a hosted agency: {error}", "see farolito agency host --help") from error

        async def work(records: Records, permit: int) -> Hosted:
            return hosting.make(new)

        answer = await self._rooms.gate.act(ask, work)
        await hosting.start(answer.value)
        return Answer(self._as_shown(answer.value), answer.permit)

    async def _retire(self, ask: Ask, agency_id: AgencyId) -> Answer[Mapping[str, Any]]:
        hosting = self._its_hosting
        one = hosting.find(agency_id)

        async def work(records: Records, permit: int) -> None:
            """The entry is all; stopping a node takes seconds."""

        answer = await self._rooms.gate.act(ask, work)
        await hosting.end(agency_id)
        return Answer(self._as_shown(one), answer.permit)

    def _as_shown(self, one: Hosted) -> Mapping[str, Any]:
        problem = self._its_hosting.problems.get(one.agency_id)
        return {
            "agency_id": one.agency_id,
            "folder": str(one.folder),
            "url": f"http://localhost:{one.port}",
            "token_file": str(one.folder / "state" / "admin.token"),
            "problem": str(problem) if problem else None,
        }


def own_card(  # noqa: PLR0913 - what an agency says of itself
    config: Config,
    key: AgencyKey,
    ledger_key: str,
    witness_key: str,
    ca_pem: str,
    land: tuple[Zone, ...] = (),
) -> AgencyCard:
    """What this node's agency says of itself."""
    agency, federation = config.own_agency, config.federation
    return AgencyCard(
        agency_id=agency.agency_id,
        name=agency.name,
        ori=agency.ori,
        law=agency.law,
        government=agency.government,
        key=key.public,
        ledger_key=ledger_key,
        witness_key=witness_key,
        ca_pem=ca_pem,
        contact=federation.contact,
        land=land,
        consent_classes=federation.consent_classes,
    )


async def bring(address: str, raw: bytes) -> bytes:
    """An offer to another node's open route; its answer. Raises Away, or Refused with the other
    node's own words."""
    url = address.rstrip("/") + JOIN_PATH
    headers = {"Content-Type": "application/json"}
    try:
        # No redirects, and no proxy from the environment: the code names where to. Certificates
        # by the system's list, to which an agency adds its own authority.
        trusted = ssl.create_default_context()
        async with (
            httpx.AsyncClient(timeout=JOIN_S_MAX, trust_env=False, verify=trusted) as http,
            http.stream("POST", url, content=raw, headers=headers) as answer,
        ):
            said = b""
            async for piece in answer.aiter_bytes():
                said += piece
                if len(said) > OFFER_BYTES_MAX:
                    raise Refused("malformed", f"{address} answers too much", "check the address")
    except httpx.HTTPError as error:
        raise Away(
            f"no node answers at {address} ({type(error).__name__})",
            "check that its web can be reached from this machine, and try again with this code",
        ) from error
    if answer.status_code != 200:
        raise _said_no(address, answer.status_code, said)
    return said


class _No(msgspec.Struct):
    error: str
    says: str
    do: str = ""


def _said_no(address: str, status: int, said: bytes) -> Refused:
    try:
        no = msgspec.json.decode(said, type=_No)
    except msgspec.DecodeError:
        return Refused("malformed", f"{address} answers HTTP {status}", "is it a Farolito node?")
    return Refused(no.error, f"{address} says: {no.says}", no.do)
