"""Three neighbours that know each other: a city, a sheriff and a pueblo, each with a database, a
gate, a ledger and a key of its own, and a line between them that a test can cut."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from farolito.app.clock import ids
from farolito.audit import Ledger, Spool
from farolito.audit.key_file import load_or_create
from farolito.audit.note import COSIGNS, SigningKey
from farolito.audit.records import origin_of
from farolito.federation import PartnerAway, Post
from farolito.gate import Ask, Gate, Records
from farolito.identity import AgencyKey, system_person
from farolito.media import Pictures
from farolito.model import (
    Agency,
    AgencyCard,
    AgencyId,
    EnvelopeId,
    Partner,
    PartnerState,
    Person,
    PersonId,
    Point,
    Purpose,
    Role,
    Thing,
    Zone,
)
from farolito.policy import Policies
from farolito.store import Database
from tests.databases import Databases

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CITY = Agency(agency_id=AgencyId("city-pd"), name="City Police", ori="NM9990100")
SHERIFF = Agency(
    agency_id=AgencyId("county-so"), name="County Sheriff", ori="NM9990200", government="county"
)
PUEBLO = Agency(
    agency_id=AgencyId("pueblo-pd"), name="Pueblo Police", ori="NM9990300", government="tribal"
)
# North of the town of tests/geo/towns.py and east of it: nobody else's sensor stands there.
LAND = Zone(
    "Pueblo land",
    (Point(35.20, -106.60), Point(35.20, -106.50), Point(35.30, -106.50), Point(35.30, -106.60)),
)


class Wire:
    """Carries sealed bytes between the sides at once, unless a test has cut it.

    `log` keeps what crossed, as it crossed, for tests that alter it or send it again.
    """

    def __init__(self) -> None:
        self.posts: dict[AgencyId, Post] = {}
        self.cut: set[frozenset[AgencyId]] = set()
        self.log: list[tuple[AgencyId, AgencyId, bytes]] = []

    def between(self, one: AgencyId) -> _Line:
        return _Line(self, one)


class _Line:
    def __init__(self, wire: Wire, own: AgencyId) -> None:
        self._wire, self._own = wire, own

    async def request(self, partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        wire = self._wire
        if partner not in wire.posts or frozenset((self._own, partner)) in wire.cut:
            raise PartnerAway(f"{partner} does not answer", "its node or the line to it is down")
        wire.log.append((self._own, partner, raw))
        return await wire.posts[partner].take(self._own, raw)


class Side:
    """One agency's node, as far as the federation needs it."""

    def __init__(
        self, agency: Agency, database: Database, gate: Gate, ledger: Ledger, key: AgencyKey,
        post: Post, card: AgencyCard, witness_key: SigningKey, now: list[datetime],
    ) -> None:  # fmt: skip
        self.agency, self.database, self.gate, self.ledger = agency, database, gate, ledger
        self.key, self.post, self.card, self.witness_key = key, post, card, witness_key
        self.system = system_person(agency.agency_id)
        self.partners: dict[AgencyId, Partner] = {}
        self._now = now

    @property
    def agency_id(self) -> AgencyId:
        return self.agency.agency_id

    def clock(self) -> datetime:
        return self._now[0]

    def later(self, seconds: float) -> datetime:
        """Wind the clock of all sides."""
        self._now[0] += timedelta(seconds=seconds)
        return self._now[0]

    def person(self, role: Role, name: str = "Rivera", **more: Any) -> Person:
        return Person(
            person_id=PersonId(ids()), agency=self.agency_id, name=name, role=role, **more
        )

    def ask(self, person: Person, thing: Thing, purpose: Purpose, **more: Any) -> Ask:
        told = {"query": "test", "signed_in_at": self.clock(), **more}
        return Ask(person=person, thing=thing, purpose=purpose, **told)

    @asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        async with self.database.transaction(self.agency_id) as connection:
            yield Records(connection, self.agency_id)


class Neighbours:
    def __init__(self, wire: Wire, sides: Mapping[AgencyId, Side]) -> None:
        self.wire, self.sides = wire, sides
        self.city = sides[CITY.agency_id]
        self.sheriff = sides[SHERIFF.agency_id]
        self.pueblo = sides[PUEBLO.agency_id]

    def cut(self, one: Side, other: Side) -> None:
        self.wire.cut.add(frozenset((one.agency_id, other.agency_id)))

    def mend(self, one: Side, other: Side) -> None:
        self.wire.cut.discard(frozenset((one.agency_id, other.agency_id)))


@asynccontextmanager
async def three_neighbours(databases: Databases, folder: Path) -> AsyncIterator[Neighbours]:
    """Joined and confirmed already; nothing is agreed."""
    wire, now = Wire(), [START]
    async with AsyncExitStack() as stack:
        sides = {}
        for agency in (CITY, SHERIFF, PUEBLO):
            name = databases.take()
            stack.callback(databases.give_back, name)
            database = await Database.open(databases.address(name))
            stack.push_async_callback(database.close)
            side = await _side(agency, database, folder / agency.agency_id, wire, now)
            stack.push_async_callback(side.ledger.close)
            sides[agency.agency_id] = side
        for side in sides.values():
            others = [one for one in sides.values() if one is not side]
            side.partners = {o.agency_id: _partner(o.card, now[0]) for o in others}
            side.post.keys = {o.agency_id: o.card.key for o in others}
            wire.posts[side.agency_id] = side.post
        yield Neighbours(wire, sides)


async def _side(
    agency: Agency, database: Database, folder: Path, wire: Wire, now: list[datetime]
) -> Side:
    def clock() -> datetime:
        return now[0]

    folder.mkdir()
    own = agency.agency_id
    ledger = await Ledger.open(database, own, folder / "ledger.key", clock, os.urandom)
    spool_key = load_or_create(folder / "spool.key", f"{origin_of(own)}/spool", os.urandom)
    spool = Spool(folder / "spool", spool_key, os.urandom)
    policies = Policies.load(agency.law, [agency])
    gate = Gate(policies, ledger, spool, database, Pictures(folder / "pictures"), agency, clock)
    key = AgencyKey.load(folder / "agency.key", os.urandom)
    witness_key = SigningKey(f"farolito/{own}/witness", os.urandom(32), COSIGNS)
    post = Post(own, key, wire.between(own), _remembers(), clock, ids)
    return Side(
        agency, database, gate, ledger, key, post,
        _card(agency, key, str(ledger.verifier_key), str(witness_key.verifier)), witness_key, now,
    )  # fmt: skip


def _card(agency: Agency, key: AgencyKey, ledger_key: str, witness_key: str) -> AgencyCard:
    return AgencyCard(
        agency_id=agency.agency_id,
        name=agency.name,
        ori=agency.ori,
        law=agency.law,
        government=agency.government,
        key=key.public,
        ledger_key=ledger_key,
        witness_key=witness_key,
        ca_pem="",
        contact=f"{agency.name}, watch desk, 505 555 0100",
        land=(LAND,) if agency is PUEBLO else (),
    )


def _partner(card: AgencyCard, at: datetime) -> Partner:
    return Partner(
        card=card, state=PartnerState.CONFIRMED, since=at, confirmed_at=at, confirmed_by="test"
    )


def _remembers() -> Any:
    """Messages that were taken, for the length of a test; the node keeps them in its store."""
    taken: set[tuple[AgencyId, UUID]] = set()

    async def is_new(sender: AgencyId, envelope_id: EnvelopeId, at: datetime) -> bool:
        known = (sender, envelope_id) in taken
        taken.add((sender, envelope_id))
        return not known

    return is_new
