"""A place on Earth."""

from __future__ import annotations

import msgspec

from farolito.model.errors import Invalid


class Point(msgspec.Struct, frozen=True, gc=False):
    """WGS 84, degrees. 0/0 is what a device says when it does not know, so it is no place."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise Invalid(f"{self.lat}, {self.lon} is not on Earth", "send WGS 84 degrees")
        if self.lat == 0 and self.lon == 0:
            raise Invalid("0, 0 is not a place", "leave the position out when it is not known")
