"""One camera as a register or list tells it: words, and what they make of a camera.

Every format brings its rows to the same words (`WORDS`), all of them texts; what is not told is
absent or empty. Here the texts are believed or not, once for all formats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import time
from hashlib import blake2b
from typing import Literal, NamedTuple, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from farolito.model import (
    AgencyId,
    Camera,
    CameraId,
    Consent,
    Hours,
    Invalid,
    Login,
    Optics,
    OwnerId,
    Point,
    PtzLimits,
    StreamSource,
    Terms,
)
from farolito.model.ids import SLUG

WORDS = (
    "key", "name", "lat", "lon", "height_m", "bearing", "tilt_deg", "hfov_deg", "vfov_deg",
    "range_m", "lens", "ptz", "pan_from_deg", "pan_to_deg", "tilt_from_deg", "tilt_to_deg",
    "zoom_max", "owner", "consent", "hours", "may_record", "attribution", "terms", "approval",
    "site", "switch", "ring_s", "main_url", "sub_url", "snapshot_url", "onvif_url", "transport",
    "period_s", "user", "password", "in_service",
)  # fmt: skip
TEXT_CHARACTERS_MAX = 200  # of a name, a place's words, terms; more is cut off
KEY_CHARACTERS_MAX = 400  # of a source's own key; a longer one is refused
URL_CHARACTERS_MAX = 2048  # a longer one is refused
PERIOD_S = (0.5, 3600.0)  # of a still; what is outside is brought to the nearer end
RING_S_MAX = 120.0  # kept in memory before an event; more is refused
_HEIGHT_M_MAX = 1000.0
_ID_CHARACTERS = 63  # of a slug
_YES = {"yes", "y", "true", "t", "1", "on", "x"}
_NO = {"no", "n", "false", "f", "0", "off", "none"}
_COMPASS = (
    "n", "nne", "ne", "ene", "e", "ese", "se", "sse", "s", "ssw", "sw", "wsw", "w", "wnw", "nw",
    "nnw",
)  # fmt: skip
_LONG = {"north": "n", "east": "e", "south": "s", "west": "w"}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(
    r"([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", re.ASCII
)
_HTTP, _STREAM = ("http", "https"), ("rtsp", "rtsps", "srt")

Cells = Mapping[str, str]
Protocol = Literal["rtsp", "rtsps", "hls", "jpeg", "srt"]


class RowFault(Exception):
    """Why one row is no camera: a stable word, what is wrong, the word it stands in."""

    def __init__(self, reason: str, says: str, word: str | None = None) -> None:
        super().__init__(says)
        self.reason = reason
        self.says = says
        self.word = word


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a whole register: whose, under which names. `prefix` stands before each id;
    `defaults` (by word) are what a row says that does not say it itself."""

    agency: AgencyId
    owner: OwnerId | None = None
    prefix: str = ""
    defaults: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        for slug in (self.prefix, self.owner):
            if slug and not SLUG.fullmatch(slug):
                raise Invalid(f"{slug!r} is no id", "use lower case letters, digits, -")


class Told(NamedTuple):
    """A camera that a row gives. `in_service`: False where its owner says that it is not; it then
    offers no picture, since a placeholder that looks fresh stands where the picture was."""

    camera: Camera
    login: Login | None
    in_service: bool


def camera_of(cells: Cells, about: About) -> Told:
    """Raises RowFault, naming what is wrong with the row."""
    row = Row({word: text for word, text in about.defaults.items() if text} | _told(cells))
    key = row.text("key", KEY_CHARACTERS_MAX + 1)
    if not key:
        raise RowFault("no_key", "nothing says which camera this is", "key")
    if len(key) > KEY_CHARACTERS_MAX:
        raise RowFault("key_too_long", f"a key of more than {KEY_CHARACTERS_MAX} characters", "key")
    owner = _owner(row, about)
    in_service = row.yes("in_service", True)
    sources, login = _sources(row)
    if not in_service:
        sources = _Sources()
    try:
        camera = Camera(
            camera_id=camera_id_of(about.prefix, key),
            agency=about.agency,
            owner=owner,
            name=row.text("name") or ("" if "://" in key else key[:TEXT_CHARACTERS_MAX]),
            place=_place(row),
            height_m=row.number("height_m", 0.0, _HEIGHT_M_MAX, 6.0),
            bearing_deg=_bearing(row),
            tilt_deg=row.number_or_none("tilt_deg", -90.0, 90.0),
            optics=_optics(row),
            ptz=_ptz(row),
            consent=_consent(row),
            hours=_hours(row),
            terms=Terms(
                may_record=row.yes("may_record", True),
                attribution=row.text("attribution"),
                says=row.text("terms"),
            ),
            approval=row.text("approval"),
            site=row.text("site"),
            switch=row.text("switch"),
            ring_s=row.number("ring_s", 0.0, RING_S_MAX, 0.0),
            main=sources.main,
            sub=sources.sub,
            snapshot_url=sources.snapshot,
            onvif_url=sources.onvif,
        )
    except Invalid as error:
        raise RowFault("invalid", error.says) from error
    return Told(camera, login, in_service)


