"""Small made-up towns, in metres around downtown Albuquerque."""

from __future__ import annotations

from farolito.geo import LatLon, Node, Plane, Segment, StreetMap

PLANE = Plane((35.0844, -106.6504))


def at(x: float, y: float) -> LatLon:
    """`x` metres east and `y` north of the middle of town."""
    return PLANE.to_degrees((x, y))


def town(*segments: Segment, corners: dict[int, tuple[float, float]]) -> StreetMap:
    nodes = tuple(Node(number, at(*xy)) for number, xy in corners.items())
    return StreetMap(name="town", source="made up", nodes=nodes, segments=segments)


def grid_town(blocks: int = 4, block_m: float = 100.0) -> StreetMap:
    """Numbered streets north-south, named avenues east-west, house numbers 100 a block.

    1st St runs along x = 0, Aspen Ave along y = 0; both grow east and north.
    """
    avenues = ["Aspen Ave NW", "Birch Ave NW", "Cedar Blvd NW", "Dogwood Ave NW", "Elm Ave NW"]
    streets = ["1st St NW", "2nd St NW", "3rd St NW", "4th St NW", "5th St NW"]
    segments: list[Segment] = []
    corners = {
        1 + i + j * (blocks + 1): (i * block_m, j * block_m)
        for j in range(blocks + 1)
        for i in range(blocks + 1)
    }

    def add(name: str, a: int, b: int, block: int) -> None:
        line = (at(*corners[a]), at(*corners[b]))
        numbers = block * 100
        segments.append(
            Segment(
                segment_id=len(segments) + 1,
                name=name,
                kind="arterial" if name.startswith("Cedar") else "local",
                start=a,
                end=b,
                line=line,
                speed_mps=10.0,
                left=(numbers + 1, numbers + 99),
                right=(numbers + 2, numbers + 98),
            )
        )

    for j in range(blocks + 1):
        for i in range(blocks + 1):
            here = 1 + i + j * (blocks + 1)
            if i < blocks:
                add(avenues[j], here, here + 1, i + 1)
            if j < blocks:
                add(streets[i], here, here + blocks + 1, j + 1)
    return town(*segments, corners=corners)
