"""The federation of a node: other agencies, what is agreed, what is asked, what flows.

Made after the desks, since it follows what they change; started after its rules and handlers are
in place, since from then on partners are heard.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from farolito.app.agreeing import AgreementRooms, agreement_rooms
from farolito.app.config import Config
from farolito.app.engines import Engines
from farolito.app.health import Finding
from farolito.app.hosting import Hosting
from farolito.app.land_file import read_land
from farolito.app.partners import Partners, own_card
from farolito.app.partners import Rooms as PartnerRooms
from farolito.app.sharing import Rooms as SharedRooms
from farolito.app.sharing import SharingRooms
from farolito.app.shots import Shots
from farolito.app.witnesses import Witnesses, witness_key
from farolito.audit import Ledger
from farolito.bus.line_end import PartnerDown
from farolito.desk import Desk, Dispatch
from farolito.desk.search import PlateSearch
from farolito.federation import PartnerAway, Post
from farolito.federation.answering import PlateAnswers
from farolito.federation.asking import Asking
from farolito.federation.suspensions import Suspensions
from farolito.gate import Gate, Records
from farolito.identity import AgencyKey
from farolito.identity.signing import Signing
from farolito.media import Pictures
from farolito.model import AgencyId, Person, PersonId, ShareClass, Unit


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What the node has made already. `suspended`: the number of the list of our own suspended
    people, and the list. `hosting`: None where it hosts nobody."""

    engines: Engines
    gate: Gate
    ledger: Ledger
    system: Person
    desk: Desk
    dispatch: Dispatch
    shots: Shots
    pictures: Pictures
    units: Callable[[], Sequence[Unit]]
    suspended: Callable[[], Awaitable[tuple[int, Sequence[PersonId]]]]
    hosting: Hosting | None


# Reasons of the post's that speak of a fault or of malice, and not of rules or of bad moments.
_BAD = frozenset({"forged_agency", "altered", "replayed", "malformed", "not_for_us", "flood"})


async def _behind(records: Records) -> list[Any]:
    return await records.sharing.behind()


