"""TAIP (Trimble ASCII Interface Protocol), the `PV` report of one modem:

    >RPV15714+3739438-1220384601512612;ID=1234;*7F<

R, PV · 5 seconds of the day · latitude ±2.5 · longitude ±3.5 · 3 mph · 3 heading · 1 source of the
fix · 1 its age · the vehicle's id · checksum: all bytes from `>` through `*`, by XOR.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import reduce
from operator import xor

from farolito.ingest.avl.heard import MPH_MPS, Origin, named, on_a_day_s
from farolito.ingest.avl.sources import GpsListener
from farolito.model import Rejected, UnitPosition

_whole = re.compile(rb">([^>*]*;)\*([0-9A-Fa-f]{2})").fullmatch
_report = re.compile(
    r"RPV(?P<s>\d{5})(?P<lat>[+-]\d{7})(?P<lon>[+-]\d{8})(?P<mph>\d{3})(?P<heading>\d{3})"
    r"(?P<source>\d)(?P<age>[012])",
    re.ASCII,
).fullmatch
_NO_AGE = "0"  # the fix is not there
_NO_SOURCE = "9"
DAY_S = 86_400


class Taip:
    """The reports of one sender. Other messages than RPV are ignored, whole or not."""

    END = b"<"

    def __init__(self, config: GpsListener, origin: Origin, address: str) -> None:
        self._config = config
        self._origin = origin
        del address  # who it is stands in the message

    def position(self, sentence: bytes, received_at: datetime) -> UnitPosition | None:
        """Raises Rejected: `truncated`, `bad_checksum`, `malformed`, `no_unit`, `unknown_unit`,
        `no_fix`, and as Origin.position."""
        report, fields = _parsed(sentence)
        if not report.startswith("RPV"):
            return None
        told = _report(report)
        if told is None:
            raise Rejected("malformed", "a PV report of another shape", "send TAIP's RPV")
        if told["age"] == _NO_AGE or told["source"] == _NO_SOURCE:
            raise Rejected("no_fix", "a modem without a fix", "wait, or see its antenna")
        seconds = int(told["s"])
        if seconds > DAY_S:  # 86400 is a leap second
            raise Rejected("bad_time", f"{seconds} s are more than a day", "see its firmware")
        ahead = timedelta(seconds=self._config.clock_ahead_s)
        return self._origin.position(
            self._unit(fields),
            (int(told["lat"]) / 1e5, int(told["lon"]) / 1e5),
            on_a_day_s(seconds, received_at + ahead) - ahead,
            received_at,
            float(told["heading"]),
            int(told["mph"]) * MPH_MPS,
        )

    def _unit(self, fields: dict[str, str]) -> str:
        told = fields.get("ID", "").strip()
        if not told:
            raise Rejected("no_unit", "a report without an id", "set ID_FLAG=T in the modem")
        if self._config.names_itself:
            return self._config.units.get(told, told)
        return named(self._config.units, told)


def _parsed(sentence: bytes) -> tuple[str, dict[str, str]]:
    """The report itself, and its fields (`ID` → 1234)."""
    begin = sentence.rfind(b">")
    if begin < 0 or b"*" not in sentence[begin:]:
        do = "send whole reports with a checksum (CS_FLAG=T in the modem)"
        raise Rejected("truncated", "no whole TAIP message", do)
    whole = _whole(sentence[begin:])
    if whole is None:
        raise Rejected("malformed", "no TAIP message", "send >RPV…;ID=…;*hh<")
    if reduce(xor, sentence[begin:-2]) != int(whole[2], 16):
        raise Rejected("bad_checksum", "a report changed on its way", "send it again")
    report, *fields = whole[1].decode("latin-1").rstrip(";").split(";")
    return report, dict(field.split("=", 1) for field in fields if "=" in field)
