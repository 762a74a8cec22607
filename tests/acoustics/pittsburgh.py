"""Reads the live-fire tests of the data folder (its README tells the files)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from farolito.acoustics import Air, Net, Pulse, Sensor

Row = dict[str, Any]


class LiveFire(NamedTuple):
    """One test: what the locator may see (`net`, `pulses`, `air`) and the truth it may not."""

    name: str  # FP4/test_055
    position: str  # FP4
    net: Net
    pulses: tuple[Pulse, ...]
    air: Air
    x_m: float
    y_m: float
    rounds: int
    direct: frozenset[str]  # sensors in the vendor's own selection

    def heard_by(self, sensors: frozenset[str]) -> LiveFire:
        """The same test with these sensors only."""
        net = Net(tuple(s for s in self.net.sensors if s.name in sensors))
        pulses = tuple(p for p in self.pulses if p.sensor in sensors)
        return self._replace(net=net, pulses=pulses)

    def error_m(self, x_m: float, y_m: float) -> float:
        return float(((x_m - self.x_m) ** 2 + (y_m - self.y_m) ** 2) ** 0.5)


def live_fires(inputs: Path) -> list[LiveFire]:
    """All tests of `inputs`/acoustics/pittsburgh, by position and number."""
    root = inputs / "acoustics" / "pittsburgh"
    positions = sorted(folder for folder in root.iterdir() if folder.is_dir())
    return [fire for folder in positions for fire in _position(folder)]


def _position(folder: Path) -> Iterator[LiveFire]:
    """The tests of one firing position. Sensors of one test are those that reported in any test
    of its position: a sensor that was silent in this one stands there all the same."""
    tests = sorted(test for test in folder.iterdir() if test.is_dir())
    told = {test.name: _read(test, "allpulses") for test in tests}
    sensors: dict[str, Sensor] = {}
    for rows in told.values():
        for row in rows:
            place = row["location"]
            name = row["serial_number"]
            sensors.setdefault(name, Sensor(name=name, x_m=place["x"], y_m=place["y"]))
    net = Net(tuple(sensors[name] for name in sorted(sensors)))
    for test in tests:
        yield _test(test, folder.name, net, told[test.name])


def _test(test: Path, position: str, net: Net, rows: list[Row]) -> LiveFire:
    survey, weather = _read(test, "survey"), _read(test, "weather")
    owner = {row["pulse_uuid"]: row["serial_number"] for row in rows}
    # Some of the vendor's pulse ids are missing from allpulses.
    chosen = {
        owner[pulse]
        for tuple_ in _read(test, "nlos-tuples")
        for pulse in tuple_["pulse_uuids"]
        if pulse in owner
    }
    return LiveFire(
        name=f"{position}/{test.name}",
        position=position,
        net=net,
        pulses=tuple(_pulse(row) for row in rows),
        air=Air.reported(weather["temperature"], weather["speed"], weather["direction"]),
        x_m=survey["survey_location"]["x"],
        y_m=survey["survey_location"]["y"],
        rounds=survey["num_rounds"],
        direct=frozenset(chosen),
    )


def _pulse(row: Row) -> Pulse:
    return Pulse(
        sensor=row["serial_number"],
        at_s=datetime.fromisoformat(row["arrival_time_utc"]).timestamp(),
        pulse_id=row["pulse_uuid"],
        level_db=row["power_dB_SPL"],
        snr_db=row["signal_to_noise_dB"],
    )


def _read(test: Path, what: str) -> Any:
    return json.loads((test / f"{test.name}.{what}.json").read_text())
