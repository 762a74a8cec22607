"""The nouns of the trade, as frozen values that are valid when they exist.

In: plain values. Out: PlateRead, HotListEntry, Alert, Brief, Person and their kin.
Never: I/O, a clock, chance, or knowledge of how a value is stored, sent or shown.
"""

from farolito.model.agency import Agency, Device
from farolito.model.alert import (
    Alert,
    AlertState,
    Check,
    CheckName,
    CheckOutcome,
    Level,
    Match,
    Standing,
)
from farolito.model.brief import Brief, BriefLine, LineKind, Outcome, Receipt, ReceiptKind, Unit
from farolito.model.errors import FarolitoError, Invalid, Refused, Rejected
from farolito.model.hot_list import Confidence, HotList, HotListEntry, ListedVehicle
from farolito.model.ids import (
    AgencyId,
    AlertId,
    BriefId,
    DeviceId,
    EntryId,
    ListId,
    PersonId,
    ReadId,
    SessionId,
    UnitId,
    digest_id,
    new_id,
)
from farolito.model.person import Person, Role
from farolito.model.place import Point
from farolito.model.plate_read import Candidate, Picture, PlateRead, Seen, SeenVehicle
from farolito.model.plates import fold_o, normalise_plate
from farolito.model.purpose import Act, Purpose, Thing
from farolito.model.state import state_code

__all__ = [
    "Act",
    "Agency",
    "AgencyId",
    "Alert",
    "AlertId",
    "AlertState",
    "Brief",
    "BriefId",
    "BriefLine",
    "Candidate",
    "Check",
    "CheckName",
    "CheckOutcome",
    "Confidence",
    "Device",
    "DeviceId",
    "EntryId",
    "FarolitoError",
    "HotList",
    "HotListEntry",
    "Invalid",
    "Level",
    "LineKind",
    "ListId",
    "ListedVehicle",
    "Match",
    "Outcome",
    "Person",
    "PersonId",
    "Picture",
    "PlateRead",
    "Point",
    "Purpose",
    "ReadId",
    "Receipt",
    "ReceiptKind",
    "Refused",
    "Rejected",
    "Role",
    "Seen",
    "SeenVehicle",
    "SessionId",
    "Standing",
    "Thing",
    "Unit",
    "UnitId",
    "digest_id",
    "fold_o",
    "new_id",
    "normalise_plate",
    "state_code",
]