def camera_id_of(prefix: str, key: str) -> CameraId:
    """The same key, the same id, in every import. A key that is no slug keeps what letters it has
    and gets a digest, so that two keys that look alike stay two cameras."""
    begin = f"{prefix}-" if prefix else ""
    slug = begin + key.lower()
    if SLUG.fullmatch(slug) and key.isascii():
        return CameraId(slug)
    digest = blake2b(key.encode("utf-8", "replace"), digest_size=4).hexdigest()
    room = _ID_CHARACTERS - len(digest) - 1
    if "://" in key:
        slug = begin + key.lower().partition("://")[2].partition("/")[2]  # never a login
    words = re.sub(r"[^a-z0-9]+", "-", slug, flags=re.ASCII).strip("-")[:room].rstrip("-")
    return CameraId(f"{words}-{digest}" if words else digest)


class Row:
    """The texts of one row, read as what they should be. Each raises RowFault."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    def text(self, word: str, most: int = TEXT_CHARACTERS_MAX) -> str:
        text = self.cells.get(word, "")[: 4 * most]
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most]

    def number_or_none(self, word: str, least: float, most: float) -> float | None:
        text = self.text(word)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise RowFault("no_number", f"{text[:40]!r} is no number", word)
        if not least <= number <= most:
            raise RowFault("out_of_range", f"{text[:40]} is not {least:g} to {most:g}", word)
        return number

    def number(self, word: str, least: float, most: float, otherwise: float) -> float:
        number = self.number_or_none(word, least, most)
        return otherwise if number is None else number

    def yes(self, word: str, otherwise: bool) -> bool:
        text = self.text(word).lower()
        if text and text not in _YES | _NO:
            raise RowFault("no_yes", f"{text[:40]!r} is neither yes nor no", word)
        return text in _YES if text else otherwise


def _told(cells: Cells) -> dict[str, str]:
    return {word: text for word, text in cells.items() if text and not text.isspace()}


def _owner(row: Row, about: About) -> OwnerId:
    owner = row.text("owner") or about.owner or ""
    if not owner:
        raise RowFault("no_owner", "nothing says whose camera this is", "owner")
    if not SLUG.fullmatch(owner):
        raise RowFault("no_owner", f"{owner[:40]!r} is no owner's id", "owner")
    return OwnerId(owner)


def _place(row: Row) -> Point | None:
    lat = row.number_or_none("lat", -1e9, 1e9)
    lon = row.number_or_none("lon", -1e9, 1e9)
    if lat is None and lon is None:
        return None
    if lat is None or lon is None:
        raise RowFault("half_a_place", "one of latitude and longitude is missing", "lat")
    if lat == 0 and lon == 0:
        raise RowFault("nowhere", "0, 0 is not a place; leave both empty if it is not known", "lat")
    try:
        return Point(lat, lon)
    except Invalid:
        hint = "; are latitude and longitude exchanged?" if abs(lat) <= 180 >= abs(lon) else ""
        says = f"{lat:g}, {lon:g} is not on Earth{hint or '; give WGS 84 degrees'}"
        raise RowFault("off_earth", says, "lat") from None


def _bearing(row: Row) -> float | None:
    """Degrees from north, or a word of the compass. Which way it looks, not which way cars go."""
    text = row.text("bearing").lower()
    word = _LONG.get(text, text)
    for long, short in _LONG.items():  # north-west, northwest
        word = word.replace(long, short)
    word = word.replace("-", "").replace(" ", "") if not word[:1].isdigit() else word
    if word in _COMPASS:
        return 22.5 * _COMPASS.index(word)
    number = row.number_or_none("bearing", -360.0, 360.0)
    # -1e-17 % 360 is 360.0, which is no bearing.
    return None if number is None else number % 360.0 % 360.0


def _optics(row: Row) -> Optics:
    plain = Optics()
    try:
        return Optics(
            hfov_deg=row.number("hfov_deg", 0.0, 360.0, plain.hfov_deg),
            vfov_deg=row.number("vfov_deg", 0.0, 180.0, plain.vfov_deg),
            range_m=row.number("range_m", 0.0, 20_000.0, plain.range_m),
            lens=row.text("lens"),
        )
    except Invalid as error:
        raise RowFault("no_view", error.says, "hfov_deg") from error


def _ptz(row: Row) -> PtzLimits | None:
    pan_from = row.number_or_none("pan_from_deg", -360.0, 360.0)
    pan_to = row.number_or_none("pan_to_deg", -360.0, 360.0)
    if not row.yes("ptz", pan_from is not None or pan_to is not None):
        return None
    if (pan_from is None) != (pan_to is None):
        raise RowFault("half_a_range", "one end of its pan is missing", "pan_from_deg")
    return PtzLimits(
        pan_from_deg=None if pan_from is None else pan_from % 360.0 % 360.0,
        pan_to_deg=None if pan_to is None else pan_to % 360.0 % 360.0,
        tilt_from_deg=row.number("tilt_from_deg", -180.0, 180.0, -90.0),
        tilt_to_deg=row.number("tilt_to_deg", -180.0, 180.0, 10.0),
        zoom_max=row.number("zoom_max", 1.0, 1000.0, 1.0),
    )


def _consent(row: Row) -> Consent:
    text = row.text("consent").lower().replace(" ", "_").replace("-", "_")
    try:
        return Consent(text) if text else Consent.REGISTRY_ONLY
    except ValueError:
        known = ", ".join(consent.value for consent in Consent)
        raise RowFault("no_consent", f"{text[:40]!r} is none of {known}", "consent") from None


def _hours(row: Row) -> tuple[Hours, ...]:
    """`mon-fri 08:00-16:00; sat 09:00-12:00`, by the agency's clock."""
    made = []
    for part in row.text("hours").lower().split(";"):
        if not part.strip():
            continue
        found = _HOURS.fullmatch(part.strip())
        if found is None or found[1] not in _DAYS or (found[2] or "mon") not in _DAYS:
            says = f"{part.strip()[:40]!r} is not of the form mon-fri 08:00-16:00"
            raise RowFault("no_hours", says, "hours")
        first = _DAYS.index(found[1])
        last = _DAYS.index(found[2]) if found[2] else first
        days = tuple((first + n) % 7 for n in range((last - first) % 7 + 1))
        made.append(
            Hours(days=days, since=_clock(found[3], found[4]), until=_clock(found[5], found[6]))
        )
    return tuple(made)


