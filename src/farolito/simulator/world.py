"""One practice metro, whole: its map, cars, readers, hot lists, patrol units and drill."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from farolito.geo.street_map import LatLon, StreetMap
from farolito.model import AgencyId, Device, DeviceId, UnitId
from farolito.simulator.addresses import Addresses
from farolito.simulator.calls import Draw, Event
from farolito.simulator.city import City
from farolito.simulator.dispatcher import Dispatcher
from farolito.simulator.ears import Ears, place_ears
from farolito.simulator.hot_list import ListFile, Plant, Row, make_hot_lists, planted
from farolito.simulator.metro import make_metro
from farolito.simulator.misread import Reading, Report, report
from farolito.simulator.neighbours import NeighbourReader, echoes, place_neighbours
from farolito.simulator.patrol import STEADY, UNITS, Patrol, Streets
from farolito.simulator.readers import Reader, place_readers, watched
from farolito.simulator.scenario import Scene, drill
from farolito.simulator.soundscape import Soundscape
from farolito.simulator.story import FIRST_AFTER_S, Story
from farolito.simulator.traffic import ZONE, Passage, Traffic

OPENING_CALLS, OPENING_SCENES = 4, 6  # of the drill, that have cameras about them


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the practice metro is made of. The same values give the same bytes.

    `start` is when the first car passes, with a zone. `speed` 2 makes twice as much happen in the
    same time. `practice_hour` is the local hour whose traffic drives at `start` (a demo at night
    would be empty); None is the true one. `list_rows` is the length of the state's list. `ori`
    names the agency in its dispatch system's messages. `ears` gunshot sensors, near enough, stand
    around `ears_around`; None is where the drill's first shots are fired.
    """

    start: datetime
    seed: int = 7
    agency: AgencyId = AgencyId("luminaria-pd")
    vehicles: int = 40_000
    readers: int = 64
    units: tuple[UnitId, ...] = UNITS
    speed: float = 1.0
    practice_hour: float | None = 16.7
    list_rows: int = 3_000
    drill: bool = True
    calls: bool = True
    ears: int = 72
    ears_around: LatLon | None = None
    ori: str = "NM9990100"
    neighbours: bool = False  # whether the sheriff and the pueblo read plates on their own roads


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What truly happened at one reader, and what the reader made of it. Never sent to a node.

    `at` is the true time, `reader_at` the reader's. `read` None: it saw nothing. `listed`: the
    lists on which this very car (plate and state) stands in force; `cue` the drill's case.
    """

    event: str
    reader: DeviceId
    format: str
    at: datetime
    reader_at: datetime | None
    plate: str
    state: str
    vehicle: str
    read: str | None
    reading: Reading | None
    listed: tuple[str, ...] = ()
    plant: Plant | None = None
    cue: str | None = None


class Happening(msgspec.Struct, frozen=True):
    """One car at one reader: the truth, and the reader's report of it if it made one."""

    truth: Truth
    reader: Reader
    report: Report | None


