"""NMEA 0183 of one GPS receiver: RMC (place, speed, course, date) and GGA (how exact).

A sentence names no unit: the sender's address does, by the table, or a `$PFAR,2A14*hh` sentence
before it. Any talker is taken (GP, GN, GL …). What RMC says is the position; the newest GGA gives
its accuracy. A receiver that sends GGA alone is heard by that, its time of day put next to now.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pynmea2  # type: ignore[import-untyped]

from farolito.ingest.avl.heard import KNOT_MPS, Origin, named, on_a_day
from farolito.ingest.avl.sources import GpsListener
from farolito.model import Rejected, UnitPosition

# A civil receiver's 95 % error is about 5 m where the satellites stand well (HDOP 1), and grows
# with it.
HDOP_M = 5.0
PAIRED_MAX = timedelta(seconds=10)  # an older GGA says nothing of this place
_NAME = "FAR"  # $PFAR: our proprietary sentence


class Nmea:
    """The sentences of one sender. Ignored: sentences that tell no place (GSV, GSA, VTG …)."""

    END = b"\n"

    def __init__(self, config: GpsListener, origin: Origin, address: str) -> None:
        self._config = config
        self._origin = origin
        self._address = address
        self._told: str | None = None  # the unit that $PFAR named
        self._hdop: float | None = None
        self._hdop_at: datetime | None = None
        self._rmc_at: datetime | None = None  # when the newest RMC came

    def position(self, sentence: bytes, received_at: datetime) -> UnitPosition | None:
        """Raises Rejected: `truncated`, `bad_checksum`, `malformed`, `no_fix`, `unknown_unit`,
        and as Origin.position."""
        told = _parsed(sentence)
        kind = getattr(told, "sentence_type", None)
        if kind == "RMC":
            self._rmc_at = received_at
            return self._by_rmc(told, received_at)
        if kind == "GGA":
            return self._by_gga(told, received_at)
        if getattr(told, "manufacturer", None) == _NAME:
            self._told = told.data[1].strip() if len(told.data) > 1 else None
        return None

    def _by_rmc(self, told: Any, received_at: datetime) -> UnitPosition:
        if told.status != "A":
            raise _no_fix()
        if not isinstance(told.datestamp, date) or not isinstance(told.timestamp, time):
            raise Rejected("bad_time", "an RMC sentence without date and time", "let it get a fix")
        at = datetime.combine(told.datestamp, told.timestamp).replace(tzinfo=UTC)
        knots, course = told.spd_over_grnd, told.true_course
        return self._origin.position(
            self._unit(),
            _place(told),
            at,
            received_at,
            course if isinstance(course, float) else None,
            knots * KNOT_MPS if isinstance(knots, float) else None,
            self._accuracy(received_at),
        )

    def _by_gga(self, told: Any, received_at: datetime) -> UnitPosition | None:
        if not told.gps_qual:  # 0, or not told
            raise _no_fix()
        self._hdop, self._hdop_at = _hdop(told.horizontal_dil), received_at
        if self._rmc_at is not None and received_at - self._rmc_at < PAIRED_MAX:
            return None
        if not isinstance(told.timestamp, time):
            raise Rejected("bad_time", "a GGA sentence without a time", "let it get a fix")
        at = on_a_day(told.timestamp, received_at)
        accuracy = self._accuracy(received_at)
        unit, place = self._unit(), _place(told)
        return self._origin.position(unit, place, at, received_at, accuracy_m=accuracy)

    def _accuracy(self, now: datetime) -> float | None:
        if self._hdop is None or self._hdop_at is None or now - self._hdop_at > PAIRED_MAX:
            return None
        return self._hdop * HDOP_M

    def _unit(self) -> str:
        if self._told and self._config.names_itself:
            return self._config.units.get(self._told, self._told)
        host = self._address.rpartition(":")[0]
        return named(self._config.units, self._told, self._address, host)


def _parsed(sentence: bytes) -> Any:
    if b"*" not in sentence:
        raise Rejected("truncated", "a sentence without its checksum", "send whole sentences")
    try:
        return pynmea2.parse(sentence.decode("ascii"), check=True)
    except pynmea2.ChecksumError as error:
        raise Rejected("bad_checksum", "a sentence changed on its way", "send it again") from error
    except pynmea2.SentenceTypeError:
        return None  # whole, and not known to the parser
    except (pynmea2.ParseError, ValueError) as error:
        raise Rejected("malformed", "no NMEA sentence", "send NMEA 0183") from error


def _place(told: Any) -> tuple[float, float]:
    try:
        place = (_degrees(told.lat, told.lat_dir, "NS"), _degrees(told.lon, told.lon_dir, "EW"))
    except ValueError as error:
        raise Rejected("no_place", "a sentence without a place", "let it get a fix") from error
    return place


def _degrees(text: str, way: str, ways: str) -> float:
    """`3504.5678` is 35° 04.5678'. Raises ValueError."""
    whole, _, _ = text.partition(".")
    minutes = float(text[len(whole) - 2 :])
    if not text.replace(".", "", 1).isdecimal() or len(whole) < 3 or minutes >= 60 or not way:
        raise ValueError(text)
    degrees = int(whole[:-2]) + minutes / 60
    return -degrees if ways.index(way) else degrees


def _hdop(text: str | None) -> float | None:
    try:
        hdop = float(text or "")
    except ValueError:
        return None
    return hdop if 0 < hdop < 50 else None  # 99.9 is how receivers say they do not know


def _no_fix() -> Rejected:
    return Rejected("no_fix", "a receiver that sees too few satellites", "wait, or see its antenna")
