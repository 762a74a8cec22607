"""What vendors call the parts of an alert, and the classes of sound. docs/sensor-protocol.md.

Two spellings are known: a plain one, and one as public documents of cities describe the alerts
that they get (Incident ID, Date/Time, Latitude, Longitude, Rounds Fired, Incident Type, Beat). It
is no vendor's published interface: a field that is called otherwise is named in `farolito.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from farolito.model import Invalid, SoundKind


class VendorClass(StrEnum):
    """What a vendor holds a sound to be."""

    SINGLE = "single gunshot"
    MULTIPLE = "multiple gunshots"
    GUNSHOTS = "gunshots"
    PROBABLE = "probable gunfire"
    FIREWORKS = "fireworks"
    VEHICLE = "vehicle"
    CONSTRUCTION = "construction"
    OTHER = "other"

    @property
    def says_gunshot(self) -> bool:
        return self in (VendorClass.SINGLE, VendorClass.MULTIPLE, VendorClass.GUNSHOTS)

    @property
    def kind(self) -> SoundKind:
        if self.says_gunshot or self is VendorClass.PROBABLE:
            return SoundKind.GUNSHOT
        return {
            VendorClass.FIREWORKS: SoundKind.FIREWORK,
            VendorClass.VEHICLE: SoundKind.VEHICLE,
            VendorClass.CONSTRUCTION: SoundKind.CONSTRUCTION,
        }.get(self, SoundKind.OTHER)


# By our word: the names of a field, without case, blanks and signs; the first that is there counts.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "alertid", "incidentid", "eventid"),
    "time": ("time", "datetime", "dischargedat", "occurredat", "incidenttime", "timestamp"),
    "date": ("date", "incidentdate"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude"),
    "accuracy_m": ("accuracym", "accuracy", "radiusm", "radius"),
    "accuracy_share": ("accuracyshare", "accuracyprobability"),
    "rounds": ("rounds", "roundsfired", "numberofrounds"),
    "class": ("class", "incidenttype", "type", "eventtype", "classification"),
    "confidence": ("confidence", "probability"),
    "reviewed": ("reviewed", "humanreviewed"),
    "status": ("status", "state", "action"),
    "cancelled": ("cancelled", "canceled"),
    "updated_at": ("updatedat", "publishedat", "modifiedat", "lastupdate"),
    "revision": ("revision", "version"),
    "address": ("address", "streetaddress"),
    "beat": ("beat", "district", "zone"),
    "note": ("note", "notes", "comments"),
}
CLASSES: Mapping[str, VendorClass] = {
    "singlegunshot": VendorClass.SINGLE,
    "single": VendorClass.SINGLE,
    "multiplegunshots": VendorClass.MULTIPLE,
    "multiple": VendorClass.MULTIPLE,
    "gunshot": VendorClass.GUNSHOTS,
    "gunshots": VendorClass.GUNSHOTS,
    "gunfire": VendorClass.GUNSHOTS,
    "shotsfired": VendorClass.GUNSHOTS,
    "probablegunfire": VendorClass.PROBABLE,
    "possiblegunfire": VendorClass.PROBABLE,
    "possiblegunshot": VendorClass.PROBABLE,
    "possiblegunshots": VendorClass.PROBABLE,
    "gunshotorfirecracker": VendorClass.PROBABLE,
    "firework": VendorClass.FIREWORKS,
    "fireworks": VendorClass.FIREWORKS,
    "firecracker": VendorClass.FIREWORKS,
    "firecrackers": VendorClass.FIREWORKS,
    "vehicle": VendorClass.VEHICLE,
    "backfire": VendorClass.VEHICLE,
    "vehiclebackfire": VendorClass.VEHICLE,
    "construction": VendorClass.CONSTRUCTION,
    "other": VendorClass.OTHER,
}
CANCELS = frozenset(
    {"cancelled", "canceled", "cancel", "cancellation", "dismissed", "retracted", "withdrawn"}
)


class Spelling(msgspec.Struct, frozen=True, kw_only=True):
    """How one vendor writes: names of fields by our word, classes by the vendor's."""

    fields: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, VendorClass]

    @classmethod
    def with_more(cls, fields: Mapping[str, str], classes: Mapping[str, str]) -> Spelling:
        """The known spellings and what a configuration adds to them, which wins. Raises Invalid."""
        unknown = fields.keys() - FIELDS.keys()
        if unknown:
            says = f"no part of an alert is called {', '.join(sorted(unknown))}"
            raise Invalid(says, f"use {', '.join(FIELDS)}")
        try:
            own = {plain(theirs): VendorClass(ours) for theirs, ours in classes.items()}
        except ValueError as error:
            raise Invalid(str(error), f"use {', '.join(VendorClass)}") from error
        named = {ours: (plain(theirs), *FIELDS[ours]) for ours, theirs in fields.items()}
        return cls(fields={**FIELDS, **named}, classes={**CLASSES, **own})


KNOWN = Spelling(fields=FIELDS, classes=CLASSES)


def plain(name: str) -> str:
    """Without case, blanks and signs: "Date/Time" is datetime."""
    return "".join(c for c in name.lower() if c.isalnum())