def _clock(hour: str, minute: str) -> time:
    try:
        return time(0 if hour == "24" and minute == "00" else int(hour), int(minute))
    except ValueError:
        raise RowFault("no_hours", f"{hour}:{minute} is no time of day", "hours") from None


class _Sources(NamedTuple):
    main: StreamSource | None = None
    sub: StreamSource | None = None
    snapshot: str = ""
    onvif: str = ""


def _sources(row: Row) -> tuple[_Sources, Login | None]:
    logins: set[tuple[str, str]] = set()

    def bare(word: str, schemes: tuple[str, ...]) -> str:
        text = row.cells.get(word, "").strip()
        if not text:
            return ""
        url, user, password = split_login(text, schemes, word)
        if user or password:
            logins.add((user, password))
        return url

    main, sub = bare("main_url", _STREAM + _HTTP), bare("sub_url", _STREAM + _HTTP)
    snapshot, onvif = bare("snapshot_url", _HTTP), bare("onvif_url", _HTTP)
    user, password = row.text("user"), row.cells.get("password", "")
    if user or password:
        logins.add((user, password))
    if len(logins) > 1:
        raise RowFault("two_logins", "it tells two different users or passwords", "user")
    if not main and sub:
        main, sub = sub, ""
    if not main and snapshot:
        main = snapshot  # a camera that offers stills alone is watched by them
    sources = _Sources(_stream(main, row), _stream(sub, row), snapshot, onvif)
    return sources, next((Login(user=user, word=word) for user, word in logins), None)


def _stream(url: str, row: Row) -> StreamSource | None:
    if not url:
        return None
    transport = row.text("transport").lower() or "tcp"
    if transport not in {"tcp", "udp"}:
        raise RowFault("no_transport", f"{transport[:40]!r} is neither tcp nor udp", "transport")
    period = row.number("period_s", 0.0, 1e6, 2.0)
    return StreamSource(
        protocol=protocol_of(url),
        url=url,
        transport=cast("Literal['tcp', 'udp']", transport),
        period_s=min(max(period, PERIOD_S[0]), PERIOD_S[1]),
    )


def protocol_of(url: str) -> Protocol:
    """How a picture comes from there. HTTP is HLS where a playlist is named, else a still."""
    parts = urlsplit(url)
    if parts.scheme in _STREAM:
        return cast("Protocol", parts.scheme)
    return "hls" if ".m3u8" in parts.path.lower() else "jpeg"


def split_login(text: str, schemes: tuple[str, ...], word: str = "url") -> tuple[str, str, str]:
    """A URL without its user and password, and both. Raises RowFault `bad_url`.

    A wrong URL is not shown: it may hold a password.
    """
    if len(text) > URL_CHARACTERS_MAX:
        says = f"an address of more than {URL_CHARACTERS_MAX} characters"
        raise RowFault("bad_url", says, word)
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text:
        raise RowFault("bad_url", "an address with a character that no address has", word)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RowFault("bad_url", "this is no address", word) from None
    if parts.scheme.lower() not in schemes:
        says = f"an address that does not begin with {'://, '.join(schemes)}://"
        raise RowFault("bad_url", says, word)
    if not host or port == 0:
        raise RowFault("bad_url", "an address without a host", word)
    if parts.scheme.lower() == "srt" and port is None:
        raise RowFault("bad_url", "an SRT address without a port", word)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    at = f"[{host}]" if ":" in host else host
    bare = parts._replace(
        scheme=parts.scheme.lower(), netloc=f"{at}:{port}" if port else at, fragment=""
    )
    return urlunsplit(bare), unquote(user), unquote(password)
