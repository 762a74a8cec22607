"""Cameras: where they stand, what they can show, and on what terms their owner lets us look."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from typing import Literal

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import (
    SLUG,
    AgencyId,
    CameraId,
    ClipId,
    IncidentId,
    OwnerId,
    PersonId,
    ViewingId,
)
from farolito.model.place import Point
from farolito.model.purpose import Purpose

WATCH_MINUTES_MAX = 60  # one permission to watch lasts no longer


class OwnerKind(StrEnum):
    """Whose camera it is: what the counts are told apart by."""

    CITY = "city"
    TRAFFIC = "traffic"
    SCHOOL = "school"
    TRANSIT = "transit"
    COUNTY = "county"
    NATION = "nation"
    PRIVATE = "private"


class CameraOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Who may give consent for a camera and take it back. Not a person who is watched."""

    owner_id: OwnerId
    agency: AgencyId
    name: str
    kind: OwnerKind

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.owner_id):
            raise Invalid(f"owner id {self.owner_id!r}", "use lower case letters, digits, -")


class Consent(StrEnum):
    """The ladder. Each rung lets us do what the rungs below it do."""

    REGISTRY_ONLY = "registry_only"  # it is known that it stands there; nobody looks
    ON_ALARM = "on_alarm"  # while an incident is open near it
    TIME_WINDOW = "time_window"  # in its hours, and on alarm
    ALWAYS = "always"


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """A window of each week, local to the agency. `days`: 0 Monday … 6 Sunday, of its beginning;
    `until` at or before `since` is on the next day."""

    days: tuple[int, ...]
    since: time
    until: time

    def __post_init__(self) -> None:
        if not self.days or not all(0 <= day <= 6 for day in self.days):
            raise Invalid(f"days {self.days}", "give 0 (Monday) to 6 (Sunday)")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner asks of who looks. `attribution` stands beside every picture."""

    may_record: bool = True
    attribution: str = ""
    says: str = ""


class Optics(msgspec.Struct, frozen=True, kw_only=True):
    """What the lens takes in: degrees across and up and down, and how far a person can be made
    out as a person, metres. `lens` in the maker's words."""

    hfov_deg: float = 70.0
    vfov_deg: float = 40.0
    range_m: float = 120.0
    lens: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.hfov_deg <= 360 and 0 < self.vfov_deg <= 180 and self.range_m > 0):
            raise Invalid(
                f"a view of {self.hfov_deg}° by {self.vfov_deg}° and {self.range_m} m",
                "give degrees and metres above 0",
            )


class PtzLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How far it turns. Pan in degrees from north, clockwise, `pan_from` to `pan_to`; the whole
    circle where both are None. Tilt in degrees above (+) and below (−) the horizon."""

    pan_from_deg: float | None = None
    pan_to_deg: float | None = None
    tilt_from_deg: float = -90.0
    tilt_to_deg: float = 10.0
    zoom_max: float = 1.0
    seconds_half_turn: float = 3.0


class StreamSource(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a camera's picture. `url` never carries a user or password: those are kept apart,
    encrypted. `period_s`: of a still that is fetched again and again."""

    protocol: Literal["rtsp", "rtsps", "hls", "jpeg", "srt"]
    url: str
    transport: Literal["tcp", "udp"] = "tcp"
    period_s: float = 2.0


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """A camera of the register. `height_m` above ground; `bearing_deg` from north and `tilt_deg`
    below the horizon where it rests; None: not known. `approval`: the impact approval it stands
    under. `site` and `switch` are where its cable ends: a fault there is one fault. `ring_s`:
    seconds kept in memory before an event; 0 for most."""

    camera_id: CameraId
    agency: AgencyId
    owner: OwnerId
    name: str
    place: Point | None = None
    height_m: float = 6.0
    bearing_deg: float | None = None
    tilt_deg: float | None = None
    optics: Optics = Optics()
    ptz: PtzLimits | None = None
    consent: Consent = Consent.REGISTRY_ONLY
    hours: tuple[Hours, ...] = ()
    terms: Terms = Terms()
    approval: str = ""
    site: str = ""
    switch: str = ""
    ring_s: float = 0.0
    main: StreamSource | None = None
    sub: StreamSource | None = None
    snapshot_url: str = ""
    onvif_url: str = ""
    changed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.camera_id):
            raise Invalid(f"camera id {self.camera_id!r}", "use lower case letters, digits, -")
        if self.bearing_deg is not None and not 0 <= self.bearing_deg < 360:
            raise Invalid(f"a bearing of {self.bearing_deg}°", "give 0 to 360 from north")
        if self.consent is Consent.TIME_WINDOW and not self.hours:
            raise Invalid("consent in a time window without hours", "give the hours")


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera wants to hear. Lives encrypted, and in the memory of who pulls."""

    user: str
    word: str

    def __repr__(self) -> str:
        return "Login(…)"


class PictureState(StrEnum):
    """How a camera is, in the one word that a tile and the health page show."""

    UNKNOWN = "unknown"  # nobody has asked it yet
    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"  # connected, and nothing comes
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # it does not take our user or password
    NOT_FOUND = "not_found"  # it answers, and knows no such stream
    UNSUPPORTED = "unsupported"  # H.265 without an H.264 substream, or no video at all
    MALFORMED = "malformed"  # what comes is no video by its own standard
    NOT_A_PICTURE = "not_a_picture"  # a login page where a JPEG should be
    TOO_MUCH = "too_much"  # more bytes than we take from one camera
    BLOCKED = "blocked"  # its address is not one that we may connect to
    NO_CONSENT = "no_consent"


class ImageFault(StrEnum):
    """What a key frame of the sweep shows to be wrong."""

    BLACK = "black"
    BLUR = "blur"
    OBSTRUCTED = "obstructed"
    MOVED = "moved"
    FROZEN = "frozen"
    WRONG_CLOCK = "wrong_clock"


class CameraHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What was last found. `since`: of this state. `clock_error_s`: the camera's clock less ours,
    None where it told none. `missed`: sweeps in a row without a picture."""

    camera_id: CameraId
    state: PictureState
    since: datetime
    looked_at: datetime | None = None
    faults: tuple[ImageFault, ...] = ()
    says: str = ""
    do: str = ""
    clock_error_s: float | None = None
    clock_measured_at: datetime | None = None
    missed: int = 0
    width: int | None = None
    height: int | None = None


class Viewing(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody watched a camera: from when to when, for which purpose. `permit`: the ledger entry
    that opened it; `until` None: still open, seen to be so at `seen_at`."""

    viewing_id: ViewingId
    camera_id: CameraId
    person: PersonId
    who: str
    role: str
    purpose: Purpose
    case: str | None = None
    incident: IncidentId | None = None
    permit: int
    since: datetime
    seen_at: datetime
    until: datetime | None = None
    why_ended: str = ""
    kept_recording: bool = False  # a clip was made of it


class ClipKind(StrEnum):
    ORIGINAL = "original"
    REDACTED = "redacted"


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence: a file that is never changed. `source`: the original of a redacted one.
    `clock_error_s` as measured nearest to it, with when. `since`, `until`: by our clock."""

    clip_id: ClipId
    agency: AgencyId
    camera_id: CameraId
    kind: ClipKind
    since: datetime
    until: datetime
    made_at: datetime
    made_by: PersonId
    purpose: Purpose
    case: str | None
    incident: IncidentId | None
    sha256: str
    size: int
    frames: int
    permit: int
    source: ClipId | None = None
    clock_error_s: float | None = None
    clock_measured_at: datetime | None = None
    clock_says: str = ""