class NatsLine:
    """What carries sealed bytes to partners: the bus."""

    def __init__(self, engines: Engines) -> None:
        self._bus = engines.partners

    async def request(self, partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        try:
            return await self._bus.request(partner, raw, timeout_s)
        except PartnerDown as error:
            raise PartnerAway(error.says, error.do) from error

    async def share(
        self, partner: AgencyId, share_class: ShareClass, raw: bytes, timeout_s: float
    ) -> bytes:
        try:
            return await self._bus.share(partner, share_class, raw, timeout_s)
        except PartnerDown as error:
            raise PartnerAway(error.says, error.do) from error


class Federation:
    """`load` before anything of the node listens, `start` once its works run."""

    def __init__(  # noqa: PLR0913 - the node, its parts, time and chance
        self,
        config: Config,
        rooms: Rooms,
        state: Path,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        *,
        demo: bool,
    ) -> None:
        self._config, self._rooms, self._clock = config, rooms, clock
        gate, system, agency = rooms.gate, rooms.system, config.own_agency
        keys = state / "keys"
        self.bus = rooms.engines.partners
        line = NatsLine(rooms.engines)
        key = AgencyKey.load(keys / "agency.key", os.urandom)
        self.post = Post(agency.agency_id, key, line, gate.is_new, clock, ids)
        witnessing = witness_key(keys, agency.agency_id)
        card = own_card(
            config,
            key,
            str(rooms.ledger.verifier_key),
            str(witnessing.verifier),
            rooms.engines.ca_pem,
            read_land(config.federation.land),
        )
        parts = PartnerRooms(
            gate=gate, post=self.post, key=key, lines=self.bus, system=system, hosting=rooms.hosting
        )
        self.partners = Partners(card, parts, clock, ids)
        self.book = self.partners.book
        self.agreeing = self._agreeing(key, clock, ids, demo=demo)
        self.agreements = self.agreeing.book
        self.suspensions = Suspensions(
            gate, self.post, system, self.book.partners, rooms.suspended, clock
        )
        self._search(agency, clock, ids)
        self.sharing = SharingRooms(
            SharedRooms(
                gate=gate,
                post=self.post,
                system=system,
                desk=rooms.desk,
                dispatch=rooms.dispatch,
                shots=rooms.shots.desk,
                listening=rooms.shots.listening,
                pictures=rooms.pictures,
                bus=rooms.engines.bus,
                own_card=lambda: self.book.own_card,
                partners=self.book.partners,
                agreements=self.agreements.all,
                agreement=self.agreements.get,
                units=rooms.units,
                share=line.share,
            ),
            ZoneInfo(config.agency.zone),
            clock,
        )
        self.witnesses = Witnesses(
            self.post,
            self.book.partners,
            rooms.ledger,
            witnessing,
            rooms.engines.database,
            gate,
            system,
            agency,
            config.federation.witnesses_min,
            clock,
        )
        self._hooks()

    def _agreeing(
        self,
        key: AgencyKey,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        *,
        demo: bool,
    ) -> AgreementRooms:
        config, rooms = self._config, self._rooms
        host = urlsplit(config.origin).hostname or "localhost"
        database = rooms.engines.database
        signing = Signing(database, host, [config.origin], clock, os.urandom, demo=demo)
        return agreement_rooms(
            config.own_agency,
            rooms.gate,
            rooms.system,
            self.post,
            key,
            signing,
            self.book.partners,
            self._exports,
            clock,
            ids,
        )

    def _search(self, agency: Any, clock: Callable[[], datetime], ids: Callable[[], UUID]) -> None:
        gate, partners = self._rooms.gate, self.book.partners
        in_force = self.agreements.in_force
        self.asking = Asking(gate, self.post, agency, partners, in_force, clock)
        self.search = PlateSearch(gate, agency, clock, ids, self.asking)
        self.answers = PlateAnswers(
            gate,
            partners,
            clock,
            ZoneInfo(self._config.agency.zone),
            self._config.federation.contact,
            self.suspensions.is_suspended,
        )
        self.post.on("ask", self.answers.take)

    def _hooks(self) -> None:
        """What follows in one room from what changed in another."""
        sharing, agreements = self.sharing, self.agreements
        agreements.on_changed.append(sharing.on_changed)
        agreements.on_revoked.append(sharing.on_revoked)
        parting = self.partners.parting
        parting.on_leave.extend([agreements.left, sharing.on_leave, self.suspensions.left])
        self.book.on_change.append(self._partners_changed)
        self.bus.on_change.append(self._line_changed)
        self.bus.serve(self.post.take)
        self.bus.serve_shares(self._take_share)

    async def load(self) -> None:
        """Partners and agreements as they are kept; the rules that follow from them."""
        await self.partners.load()
        await self.suspensions.load()
        await self.agreements.start()
        await self.sharing.start()

    async def start(self) -> None:
        """From here on partners are heard."""
        await self.bus.start()

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {
            "partners": self.partners.run,
            "agreements": self.agreeing.news.run,
            "witnesses": self.witnesses.run,
            "suspensions": self.suspensions.run,
            **self.sharing.work(),
        }

    def nudge(self) -> None:
        """An act is durable."""
        self.sharing.nudge()

    async def findings(self) -> list[Finding]:
        """For the health page."""
        return [
            *await self.witnesses.findings(),
            *await self._away(),
            *self._bad(),
            *await self._new_askers(),
            *self._hosted(),
        ]

    def _hosted(self) -> list[Finding]:
        """Agencies that live on this machine and did not come up."""
        problems = self._rooms.hosting.problems if self._rooms.hosting else {}
        return [
            Finding("wrong", f"the hosted agency {agency} does not run: {why.says}", why.do)
            for agency, why in problems.items()
        ]

    async def _away(self) -> list[Finding]:
        """Partners whose node does not answer, and what waits for them."""
        behind = {b.partner: b for b in await self._rooms.gate.following(_behind)}
        told = []
        for agency, partner in self.book.confirmed().items():
            if self.bus.connected(agency):
                continue
            waits = behind.get(agency)
            waiting = f"; {waits.waiting} things wait for it" if waits else ""
            what = f"the line to {partner.card.name} is down{waiting}"
            told.append(Finding("look", what, "it comes back by itself; else call them"))
        return told

    def _bad(self) -> list[Finding]:
        """Partners by whose line came what no honest node sends."""
        by: dict[AgencyId, list[str]] = {}
        for (agency, reason), count in sorted(self.post.refused.items()):
            if reason in _BAD:
                by.setdefault(agency, []).append(f"{count} {reason}")
        for agency in self.bus.partners:
            if dropped := self.bus.dropped(agency):
                by.setdefault(agency, []).append(f"{dropped} too many at once")
        names = {agency: one.card.name for agency, one in self.book.partners().items()}
        return [
            Finding(
                "look",
                f"messages of {names.get(agency, agency)} are refused: {', '.join(why)}",
                "call them: their node is at fault, or somebody speaks by it",
            )
            for agency, why in sorted(by.items())
        ]

    async def _new_askers(self) -> list[Finding]:
        """Who asked us for the first time: the owner is told at once."""
        names = {agency: one.card.name for agency, one in self.book.partners().items()}
        return [
            Finding("look", f"{names.get(one, one)} asked us for the first time", "see /review")
            for one in await self.answers.new_askers()
        ]

    async def _exports(self, partner: AgencyId, until: Mapping[ShareClass, datetime]) -> None:
        if partner in self.bus.partners:
            await self.bus.exports(partner, {one.value: at for one, at in until.items()})

    async def _take_share(self, partner: AgencyId, share_class: str, raw: bytes) -> bytes:
        return await self.post.take(partner, raw)

    async def _partners_changed(self) -> None:
        self.suspensions.nudge()
        self.sharing.partners_changed()
        self.agreements.refresh()

    def _line_changed(self, partner: AgencyId, is_there: bool) -> None:
        if is_there:
            self.partners.nudge()
            self.suspensions.nudge(partner)
            self.witnesses.witnessing.nudge()
            self.sharing.partner_is_back(partner)
            self.agreements.changed.set()
