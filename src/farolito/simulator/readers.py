"""The plate readers of the practice metro: where they hang, and how well each one reads."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence

import msgspec

from farolito.model import AgencyId, Device, DeviceId, Point
from farolito.simulator.metro import metres
from farolito.simulator.routes import Block, Roads, along
from farolito.simulator.street_names import unquartered
from farolito.simulator.traffic import Watched

FORMATS = (
    "hikvision", "genetec_sharpv", "farolito", "openalpr", "platerecognizer", "axis", "verkada",
    "hikvision", "farolito", "genetec_sharpv",
)  # fmt: skip
WITH_PICTURES = frozenset({"hikvision", "genetec_sharpv", "farolito"})
_SENSES = ("NB", "EB", "SB", "WB")
_SHORT = {"Camino Central": "Central", "Interstate": "I"}


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How one reader errs. Shares are 0…1 of all passages, or of the reads named.

    `certain`: of its misreads, those it reports with full confidence. `clock_s`: how far its
    clock is ahead. `zone_h`: what its clock's time zone says it is ahead of UTC; None is right.
    """

    misread: float = 0.05
    certain: float = 0.12
    blind: float = 0.04
    state_unread: float = 0.12
    state_wrong: float = 0.015
    colour_wrong: float = 0.09
    make_unread: float = 0.2
    make_wrong: float = 0.06
    kind_wrong: float = 0.03
    again: float = 0.01
    clock_s: float = 0.0
    zone_h: int | None = None
    blur_px: float = 0.8
    attributes: bool = True


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """A reader on a pole: the device as the node knows it, what it watches, and how it errs."""

    device: Device
    block: int  # the number of the directed block that it watches
    sight: Watched
    quality: Quality


def place_readers(roads: Roads, seed: int, agency: AgencyId, count: int) -> tuple[Reader, ...]:
    """`count` readers: two on each interstate way, the rest spread over main streets.

    Each takes the approach to a corner; a corner's second reader looks at the way back.
    """
    chance = random.Random(f"readers {seed}")  # noqa: S311 - practice, no secret
    blocks = _interstate(roads) + _spread(roads, chance, count)
    readers = []
    names: set[str] = set()
    for number, block in enumerate(blocks[:count]):
        share = round(chance.uniform(0.55, 0.85), 2)
        at, heading = along(roads.line(block), share)
        segment = roads.segments[block.segment]
        name = _name(roads, block, heading)
        while name in names:
            name = f"{name} {number}"
        names.add(name)
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        device_id = DeviceId(f"lpr-{number + 1:03d}-{slug}"[:60].strip("-"))
        quality = _quality(number, chance)
        readers.append(
            Reader(
                device=Device(
                    device_id=device_id,
                    agency=agency,
                    kind="plate_reader",
                    name=name,
                    format=FORMATS[number % len(FORMATS)],
                    place=Point(*at),
                    heading_deg=heading,
                    zone="UTC",
                    clock_trusted=quality.zone_h is None and abs(quality.clock_s) < 60,
                ),
                block=block.number,
                sight=Watched(device_id, share, heading, segment.lanes),
                quality=quality,
            )
        )
    return tuple(readers)


def _quality(number: int, chance: random.Random) -> Quality:
    """Mostly good ones; the eighth has a dirty lens, a few have wrong clocks."""
    dirty = number % 8 == 7
    return Quality(
        misread=round(chance.uniform(0.11, 0.17) if dirty else chance.uniform(0.02, 0.07), 3),
        certain=round(chance.uniform(0.05, 0.2), 3),
        blind=round(chance.uniform(0.02, 0.07), 3),
        state_unread=round(chance.uniform(0.05, 0.25), 3),
        clock_s=-95.0 if number == 17 else round(chance.uniform(-1.5, 1.5), 2),
        # As sold: nobody ever set its zone.
        zone_h=8 if number == 10 else None,
        blur_px=1.7 if dirty else round(chance.uniform(0.5, 1.1), 1),
    )


def _interstate(roads: Roads) -> list[Block]:
    """On each carriageway one block near the city's edge where cars come in."""
    ways: dict[str, list[Block]] = {}
    for block in roads.blocks:
        segment = roads.segments[block.segment]
        if segment.kind == "motorway" and segment.name.startswith("Interstate"):
            ways.setdefault(segment.name, []).append(block)
    return [found[len(found) // 4] for _, found in sorted(ways.items())]


def _spread(roads: Roads, chance: random.Random, count: int) -> list[Block]:
    """Approaches on main streets, each corner as far as can be from those already chosen."""
    approaches = [
        b
        for b in roads.blocks
        if roads.segments[b.segment].kind == "arterial"
        and roads.length_m[b.segment] > 90
        and _is_main_corner(roads, b.end)
    ]
    ends = {b.end: metres(roads.at[b.end]) for b in approaches}
    far = {n: chance.uniform(3000, 3400) - 0.25 * math.hypot(*at) for n, at in ends.items()}
    chosen: list[Block] = []
    while len(chosen) < count and far:
        corner = max(far, key=lambda n: far[n])
        here = [b for b in approaches if b.end == corner]
        first = here[chance.randrange(len(here))]
        chosen.append(first)
        chosen += [b for b in here if b.start != first.start and b.segment != first.segment][:1]
        del far[corner]
        far = {
            n: min(m, math.dist(ends[n], ends[corner]) * chance.uniform(0.95, 1.05))
            for n, m in far.items()
        }
    return chosen


def _is_main_corner(roads: Roads, corner: int) -> bool:
    here = [roads.segments[b.segment] for b in roads.out[corner]]
    main = {unquartered(s.name) for s in here if s.kind in ("arterial", "collector")}
    return len({name for name in main if "Ramp" not in name}) > 1


def _name(roads: Roads, block: Block, heading: float) -> str:
    """As people say it: `Central @ Fourth St, EB`."""
    on = unquartered(roads.segments[block.segment].name)
    across = sorted(
        {
            unquartered(roads.segments[b.segment].name)
            for b in (*roads.out[block.end], *roads.back[block.end])
        }
        - {on}
    )
    sense = _SENSES[round(heading / 90) % 4]
    if on.startswith("Interstate"):
        return f"{on.replace('Interstate ', 'I-').rsplit(' ', 1)[0]} {sense}"
    main = {
        unquartered(roads.segments[b.segment].name)
        for b in (*roads.out[block.end], *roads.back[block.end])
        if roads.segments[b.segment].kind in ("arterial", "collector")
    }
    known = sorted(across, key=lambda a: (a not in main, "Ramp" in a, a)) or ["end of street"]
    return f"{_SHORT.get(on, on)} @ {known[0]}, {sense}"


def watched(readers: Sequence[Reader]) -> dict[int, Watched]:
    """What `Traffic.passages` needs: each watched block. One reader a block."""
    return {r.block: r.sight for r in readers}
