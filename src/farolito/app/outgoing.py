"""What a node sends out: pictures of the present to TAK users, a nudge to phones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from farolito.app.config import Config
from farolito.app.positions import Positions
from farolito.briefing import Briefing
from farolito.delivery import (
    Follower,
    Listener,
    PushFeed,
    PushSender,
    Sender,
    TakFeed,
    TakLink,
    Targets,
    desk_uid,
    load_or_create_push_key,
)
from farolito.gate import Ask, Gate
from farolito.ingest.avl.cot import CotEvent
from farolito.ingest.avl.heard import Origin, Tell
from farolito.ingest.avl.sources import TakClientConfig
from farolito.ingest.avl.tak import Roster, TakClient, TakServer, TakUser
from farolito.ingest.avl.tak_units import TakUnits
from farolito.ingest.run import keep_running
from farolito.model import (
    AgencyId,
    AnswerKind,
    BriefId,
    Device,
    Person,
    Purpose,
    ReceiptKind,
    Role,
    Thing,
    Unit,
    UnitId,
)
from farolito.model.push import PushSubscription
from farolito.store import Database, Records

PEOPLE_KEPT = timedelta(seconds=2)

Work = Callable[[], Awaitable[Any]]  # runs until cancelled


class Rooms(NamedTuple):
    """What is told, and what takes in the answers."""

    gate: Gate
    briefing: Briefing
    positions: Positions
    database: Database
    devices: Callable[[], Sequence[Device]]
    people: Callable[[], Awaitable[Sequence[Person]]]
    tell: Callable[[str], Tell]
    clock: Callable[[], datetime]


class Outgoing:
    """TAK both ways, and web push. Without either configured nothing leaves the node.

    `beside`: who else follows the same news, inside the node.
    """

    def __init__(
        self, config: Config, rooms: Rooms, keys: Path, beside: Sequence[Listener]
    ) -> None:
        self._config = config
        self._rooms = rooms
        self._agency = AgencyId(config.agency.id)
        language = config.agency.language
        self._who = _Who(rooms, config)
        self._feed = TakFeed(
            rooms.gate, self._who, _Receipts(rooms), _Around(rooms), rooms.clock,
            language,
        )  # fmt: skip
        self.targets = Targets(config.push.allowed)
        self.push_key: str | None = None
        self._push: PushSender | None = None
        listeners: list[Listener] = [*beside]
        if config.tak_server or config.tak:
            listeners.append(self._feed)
        if config.push.contact:
            key = load_or_create_push_key(keys / "push.key", config.push.contact)
            self.push_key = key.public
            subscriptions = _Subscriptions(rooms.database, self._agency)
            self._push = PushSender(rooms.gate, subscriptions, key, self.targets, rooms.clock)
            listeners.append(PushFeed(self._push))
        self._follower = Follower(rooms.gate, listeners)
        self.server: TakServer | None = None

    def nudge(self) -> None:
        """Something was told."""
        self._follower.nudge()

    def people_changed(self) -> None:
        """Somebody was invited, suspended or moved to another unit."""
        self._who.look_again()

    async def start(self) -> None:
        """Our own TAK server listens. Raises FarolitoError for certificates, OSError for a port."""
        if self._config.tak_server is not None:
            await self._serve()

    async def close(self) -> None:
        if self.server is not None:
            await self.server.close()

    def work(self) -> Mapping[str, Work]:
        runs: dict[str, Work] = {"what goes out": self._follower.run}
        if self._config.tak_server or self._config.tak:
            runs["tak users"] = self._feed.run
        if self._push is not None:
            runs["push"] = self._push.run
        for config in self._config.tak:
            runs[f"tak {config.name}"] = self._connect(config)
        return runs

    async def _serve(self) -> None:
        config = self._config.tak_server
        assert config is not None
        heard = self._hearing("own TAK server", lambda: link)
        roster = Roster(config.units, config.callsigns, self._is_known)
        self.server = server = TakServer(config, heard, self._rooms.tell("tak"), roster)
        link = TakLink(
            name="own",
            is_direct=True,
            sender=Sender(uid=desk_uid(self._agency), callsign="RTCC"),
            send=server.send,
            users=lambda: server.users,
        )
        await server.start()

    def _connect(self, config: TakClientConfig) -> Work:
        heard = self._hearing(f"tak {config.name}", lambda: link if config.deliver else None)
        roster = Roster(config.units, config.callsigns, self._is_known)
        client = TakClient(config, heard, self._rooms.tell("tak"), roster)
        link = TakLink(
            name=config.name,
            is_direct=False,
            sender=Sender(
                uid=config.uid or f"farolito-{config.callsign}", callsign=config.callsign
            ),
            send=client.send,
        )
        return partial(keep_running, f"tak {config.name}", client.run)

    def _hearing(
        self, source: str, link: Callable[[], TakLink | None]
    ) -> Callable[[CotEvent, TakUser], Awaitable[None]]:
        """Positions of units to where they are believed, and every event to whom it concerns."""
        units = TakUnits(
            Origin(self._agency, source),
            self._rooms.positions.hear,
            self._rooms.tell("tak"),
            self._rooms.clock,
        )

        async def heard(event: CotEvent, user: TakUser) -> None:
            await units.on_event(event, user)
            to = link()
            if to is not None:
                await self._feed.hear(to, event, user)

        return heard

    def _is_known(self, unit_id: UnitId) -> bool:
        return self._rooms.positions.get(unit_id) is not None


class _Around:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def units(self) -> Sequence[Unit]:
        return self._rooms.positions.all()

    def devices(self) -> Sequence[Device]:
        return self._rooms.devices()


class _Who:
    """A TAK user is the officer of the unit that the table makes of them, or the person whom the
    configuration names for their certificate. Anybody else is nobody."""

    def __init__(self, rooms: Rooms, config: Config) -> None:
        self._rooms = rooms
        self._named = config.tak_server.people if config.tak_server else {}
        self._people: dict[str, Person] = {}
        self._until: datetime | None = None

    def look_again(self) -> None:
        self._until = None

    async def person_of(self, user: TakUser) -> Person | None:
        people = await self._all()
        if user.is_proven and user.name in self._named:
            return people.get(self._named[user.name])
        unit = self._rooms.positions.get(user.unit) if user.unit else None
        if unit is None or unit.officer is None:
            return None
        person = people.get(str(unit.officer))
        if person is None or person.unit != user.unit or person.role is not Role.OFFICER:
            return None
        return person

    async def _all(self) -> Mapping[str, Person]:
        """Who may sign in, looked up once for all users: a suspension acts within seconds."""
        now = self._rooms.clock()
        if self._until is None or now >= self._until:
            self._people = {str(p.person_id): p for p in await self._rooms.people()}
            self._until = now + PEOPLE_KEPT
        return self._people


class _Receipts:
    """The officer's own right, as if the phone had said it."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def receive(
        self, person: Person, brief_id: BriefId, version: int, kind: ReceiptKind
    ) -> None:
        ask = self._ask(person, f"{kind.value} brief {brief_id} v{version} by TAK")
        await self._rooms.briefing.receive(ask, brief_id, version, kind)

    async def reply(  # noqa: PLR0913 - an answer's own parts
        self,
        person: Person,
        brief_id: BriefId,
        answer_id: UUID,
        kind: AnswerKind,
        says: str,
        tapped_at: datetime,
    ) -> None:
        ask = self._ask(person, f"{kind.value} to brief {brief_id} by TAK")
        await self._rooms.briefing.reply(ask, brief_id, answer_id, kind, says, tapped_at)

    def _ask(self, person: Person, query: str) -> Ask:
        return Ask(
            person=person,
            thing=Thing.BRIEF,
            purpose=Purpose.IN_PROGRESS_CALL,
            query=query,
            device="tak",
        )


class _Subscriptions:
    def __init__(self, database: Database, agency: AgencyId) -> None:
        self._database = database
        self._agency = agency

    async def of_unit(self, unit: UnitId) -> Sequence[tuple[Person, PushSubscription]]:
        async with self._database.transaction(self._agency) as connection:
            return await Records(connection, self._agency).push.of_unit(unit)

    async def gone(self, endpoint: str) -> None:
        async with self._database.transaction(self._agency) as connection:
            await Records(connection, self._agency).push.drop(endpoint)