class World:
    """Made by `make_world`. `devices`, `lists`, `street_map` are what a node must know of it."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.street_map: StreetMap = make_metro(config.seed)
        self.traffic = Traffic(self.street_map, config.seed, config.vehicles)
        roads = self.traffic.roads
        self.readers = place_readers(roads, config.seed, config.agency, config.readers)
        self.lists: tuple[ListFile, ...] = make_hot_lists(
            config.seed, self.traffic.fleet, config.start, config.list_rows
        )
        self.neighbours: tuple[NeighbourReader, ...] = ()
        if config.neighbours:
            self.neighbours = place_neighbours(roads, self.street_map, config.agency, self.readers)
        self._watching = (*self.readers, *(n.reader for n in self.neighbours))
        self._by_id = {r.device.device_id: r for r in self._watching}
        self._rows: dict[tuple[str, str], list[tuple[str, Row]]] = {}
        for one in self.lists:
            for row in one.rows:
                self._rows.setdefault((row.plate, row.state), []).append((one.list_id, row))

    @cached_property
    def patrol(self) -> Patrol:
        """Made when first asked for: a node that is only furnished needs no driver."""
        config = self.config
        streets = Streets(self.street_map)
        return Patrol(streets, config.seed, config.start, config.units, self._hour())

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """The dispatch centre, which sends the cars of `patrol`."""
        config = self.config
        return Dispatcher(self.patrol, self._events[0], self._story, config.ori, config.seed)

    @cached_property
    def ears(self) -> Ears | None:
        """Its gunshot sensors; None without calls, or where none are wanted."""
        config = self.config
        around = config.ears_around
        if around is None and self._first_call is not None:
            around = self._first_call[0].spot.at
        if around is None or not config.ears:
            return None
        return place_ears(config.seed, config.agency, around, config.ears)

    @cached_property
    def soundscape(self) -> Soundscape | None:
        """What the sensors hear."""
        config = self.config
        if self.ears is None:
            return None
        return Soundscape(config.seed, self.ears, self._events[1], config.start)

    @cached_property
    def opening(self) -> tuple[LatLon, ...]:
        """Where the drill begins: its first calls, and the readers of its first listed cars."""
        if not self.config.drill or not self.config.calls:
            return ()
        calls = [event.spot.at for event in itertools.islice(self._every_event(), OPENING_CALLS)]
        readers = dict.fromkeys(
            scene.passage.reader for scene in itertools.islice(self._scenes(), OPENING_SCENES)
        )
        places = [self._by_id[reader].device.place for reader in readers]
        return (*calls, *((p.lat, p.lon) for p in places if p is not None))

    @cached_property
    def _events(self) -> tuple[Iterator[Event], Iterator[Event]]:
        """The same events twice: for those who are called, and for the sensors that hear them."""
        one, other = itertools.tee(self._every_event())
        return one, other

    def _every_event(self) -> Iterator[Event]:
        config = self.config
        draw = Draw(self._addresses, self.traffic.fleet, _chance(f"calls {config.seed}"))
        cast = (self.traffic.fleet, planted(self.lists))
        scenes = drill(config.seed, config.start, cast, self.readers) if config.drill else iter(())
        city = City(draw, scenes, self.readers, config.start, self._hour())
        first = [] if self._first_call is None else [self._first_call[0]]
        return heapq.merge(first, city.events(config.speed), key=lambda event: event.at)

    @cached_property
    def _story(self) -> Story | None:
        config = self.config
        if not config.drill or not config.calls or STEADY not in config.units:
            return None
        draw = Draw(self._addresses, self.traffic.fleet, _chance(f"story {config.seed}"))
        cast = (self.traffic.fleet, planted(self.lists))
        return Story(draw, self.patrol, self.readers, cast)

    @cached_property
    def _first_call(self) -> tuple[Event, Scene] | None:
        at = self.config.start + timedelta(seconds=FIRST_AFTER_S)
        return None if self._story is None else self._story.first(at)

    @cached_property
    def _addresses(self) -> Addresses:
        return Addresses(self.street_map, self.patrol.streets.graph)

    def _hour(self) -> float:
        local = self.practice_start().astimezone(ZONE)
        return local.hour + local.minute / 60

    @property
    def devices(self) -> tuple[Device, ...]:
        return tuple(r.device for r in self.readers)

    def happenings(self) -> Iterator[Happening]:
        """Without end, in order of the true time."""
        ordinary = ((p, None) for p in self._passages())
        scripted = ((s.passage, s) for s in self._scenes())
        echoed = ((p, None) for p in self._echoes())
        for passage, scene in heapq.merge(
            ordinary, scripted, echoed, key=lambda found: found[0].at
        ):
            yield self._happening(passage, scene)

    def _echoes(self) -> Iterator[Passage]:
        """The drill's listed cars at the neighbours' readers, from the start on."""
        if not self.neighbours:
            return iter(())
        found = echoes(self._scenes(), self.neighbours)
        return (p for p in found if p.at >= self.config.start)

    def _scenes(self) -> Iterator[Scene]:
        if not self.config.drill:
            return iter(())
        cast = (self.traffic.fleet, planted(self.lists))
        scenes = drill(self.config.seed, self.config.start, cast, self.readers)
        if self._first_call is None:
            return scenes
        return heapq.merge(scenes, [self._first_call[1]], key=lambda scene: scene.passage.at)

    def _passages(self) -> Iterator[Passage]:
        """The traffic of the practice hour, moved to `start` and hurried by `speed`."""
        start, practice = self.config.start, self.practice_start()
        for passage in self.traffic.passages(watched(self._watching), practice):
            at = start + (passage.at - practice) / self.config.speed
            yield msgspec.structs.replace(passage, at=at)

    def scripted(self) -> Iterator[Passage]:
        """The drill's passages alone, in order of time, without end where there is a drill."""
        return (scene.passage for scene in self._scenes())

    def practice_start(self) -> datetime:
        """The moment whose traffic drives at the configuration's start."""
        start, hour = self.config.start, self.config.practice_hour
        if hour is None:
            return start
        local = start.astimezone(ZONE)
        # A Wednesday: an ordinary working day, whatever day the drill is held on.
        day = local + timedelta(days=2 - local.weekday())
        at = day.replace(hour=int(hour), minute=int(hour % 1 * 60), second=0, microsecond=0)
        return at.astimezone(start.tzinfo)

    def _happening(self, passage: Passage, scene: Scene | None) -> Happening:
        reader = self._by_id[passage.reader]
        told = report(self.config.seed, reader, passage, scene.scripted if scene else None)
        car = passage.vehicle
        rows = self._rows.get((car.plate, car.state), ())
        truth = Truth(
            event=told.event if told else "",
            reader=passage.reader,
            format=reader.device.format,
            at=passage.at,
            reader_at=told.at if told else None,
            plate=car.plate,
            state=car.state,
            vehicle=f"{car.colour} {car.make} {car.model} {car.kind}",
            read=told.text if told else None,
            reading=told.reading if told else None,
            listed=tuple(i for i, r in rows if r.expires_at > passage.at),
            plant=scene.row.plant if scene else next((r.plant for _, r in rows if r.plant), None),
            cue=scene.cue if scene else None,
        )
        return Happening(truth, reader, told)


def _chance(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - practice, no secret


def make_world(config: SimulatorConfig) -> World:
    """2–3 s (2 cores); holds ~80 MB."""
    return World(config)
