"""A folder of live-fire tests, as TN 098's study lays them out: `FPn/test_NNN/test_NNN.*.json`.

What a locator may see (sensors, pulses, air, sound) and the survey's truth are apart. Sensors are
the union over all tests of a firing position: one that is silent in a test is still there. Each
position has an origin of its own; places here are against the middle of its sensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from farolito.acoustics import Air, Net, Pulse, Sensor
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.evaluate import Shooting
from farolito.model import FarolitoError

FILE_BYTES_MAX = 64 << 20
TESTS_MAX = 10_000
T = TypeVar("T")
NO_AIR = Air(temperature_c=12.0, temperature_sd_c=10.0, wind_sd_mps=3.0)


class _Location(msgspec.Struct):
    x: float
    y: float
    z: float = 0.0


class _Pulse(msgspec.Struct):
    pulse_uuid: str
    serial_number: str
    arrival_time_utc: datetime
    location: _Location
    signal_to_noise_dB: float | None = None  # noqa: N815 - the study's own name
    power_dB_SPL: float | None = None  # noqa: N815 - the study's own name


class _Survey(msgspec.Struct):
    num_rounds: int
    survey_location: _Location
    firearm: str = ""


class _Weather(msgspec.Struct):
    temperature: float
    speed: float = 0.0
    direction: float = 0.0


class _Round(msgspec.Struct):
    pulse_uuids: list[str]


class _Recording(msgspec.Struct):
    serial_number: str
    timestamp: datetime
    location: _Location


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor's WAV file and when its first sample was heard."""

    sensor: str
    starts_at_s: float
    file: Path


class LiveTest(msgspec.Struct, frozen=True, kw_only=True):
    """`net`, `pulses`, `air` and `recordings` are what a locator may see. `truth` is the survey's;
    `chosen`: for each round the ids of the pulses that the vendor chose; for judging alone."""

    test_id: str
    position: str
    net: Net
    pulses: tuple[Pulse, ...]
    air: Air
    recordings: tuple[Recording, ...]
    truth: Shooting
    chosen: tuple[tuple[str, ...], ...]


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A test that cannot be used, and why."""

    test_id: str
    says: str


class LiveFire:
    """The tests under a folder, position by position. `learnt`: by how many tests were passed
    over, what the other positions teach of each, once somebody has worked it out."""

    def __init__(self, folder: Path) -> None:
        """Raises FarolitoError where the folder holds no test."""
        if not folder.is_dir():
            raise FarolitoError(
                f"{folder} is no folder", "name the folder that holds FP1/test_001, FP2/…"
            )
        self.learnt: dict[int, Mapping[str, Deployment]] = {}
        found = sorted(folder.rglob("*.allpulses.json")) + sorted(folder.rglob("*.survey.json"))
        self._folder = folder
        self._homes = sorted({file.parent for file in found})[:TESTS_MAX]
        if not self._homes:
            raise FarolitoError(
                f"{folder} holds no live-fire test",
                "a test is a folder with NAME.allpulses.json, NAME.survey.json and"
                " NAME.weather.json",
            )

    def __len__(self) -> int:
        return len(self._homes)

    @cached_property
    def tests(self) -> tuple[LiveTest | Broken, ...]:
        """All tests in the order of their folders; read once."""
        told: list[LiveTest | Broken] = []
        positions: dict[Path, list[Path]] = {}
        for home in self._homes:
            positions.setdefault(home.parent, []).append(home)
        for homes in positions.values():
            told += _position(self._folder, homes)
        return tuple(told)


def _position(folder: Path, homes: Sequence[Path]) -> Iterator[LiveTest | Broken]:
    read: list[_Read | Broken] = []
    for home in homes:
        try:
            read.append(_Read(folder, home))
        except FarolitoError as why:
            read.append(Broken(test_id=_name(folder, home), says=str(why)))
    where: dict[str, _Location] = {}
    for one in read:
        if isinstance(one, _Read):
            where.update(one.where)
    if not where:
        return iter(read)  # type: ignore[arg-type] # all are Broken
    middle = (
        sum(at.x for at in where.values()) / len(where),
        sum(at.y for at in where.values()) / len(where),
    )
    net = Net(tuple(
        Sensor(name=name, x_m=at.x - middle[0], y_m=at.y - middle[1])
        for name, at in sorted(where.items())
    ))  # fmt: skip
    return (one if isinstance(one, Broken) else one.test(net, middle) for one in read)


class _Read:
    """The files of one test."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.test_id = _name(folder, home)
        self.position = home.parent.name
        self.pulses = _decode(_only(home, "allpulses.json"), list[_Pulse])
        self.survey = _decode(_only(home, "survey.json"), _Survey)
        weather = sorted(home.glob("*.weather.json"))
        self.air = _air(_decode(weather[0], _Weather)) if weather else NO_AIR
        rounds = sorted(home.glob("*.nlos-tuples.json"))
        self.rounds = _decode(rounds[0], list[_Round]) if rounds else []
        self.recordings = []
        self.where = {pulse.serial_number: pulse.location for pulse in self.pulses}
        for wav in sorted(home.glob("*.wav")):
            told = _decode(wav.with_suffix(".json"), _Recording)
            self.where.setdefault(told.serial_number, told.location)
            starts_at_s = told.timestamp.timestamp()
            self.recordings.append(
                Recording(sensor=told.serial_number, starts_at_s=starts_at_s, file=wav)
            )
        if not all(math.isfinite(at.x + at.y) for at in self.where.values()):
            raise FarolitoError(f"{self.test_id}: a sensor without a place")

    def test(self, net: Net, middle: tuple[float, float]) -> LiveTest:
        at = self.survey.survey_location
        return LiveTest(
            test_id=self.test_id,
            position=self.position,
            net=net,
            pulses=tuple(
                Pulse(
                    sensor=pulse.serial_number,
                    at_s=pulse.arrival_time_utc.timestamp(),
                    pulse_id=pulse.pulse_uuid,
                    level_db=pulse.power_dB_SPL,
                    snr_db=pulse.signal_to_noise_dB,
                )
                for pulse in self.pulses
            ),
            air=self.air,
            recordings=tuple(self.recordings),
            truth=Shooting(
                x_m=at.x - middle[0], y_m=at.y - middle[1], rounds=self.survey.num_rounds
            ),
            chosen=tuple(tuple(one.pulse_uuids) for one in self.rounds),
        )


def _air(told: _Weather) -> Air:
    return Air.reported(told.temperature, told.speed, told.direction)


def _name(folder: Path, home: Path) -> str:
    return "/".join(home.relative_to(folder).parts[-2:]) or home.name


def _only(home: Path, ending: str) -> Path:
    found = sorted(home.glob(f"*.{ending}"))
    if not found:
        raise FarolitoError(f"{home.name} has no file *.{ending}", "copy the test whole")
    return found[0]


def _decode(file: Path, kind: type[T]) -> T:
    """Raises FarolitoError naming the file and what is wrong with it."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise FarolitoError(f"{file.name} is larger than {FILE_BYTES_MAX >> 20} MiB")
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as why:
        raise FarolitoError(f"{file.name} cannot be read ({why.strerror})") from why
    except msgspec.DecodeError as why:
        raise FarolitoError(f"{file.name} is not as the study writes it ({why})") from why
