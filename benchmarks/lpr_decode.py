"""What decoding a plate read costs, beside what the parsing alone of the same bytes costs.

    python benchmarks/lpr_decode.py [--json]

Prints µs a read for batches of 100 in our own format (bare reads, and full ones with candidates,
vehicle and position), as a JSON array and as NDJSON, each beside `json.loads` of the standard
library on the same bytes in the same run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from farolito.ingest.lpr import FORMATS
from farolito.model import AgencyId, Device, DeviceId, Point

READS = 100
ROUNDS = 300
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
DEVICE = Device(
    device_id=DeviceId("bench-reader"),
    agency=AgencyId("bench-pd"),
    kind="plate_reader",
    name="bench",
    format="farolito",
    place=Point(35.084, -106.651),
)


def bare(i: int) -> dict[str, Any]:
    at = NOW - timedelta(milliseconds=137 * i)
    return {
        "event": f"e{i:08d}",
        "plate": f"{chr(65 + i % 26)}BK{i % 1000:03d}",
        "captured_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "confidence": 0.93,
        "state": "NM",
        "state_confidence": 0.81,
    }


def full(i: int) -> dict[str, Any]:
    read = bare(i)
    return read | {
        "characters": [0.99, 0.98, 0.97, 0.96, 0.99, 0.91],
        "candidates": [{"plate": read["plate"], "confidence": 0.93}],
        "lat": 35.084, "lon": -106.651, "heading_deg": 90.0, "movement": "receding",
        "lane": 1, "speed_mps": 14.2,
        "make": "ford", "model": "f-150", "colour": ("white", "red", "blue")[i % 3],
        "kind": "pickup", "year": "2015-2019",
    }  # fmt: skip


def us_a_read(work: Callable[[], object]) -> float:
    """The median round, in µs a read."""
    times = []
    for _ in range(ROUNDS):
        begun = perf_counter()
        work()
        times.append(perf_counter() - begun)
    return round(sorted(times)[ROUNDS // 2] / READS * 1e6, 2)


def measure() -> dict[str, float]:
    decode = FORMATS["farolito"].decode
    figures: dict[str, float] = {}
    for name, make in (("bare", bare), ("full", full)):
        reads = [make(i) for i in range(READS)]
        array = json.dumps(reads).encode()
        lines = b"\n".join(json.dumps(read).encode() for read in reads)
        for kind, body, media in (
            ("array", array, "application/json"),
            ("ndjson", lines, "application/x-ndjson"),
        ):

            def ours(body: bytes = body, media: str = media) -> object:
                return decode(body, media, DEVICE, NOW)

            assert len(decode(body, media, DEVICE, NOW).reads) == READS
            figures[f"{name}_{kind}_us"] = us_a_read(ours)

        def theirs(array: bytes = array) -> object:
            return json.loads(array)

        figures[f"{name}_json_loads_us"] = us_a_read(theirs)
    return figures


if __name__ == "__main__":
    measured = measure()
    if "--json" in sys.argv:
        print(json.dumps(measured))
    else:
        for key, value in measured.items():
            print(f"{key:28} {value:6.2f}")
