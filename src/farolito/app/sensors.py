"""The agency's gunshot sensors as the node knows them: where, how, how far each is believed.

What a sensor that is set aside tells is counted and not located with. Its state changes are told
once in the log and stand on the health page; none of it enters the operator's queue.
"""

from __future__ import annotations

import logging
import statistics
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from farolito.acoustics import Air, Net, Pulse, Sensor, Source
from farolito.acoustics.coverage import Surface, surface
from farolito.acoustics.history import Beat, Watch
from farolito.acoustics.trust import DOWN_S, Cause, State, Trust, net_of, trusted
from farolito.geo import Plane
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    Impulse,
    ImpulseId,
    Point,
    SensorReport,
    Weather,
)
from farolito.store import Database, Records

log = logging.getLogger(__name__)

KNOWN_IMPULSES_MAX = 50_000  # so that a pulse read twice is heard once
WEATHER_KEPT = timedelta(minutes=15)
TEMPERATURE_SD_C, WIND_SD_MPS = 1.5, 1.5
SURFACE_KEPT = timedelta(seconds=10)
REPEATED_SHOWN = timedelta(minutes=30)
REPEATED_KEPT = 100  # of one sensor


class SensorView(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor for the screen."""

    sensor: DeviceId
    name: str
    place: Point | None
    state: State
    says: str
    do: str
    heard_at: datetime | None
    clock_error_s: float | None
    clock_source: str | None
    noise_db: float | None
    temperature_c: float | None
    strays_per_s: float


class Sensors:
    """`net` and `air` are what the locator is given, in metres of `plane`."""

    def __init__(self, database: Database, agency: AgencyId, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._agency = agency
        self._clock = clock
        self._devices: dict[str, Device] = {}
        self._reports: dict[str, SensorReport] = {}
        self._heard_at: dict[str, datetime] = {}
        self._trusts: dict[str, Trust] = {}
        self._watch = Watch(Net(()))
        self._aside: dict[str, str] = {}  # why, as the store has it
        self._repeated: dict[str, deque[datetime]] = {}
        self._known: OrderedDict[ImpulseId, None] = OrderedDict()
        self._surface: tuple[datetime, tuple[Any, ...], Surface] | None = None
        self._registered = Net(())
        self._is_new = True
        self.plane = Plane((0.0, 0.0))
        self.net: tuple[Sensor, ...] = ()
        self.air = Air()
        self.weather = Weather(at=clock())

    async def load(self) -> None:
        """The registered sensors, what each said last, and who was set aside.

        While a node is away nobody hears its sensors: who was heard until it ended counts as up
        when it starts, until it stays silent. Who was set aside stays so until there is evidence.
        """
        async with self._database.transaction(self._agency) as connection:
            rows = await Records(connection, self._agency).sensors.all()
        devices = {
            str(row.device.device_id): row.device for row in rows if row.device.place is not None
        }
        if devices != self._devices:
            self._settle(devices)
        reports = {str(row.device.device_id): row.report for row in rows if row.report is not None}
        ended = max((report.received_at for report in reports.values()), default=self._clock())
        for name, report in reports.items():
            if name not in self._reports:
                is_alive = (ended - report.received_at).total_seconds() < DOWN_S
                self._heartbeat(report, self._clock() if is_alive else report.received_at)
        for row in rows:
            name = str(row.device.device_id)
            if row.set_aside is not None and name not in self._aside:
                self._aside[name] = row.set_aside
                self._trusts.setdefault(name, _told_aside(name, row.set_aside, row.set_aside_at))

    def hear(
        self, impulses: Sequence[Impulse], reports: Sequence[SensorReport], at: datetime
    ) -> list[Pulse]:
        """What came in; answers the pulses that are believed, each once."""
        for report in reports:
            self._heartbeat(report, report.received_at)
        pulses = []
        for impulse in impulses:
            name = str(impulse.sensor)
            if name not in self._devices or impulse.impulse_id in self._known:
                continue
            self._known[impulse.impulse_id] = None
            if self._heard_at.get(name) is None:
                self._is_new = True
            self._heard_at[name] = impulse.received_at
            pulses.append(_pulse(impulse))
        while len(self._known) > KNOWN_IMPULSES_MAX:
            self._known.popitem(last=False)
        self._watch.hear(pulses, at.timestamp())
        return [pulse for pulse in pulses if self._is_believed(pulse.sensor)]

    def learn(self, source: Source) -> None:
        """A source that was located: it shows how each sensor hears."""
        self._watch.source(source)

    def replayed(self, sensor: DeviceId, at: datetime) -> None:
        """The door refused a message of it as used before. It is told, and no more: whoever
        copied a message could silence a sensor otherwise."""
        times = self._repeated.setdefault(str(sensor), deque(maxlen=REPEATED_KEPT))
        if not times or at - times[-1] > REPEATED_SHOWN:
            log.warning("gunshot sensor %s: somebody repeats its messages; refused", sensor)
        times.append(at)

    def repeated(self, now: datetime) -> list[tuple[Device, int]]:
        """Sensors whose messages came again of late, and how many were refused."""
        counts = {
            name: sum(now - at <= REPEATED_SHOWN for at in times)
            for name, times in self._repeated.items()
        }
        return [
            (device, counts[name])
            for name, device in sorted(self._devices.items())
            if counts.get(name)
        ]

    @property
    def wants_judging(self) -> bool:
        """A sensor speaks that was silent until now."""
        return self._is_new

    async def judge(self, now: datetime) -> None:
        """Every sensor's standing anew, and with it the net and the air."""
        self._judge(now)
        aside = {name: _written(t) for name, t in self._trusts.items() if t.state is State.ASIDE}
        changed = aside.keys() ^ self._aside.keys()
        if not changed:
            return
        async with self._database.transaction(self._agency) as connection:
            records = Records(connection, self._agency)
            for name in sorted(changed):
                await records.sensors.set_aside(DeviceId(name), aside.get(name), now)
        self._aside = aside

    def _judge(self, now: datetime) -> None:
        self._is_new = False
        trusts = trusted(self._watch, self._trusts, now.timestamp())
        for trust in trusts:
            _log_change(self._trusts.get(trust.sensor), trust)
        self._trusts = {trust.sensor: trust for trust in trusts}
        self.net = net_of(self._registered, trusts).sensors
        self._renew_weather(now)

    def view(self) -> list[SensorView]:
        return [self._view(name, device) for name, device in sorted(self._devices.items())]

    def coverage(self) -> Surface | None:
        """Where a shot would be heard now; None where there is no sensor."""
        if not self.net:
            return None
        now, given = self._clock(), (self.net, self.air)
        kept = self._surface
        if kept is None or (kept[1] != given and now - kept[0] > SURFACE_KEPT):
            kept = (now, given, surface(Net(self.net), self.air))
            self._surface = kept
        return kept[2]

    def place_of(self, sensor: DeviceId) -> Point | None:
        device = self._devices.get(str(sensor))
        return device.place if device else None

    def places(self) -> list[Point]:
        return [device.place for device in self._devices.values() if device.place is not None]

    @property
    def count(self) -> int:
        return len(self._devices)

    def not_up(self) -> list[tuple[Device, Trust]]:
        """Those that are not believed or not heard, for the health page."""
        return [
            (self._devices[name], trust)
            for name, trust in sorted(self._trusts.items())
            if trust.state is not State.UP
        ]

    def _settle(self, devices: dict[str, Device]) -> None:
        """Other sensors: the plane lies on the middle of them all."""
        self._devices = devices
        places = [device.place for device in devices.values() if device.place is not None]
        if places:
            lat = statistics.fmean(place.lat for place in places)
            lon = statistics.fmean(place.lon for place in places)
            self.plane = Plane((lat, lon))
        sensors = []
        for name, device in sorted(devices.items()):
            assert device.place is not None, "only sensors with a place are loaded"
            x_m, y_m = self.plane.to_m((device.place.lat, device.place.lon))
            sensors.append(Sensor(name=name, x_m=x_m, y_m=y_m))
        self._registered = Net(tuple(sensors))
        self._watch.register(self._registered)
        self._is_new = True

    def _heartbeat(self, report: SensorReport, heard_at: datetime) -> None:
        """One that is read a second time changes nothing."""
        name = str(report.sensor)
        before = self._reports.get(name)
        if name not in self._devices or (before and report.received_at <= before.received_at):
            return
        if self._heard_at.get(name) is None:
            self._is_new = True
        self._reports[name] = report
        self._heard_at[name] = max(self._heard_at.get(name, report.received_at), report.received_at)
        beat = Beat.of(report, self.plane)
        self._watch.beat(msgspec.structs.replace(beat, at_s=heard_at.timestamp()))

    def _is_believed(self, name: str) -> bool:
        trust = self._trusts.get(name)
        return trust is None or trust.state is not State.ASIDE

    def _renew_weather(self, now: datetime) -> None:
        """The median thermometer, and the median of those that measure wind."""
        fresh = [r for r in self._reports.values() if now - r.received_at < WEATHER_KEPT]
        celsius = [r.temperature_c for r in fresh if r.temperature_c is not None]
        winds = [
            (r.wind_mps, r.wind_from_deg)
            for r in fresh
            if r.wind_mps is not None and r.wind_from_deg is not None
        ]
        assumed = Weather(at=now)
        wind = sorted(winds)[len(winds) // 2] if winds else None
        self.weather = Weather(
            at=now,
            temperature_c=statistics.median(celsius) if celsius else assumed.temperature_c,
            temperature_sd_c=TEMPERATURE_SD_C if celsius else assumed.temperature_sd_c,
            wind_mps=wind[0] if wind else 0.0,
            wind_from_deg=wind[1] if wind else 0.0,
            wind_sd_mps=WIND_SD_MPS if wind else assumed.wind_sd_mps,
            source="sensors" if celsius or wind else assumed.source,
        )
        weather = self.weather
        self.air = Air.reported(
            round(weather.temperature_c, 1),
            weather.wind_mps,
            weather.wind_from_deg,
            weather.temperature_sd_c,
            weather.wind_sd_mps,
        )

    def _view(self, name: str, device: Device) -> SensorView:
        trust = self._trusts.get(name) or Trust(sensor=name, state=State.DOWN)
        report = self._reports.get(name)
        return SensorView(
            sensor=device.device_id,
            name=device.name,
            place=device.place,
            state=trust.state,
            says=trust.says,
            do=trust.do,
            heard_at=self._heard_at.get(name),
            clock_error_s=report.clock_error_s if report else None,
            clock_source=report.clock_source if report else None,
            noise_db=report.noise_db if report else None,
            temperature_c=report.temperature_c if report else None,
            strays_per_s=round(trust.strays_per_s, 3),
        )


def _written(trust: Trust) -> str:
    """Causes and words of a sensor that is set aside, as the store keeps them."""
    return f"{', '.join(trust.causes)}: {trust.says}"


def _told_aside(name: str, written: str, at: datetime | None) -> Trust:
    """The standing that was kept before this start."""
    causes, _, says = written.partition(": ")
    since_s = at.timestamp() if at else 0.0
    known = {cause: since_s for cause in Cause if cause in causes.split(", ")}
    return Trust(sensor=name, state=State.ASIDE, says=says, causes=known)


def _pulse(impulse: Impulse) -> Pulse:
    return Pulse(
        sensor=str(impulse.sensor),
        at_s=impulse.onset_at.timestamp(),
        pulse_id=str(impulse.impulse_id),
        level_db=impulse.level_db,
        snr_db=impulse.snr_db,
        bands_db=impulse.bands_db,
        rise_ms=impulse.rise_ms,
        decay_ms=impulse.decay_ms,
    )


def _log_change(before: Trust | None, after: Trust) -> None:
    """Once when a sensor is lost or set aside, once when it is back. That one is heard for the
    first time since the start is no news."""
    was_up = before is None or before.is_up
    if after.is_up and not was_up and before is not None and before.state is State.ASIDE:
        log.warning("gunshot sensor %s is back", after.sensor)
    elif not after.is_up and was_up and before is not None:
        log.error("gunshot sensor %s: %s; %s", after.sensor, after.says, after.do)
