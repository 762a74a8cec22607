"""Makes every room of a node and wires them; the only place that knows them all."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from farolito.acoustics.storm import Storm
from farolito.app import incoming, outgoing
from farolito.app.cameras import Cameras
from farolito.app.cameras import Rooms as CameraParts
from farolito.app.clock import ids, now
from farolito.app.config import Config
from farolito.app.engines import hold, start
from farolito.app.federation_rooms import Federation
from farolito.app.federation_rooms import Rooms as FederationParts
from farolito.app.figures import Figures
from farolito.app.health import Finding
from farolito.app.hosting import Hosting
from farolito.app.incoming import Incoming
from farolito.app.index import ListIndex
from farolito.app.late_pictures import LatePictures
from farolito.app.list_desk import ListDesk
from farolito.app.outgoing import Outgoing
from farolito.app.partner_lists import PartnerLists
from farolito.app.people import PeopleRooms
from farolito.app.pipeline import Pipeline
from farolito.app.positions import Positions
from farolito.app.public import Parts as PublicParts
from farolito.app.public import Public
from farolito.app.retention import Keeping, Retention
from farolito.app.reviewing import Reviews
from farolito.app.shots import Rooms as ShotRooms
from farolito.app.shots import Shots
from farolito.app.surroundings import MapSurroundings
from farolito.app.watch import Watch
from farolito.app.ways import Ways
from farolito.audit import Ledger, Spool
from farolito.audit.key_file import load_or_create
from farolito.audit.records import origin_of
from farolito.briefing import Briefing, Words
from farolito.console.services import Tour
from farolito.console.sockets import Hub, StormCard
from farolito.desk import Desk, Dispatch
from farolito.desk.place_search import PlaceSearch
from farolito.gate import Gate, Records, system_ask
from farolito.identity import Identity, system_person
from farolito.ingest.door import Door
from farolito.ingest.map.files import load as load_map
from farolito.media import Pictures
from farolito.model import (
    Device,
    IncidentId,
    Person,
    Thing,
    UnitId,
)
from farolito.policy import Policies
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

CANCELLED_AGAIN_S = 5.0
MAP_NAME = "metro"  # the map that the screens show: <state>/maps/metro.pmtiles and metro.map


class NodeRooms:
    """Every room of a node, made and wired; `Node` starts and ends them."""

    def __init__(self, config: Config, *, demo: bool = False) -> None:
        self.config = config
        self.demo = demo
        self.agency = config.own_agency
        self.state = config.state
        self.system = system_person(self.agency.agency_id)
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[Any]] = []
        self._accepting = True
        self.tour: Tour | None = None  # of a practice metro, once its neighbours are there

    async def _engines(self) -> None:
        hold(self.state, self._stack)
        bus_port = self.config.node.bus_port
        federation = self.config.federation
        engines = await start(self.state, self.agency.agency_id, bus_port, self._stack, federation)
        self.engines, self.supervisor = engines, engines.supervisor
        self.dsn, self.database, self.bus = engines.dsn, engines.database, engines.bus

    async def _rooms(self) -> None:
        agency = self.agency.agency_id
        policies = Policies.load(self.agency.law, [self.agency])
        self.pack = policies.pack
        keys = self.state / "keys"
        keys.mkdir(mode=0o700, exist_ok=True)
        self.ledger = await Ledger.open(self.database, agency, keys / "ledger.key", now, os.urandom)
        self._stack.push_async_callback(self.ledger.close)
        spool_key = load_or_create(keys / "spool.key", f"{origin_of(agency)}/spool", os.urandom)
        self.spool = Spool(self.state / "spool", spool_key, os.urandom)
        self.pictures = Pictures(self.state / "pictures")
        self.gate = Gate(
            policies, self.ledger, self.spool, self.database, self.pictures, self.agency, now
        )
        self.gate.zone = ZoneInfo(self.config.agency.zone)
        origin = urlsplit(self.config.origin)
        self.identity = Identity(
            self.database,
            origin.hostname or "localhost",
            [self.config.origin],
            now,
            os.urandom,
            self.demo,
            agency=agency,
            name=self.agency.name,
        )
        self.cameras = self._cameras()
        await self.cameras.load()
        self._stack.push_async_callback(self.cameras.close)
        self.desk = Desk(self.gate, self.system, now, ids)
        self.surroundings = MapSurroundings({d.device_id: d for d in await self.identity.devices()})
        self.surroundings.seen_by = self.cameras.best_eye
        self.new_map()
        self.places = PlaceSearch(
            self.gate,
            self.agency,
            self.surroundings.find,
            self.surroundings.describe,
            self.surroundings.readers,
        )
        self.positions = Positions(self.database, agency, now)
        await self.positions.load()
        self._stack.push_async_callback(self.positions.save)
        self._incident_rooms()
        self.watch = Watch(self.database, agency, ids, self.config.limits.dead_letters)
        self._stack.push_async_callback(self.watch.keep)
        await self._ways_in_and_out()
        self.federation = self._federation()
        self.lists = ListIndex(self.database, agency)
        await self.lists.reload()
        self.list_desk = ListDesk(self.gate, self.desk, self.lists, policies.pack, agency, now, ids)
        late_pictures = LatePictures(self.desk, self.pictures, self.config.pictures.hosts)
        self._stack.push_async_callback(late_pictures.close)
        self.pipeline = Pipeline(
            self.database,
            self.bus,
            self.desk,
            self.pictures,
            late_pictures,
            self.lists,
            now,
            self.watch.duplicate,
        )
        self.retention = Retention(
            self.database,
            self.pictures,
            self.ledger,
            self.gate,
            self.system,
            Keeping.of(self.agency, policies.pack, self.config.video.keep_clips_days),
            now,
            self.identity.forget_old,
            self.cameras.works.end,
        )
        self.pipeline.handing_over = self.federation.sharing.handing_over
        rows = PartnerLists(self.gate, self.system, self.desk, self.lists, policies.pack, now)
        self.federation.sharing.use_lists(self.list_desk, rows)
        await self.federation.load()
        self.public = Public(
            self.config,
            PublicParts(
                gate=self.gate,
                ledger=self.ledger,
                system=self.system,
                pack=self.pack,
                keeping=self.retention.keeping,
                devices=self.identity.devices,
                cameras=self.cameras.rooms.book.all,
                partners=self.federation.book.partners,
                agreements=self.federation.agreements.all,
                witnesses=self.federation.witnesses.view,
            ),
            now,
            demo=self.demo,
        )
        post, partners = self.federation.post, self.federation.book.partners
        self.reviews = Reviews(self.gate, self.system, self._people, post, partners, now, ids)
        self.people = PeopleRooms(
            self.config, self.identity, self.database, self.gate, self.federation.suspensions, now
        )
        self.people.on_changed.extend([self.hub.look_again, self.cameras.rooms.watching.look_again])
        self.figures = Figures(
            config=self.config,
            supervisor=self.supervisor,
            database=self.database,
            bus=self.bus,
            pipeline=self.pipeline,
            identity=self.identity,
            ledger=self.ledger,
            spool=self.spool,
            pack=self.pack,
            watch=self.watch,
            hub=self.hub,
            positions=self.positions,
            words=self.words,
            shots=self.shots,
            cameras=self.cameras,
            federation=self._findings,
            clock=now,
            started_at=now(),
        )
        self.door = Door(
            self.bus.reads.publish,
            self.identity.device_for_key,
            self.watch,
            self.positions.hear,
            self._why_refusing,
            now,
            self.incoming.door,
            AWAY,
            self.shots.doors,
        )
        self._stack.push_async_callback(self.door.close)

    def _federation(self) -> Federation:
        """After dispatch and the briefs: what goes to partners is what both have made of it."""
        self.hosting = Hosting(self.state, self.supervisor)
        parts = FederationParts(
            engines=self.engines,
            gate=self.gate,
            ledger=self.ledger,
            system=self.system,
            desk=self.desk,
            dispatch=self.dispatch,
            shots=self.shots,
            pictures=self.pictures,
            units=self.positions.all,
            suspended=self.identity.suspended,
            hosting=self.hosting,
        )
        return Federation(self.config, parts, self.state, now, ids, demo=self.demo)

    def _cameras(self) -> Cameras:
        node = self.config.node
        ports = (node.port, *node.door_ports, urlsplit(self.engines.bus_url).port or 0)
        parts = CameraParts(
            database=self.database,
            gate=self.gate,
            identity=self.identity,
            supervisor=self.supervisor,
            system=self.system,
            own_ports=ports,
        )
        return Cameras(self.config, parts, self.state, now, ids)

    def _incident_rooms(self) -> None:
        """Calls and alerts become incidents, incidents become briefs, in one transaction each."""
        self.words = Words.load(self.state / "words")
        for problem in self.words.problems:
            log.error("a catalogue of words is not used as it is: %s; %s", problem.says, problem.do)
        self.dispatch = Dispatch(self.gate, self.system, self.surroundings, now, ids)
        self.briefing = Briefing(
            self.gate,
            self.surroundings,
            self.desk.assign_in,
            self.desk.close_in,
            now,
            ids,
            words=self.words,
            language=self.config.agency.language,
            positions=self.positions,
            zone=ZoneInfo(self.config.agency.zone),
            system=self.system,
        )
        self.briefing.dispatch = self.dispatch
        self.dispatch.followers.append(self.briefing.on_incident)
        # The incident first: a brief that is about both is made of what both know.
        self.desk.followers.extend([self.dispatch.follow_alert, self.briefing.follow])
        self.ways = Ways(self.gate, self.positions, self.surroundings, now, self._stands_there)
        self.hub = Hub(self.gate, now, self.positions, self.ways.way)
        self.hub.cameras = self.cameras.rooms.states.news

    async def _ways_in_and_out(self) -> None:
        self.incoming = Incoming(
            self.config,
            incoming.Rooms(self.dispatch, self.identity, self.positions, self.watch),
            self.state,
            now,
        )
        await self.incoming.expect_signers()
        self.shots = Shots(
            self.config,
            ShotRooms(
                database=self.database,
                bus=self.bus,
                gate=self.gate,
                pictures=self.pictures,
                supervisor=self.supervisor,
                watch=self.watch,
                system=self.system,
                signer_for=self.incoming.signer_for,
                on_storms=self._storms_are,
                describe=self.surroundings.describe,
            ),
            self.state,
            now,
            ids,
        )
        self._stack.push_async_callback(self.shots.close)
        # The incident first: a brief that is about both is made of what both know.
        followers = [self.dispatch.follow_shot, self.briefing.follow_shot]
        self.shots.desk.followers.extend(followers)
        self.outgoing = Outgoing(
            self.config,
            outgoing.Rooms(
                gate=self.gate,
                briefing=self.briefing,
                positions=self.positions,
                database=self.database,
                devices=lambda: list(self.surroundings.devices.values()),
                people=self._people,
                tell=self.incoming.tell,
                clock=now,
            ),
            self.state / "keys",
            [self.ways],
        )
        self._stack.push_async_callback(self.outgoing.close)
        self.gate.after_act = self._told

    async def _findings(self) -> list[Finding]:
        return [*await self.federation.findings(), *await self.reviews.findings()]

    def _told(self) -> None:
        self.hub.nudge()
        self.outgoing.nudge()
        self.federation.nudge()

    def _storms_are(self, storms: Sequence[Storm]) -> None:
        self.hub.storms = tuple(
            StormCard(s.number, s.kind, s.says, datetime.fromtimestamp(s.since_s, UTC), s.sources)
            for s in storms
        )

    async def _people(self) -> list[Person]:
        """Who may sign in now."""
        return [
            account.person
            for account in await self.identity.people()
            if account.suspended_at is None and account.locked_at is None
        ]

    async def _stands_there(self, incident_id: IncidentId, unit: UnitId, metres: float) -> None:
        """A unit stands where it was sent: a line of the incident's log."""

        async def work(records: Records, permit: int) -> None:
            says = f"{unit} stands {metres:.0f} m from the place, by its position"
            await self.dispatch.note_in(records, incident_id, "unit_near", says, None, unit, permit)

        ask = system_ask(self.system, Thing.INCIDENT, f"arrival of {unit} by its position")
        await self.gate.act(ask, work)

    async def units_changed(self) -> None:
        await self.positions.load()
        self.outgoing.people_changed()

    async def push_allowed(self, endpoint: str) -> None:
        await self.outgoing.targets.check(endpoint)

    def new_map(self) -> None:
        """Look at the map folder again: a map was imported."""
        street_map = self._street_map()
        self.surroundings.use(street_map)
        self.cameras.use_map(street_map, self.surroundings.graph)

    async def register(self, device: Device, public_key: bytes | None = None) -> str:
        """Make a device known and give it a key, or a secret to sign with; shown once. Empty for
        a sensor that signs with a key of its own: there is nothing that somebody could lose."""
        if public_key is not None:
            await self.identity.register_sensor(device, public_key)
            key = ""
        else:
            key = await self.identity.issue_device_key(device)
        if device.kind == "cad" and device.format == "cloudevents":
            key = self.incoming.new_secret(device.device_id)
        await self.devices_changed()
        return key

    async def devices_changed(self) -> None:
        """Devices were added, moved or removed."""
        self.surroundings.devices = {d.device_id: d for d in await self.identity.devices()}
        await self.shots.registered()

    def _why_refusing(self) -> str | None:
        if not self._accepting:
            return "the node is stopping"
        return self.figures.disk_full()

    def _street_map(self) -> Any:
        path = self.state / "maps" / f"{MAP_NAME}.map"
        return load_map(path) if path.exists() else None

    def map_view(self) -> Mapping[str, Any]:
        tiles = self.state / "maps" / f"{MAP_NAME}.pmtiles"
        return {
            "tiles": f"/tiles/{tiles.name}" if tiles.exists() else None,
            "do": "" if tiles.exists() else "farolito map import FILE --name metro",
            "lands": self.federation.sharing.land.shown(),
        }
