"""Nodes that do not know each other yet, and what joins them: a web that brings bytes, and cables
that stand for the bus."""

from __future__ import annotations

import os
from base64 import b32encode
from collections.abc import Callable

from farolito.app.clock import ids
from farolito.federation.greeting import Greeting
from farolito.federation.joining import Joining
from farolito.federation.parting import Parting
from farolito.federation.partners import Lines, PartnerBook
from farolito.gate import Ask
from farolito.model import AgencyCard, AgencyId, Away, BusCard, FarolitoError, Purpose, Role, Thing
from tests.federation.neighbours import Neighbours, Side

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


class Cables:
    """The ends of lines that one node has. `address`: where it listens."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.ends: dict[AgencyId, tuple[BusCard, BusCard]] = {}

    def card(self) -> BusCard:
        return BusCard(
            account=_nkey("A"), user=_nkey("U"), ca_pem=PEM, pin=os.urandom(32).hex(),
            address=self.address,
        )  # fmt: skip

    async def add(self, partner: AgencyId, own: BusCard, theirs: BusCard) -> BusCard:
        if not (theirs.address and theirs.user_jwt):
            if not self.address:
                raise FarolitoError("neither node can be connected to")
            # Whom the leave is for stands in it, as in a real one.
            own = BusCard(**{**_as_dict(own), "user_jwt": f"leave.{theirs.user}.x"})
        self.ends[partner] = (own, theirs)
        return own

    async def remove(self, partner: AgencyId) -> None:
        self.ends.pop(partner, None)

    def connected(self, partner: AgencyId) -> bool:
        return partner in self.ends


class Web:
    """Brings bytes to the open route of the node at an address. A test may read and alter them."""

    def __init__(self) -> None:
        self.nodes: dict[str, Stranger] = {}
        self.on_the_way: Callable[[bytes], bytes] = lambda raw: raw
        self.on_the_way_back: Callable[[bytes], bytes] = lambda raw: raw
        self.seen: list[bytes] = []

    async def bring(self, address: str, raw: bytes) -> bytes:
        if address not in self.nodes:
            raise Away(f"no node answers at {address}")
        self.seen.append(raw)
        back = await self.nodes[address].joining.take(self.on_the_way(raw))
        self.seen.append(back)
        return self.on_the_way_back(back)


class Stranger:
    """A node with the rooms that join and part."""

    def __init__(self, side: Side, web: Web, address: str = "") -> None:
        self.side, self.web = side, web
        self.url = f"http://{side.agency_id}.example"
        web.nodes[self.url] = self
        self.cables = Cables(address)
        self.lines: Lines = self.cables
        self.use(side.card)

    def use(self, card: AgencyCard) -> None:
        """As the node is after a start with this card."""
        side = self.side
        side.post._handlers.pop("hello", None)
        side.post._handlers.pop("leave", None)
        self.book = PartnerBook(side.gate, side.post, side.key, card, self.lines, side.clock)
        self.joining = Joining(self.book, side.system, self.web.bring, ids)
        self.greeting = Greeting(self.book, side.system)
        self.parting = Parting(self.book, side.system)

    @property
    def agency_id(self) -> AgencyId:
        return self.side.agency_id

    def ask(self, role: Role = Role.AGENCY_ADMIN, query: str = "partners") -> Ask:
        side = self.side
        person = side.person(role, "Admin Begay")
        return side.ask(person, Thing.PARTNER, Purpose.ADMINISTRATION, query=query)

    async def code(self) -> str:
        return (await self.joining.invite(self.ask(), self.url)).value[0]

    async def confirm(self, other: Stranger) -> None:
        await self.book.confirm(self.ask(), other.agency_id, other.book.own_fingerprint)


async def strangers(neighbours: Neighbours) -> tuple[Stranger, Stranger, Stranger]:
    """City, sheriff and pueblo before they know each other; the city listens."""
    web = Web()
    city = Stranger(neighbours.city, web, "city.example:7422")
    others = Stranger(neighbours.sheriff, web), Stranger(neighbours.pueblo, web)
    for one in (city, *others):
        await one.book.load()
    return city, *others


async def join(inviter: Stranger, guest: Stranger) -> None:
    """As far as both confirming."""
    await guest.joining.join(guest.ask(), await inviter.code())
    await inviter.confirm(guest)
    await guest.confirm(inviter)
    for one in (inviter, guest):
        await one.greeting.round()


def _nkey(kind: str) -> str:
    return kind + b32encode(os.urandom(35)).decode()[:55]


def _as_dict(card: BusCard) -> dict[str, str]:
    return {name: getattr(card, name) for name in card.__struct_fields__}
