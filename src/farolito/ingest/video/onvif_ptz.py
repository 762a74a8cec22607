"""Turning a camera over ONVIF: degrees from north and from the horizon, into what it understands.

A camera speaks either of degrees (SphericalPositionSpaceDegrees) or of −1 … 1 (generic spaces); the
generic range is laid evenly over the limits that the register tells of, since the camera does not.
Zoom is 0 (wide) … 1 (near) everywhere.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from onveef import envelopes, parsers
from onveef.aclient import AsyncOnvifClient

from farolito.codec import Broken
from farolito.ingest.video.onvif_ask import asked
from farolito.model import PictureState, PtzLimits

MOVE_S = 15.0  # after which the camera stops by itself: a lost "stop" must not turn it for ever
PRESETS_MAX = 100
_NUMBER_MAX = 1e6  # of degrees, or a share; what is beyond is not told
_WHOLE = 360.0
_SPACE = re.compile(r"<[\w:]*PanTilt[^>]*\bspace=[\"']([^\"']*)[\"']")


class Range(NamedTuple):
    low: float
    high: float

    def at(self, share: float) -> float:
        return self.low + (self.high - self.low) * min(max(share, 0.0), 1.0)

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0


_GENERIC = Range(-1.0, 1.0)


class Spaces(NamedTuple):
    """How a camera tells where it looks. `uri` names the space of pan and tilt."""

    uri: str = ""
    pan: Range = Range(-1.0, 1.0)
    tilt: Range = Range(-1.0, 1.0)
    zoom: Range = Range(0.0, 1.0)
    is_absolute: bool = False
    has_home: bool = False

    @property
    def is_degrees(self) -> bool:
        return "SphericalPositionSpace" in self.uri

    def limits(self, rest_bearing_deg: float) -> PtzLimits:
        """What the camera itself tells of how far it turns; pan from north."""
        if not self.is_degrees:
            return PtzLimits()
        whole = self.pan.high - self.pan.low >= _WHOLE - 1
        return PtzLimits(
            pan_from_deg=None if whole else (rest_bearing_deg + self.pan.low) % _WHOLE,
            pan_to_deg=None if whole else (rest_bearing_deg + self.pan.high) % _WHOLE,
            tilt_from_deg=max(self.tilt.low, -180.0),
            tilt_to_deg=min(self.tilt.high, 180.0),
        )


class Turned(NamedTuple):
    """Where it looks, None what it does not tell. `bearing_deg` from north, `tilt_deg` above the
    horizon, `zoom` 0 … 1."""

    bearing_deg: float | None
    tilt_deg: float | None
    zoom: float | None
    is_moving: bool


class Preset(NamedTuple):
    token: str
    name: str


def spaces_of(nodes: list[dict[str, Any]]) -> Spaces:
    """Of the first PTZ node."""
    if not nodes:
        return Spaces()
    plain, ranges = Spaces(), nodes[0].get("ranges") or {}
    turn, zoom = ranges.get("absolute_pan_tilt"), ranges.get("absolute_zoom")
    turn, zoom = turn or {}, zoom or {}
    return Spaces(
        uri=str(turn.get("uri", "")),
        pan=_range(turn.get("x"), plain.pan),
        tilt=_range(turn.get("y"), plain.tilt),
        zoom=_range(zoom.get("x"), plain.zoom),
        is_absolute=bool(turn),
        has_home=str(nodes[0].get("home_supported", "")).lower() == "true",
    )


def _range(told: Any, otherwise: Range) -> Range:
    try:
        made = Range(float(told["min"]), float(told["max"]))
    except (TypeError, KeyError, ValueError):
        return otherwise
    return made if -_NUMBER_MAX < made.low < made.high < _NUMBER_MAX else otherwise


class OnvifPtz:
    """Made by `OnvifCamera.ptz`. Every method raises Broken; refusing a person is not its work."""

    def __init__(
        self,
        client: AsyncOnvifClient,
        profile: str,
        spaces: Spaces,
        limits: PtzLimits,
        rest_bearing_deg: float,
    ) -> None:
        self._client = client
        self._profile = profile
        self.spaces = spaces
        self._limits = limits
        self._rest = rest_bearing_deg

    async def move(self, pan: float, tilt: float, zoom: float) -> None:
        """Speeds −1 … 1: right, up, nearer. Goes on for `MOVE_S`; to go on longer, say it again."""
        speeds = [min(max(one, -1.0), 1.0) for one in (pan, tilt, zoom)]
        await asked(
            self._client.ptz_continuous_move(
                profile_token=self._profile,
                pan=speeds[0],
                tilt=speeds[1],
                zoom=speeds[2],
                timeout=f"PT{MOVE_S:g}S",
            )
        )

    async def stop(self) -> None:
        await asked(self._client.ptz_stop(profile_token=self._profile))

    async def home(self) -> None:
        await asked(self._client.ptz_goto_home_position(profile_token=self._profile))

    async def presets(self) -> list[Preset]:
        told = await asked(self._client.ptz_get_presets(profile_token=self._profile))
        return [
            Preset(str(one["token"]), str(one.get("name", ""))[:80])
            for one in told[:PRESETS_MAX]
            if one.get("token")
        ]

    async def go_to(self, preset: str) -> None:
        await asked(self._client.ptz_goto_preset(profile_token=self._profile, preset_token=preset))

    async def turn_to(self, bearing_deg: float, tilt_deg: float, zoom: float | None = None) -> None:
        """As near as its limits let it. `zoom` None: leave it."""
        if not self.spaces.is_absolute:
            says = "the camera cannot be told where to look, only to move"
            raise Broken(PictureState.UNSUPPORTED, says, "turn it by hand")
        pan, tilt = self._pan(bearing_deg), self._tilt(tilt_deg)
        space = f" space={quoteattr(self.spaces.uri)}" if self.spaces.uri else ""
        position = f'<tt:PanTilt x="{pan:.6f}" y="{tilt:.6f}"{space}/>'
        if zoom is not None:
            position += f'<tt:Zoom x="{self.spaces.zoom.at(zoom):.6f}"/>'
        # The library's own call leaves the space out, and a camera that has two takes the other.
        await asked(
            self._client.call(
                service="ptz",
                operation="AbsoluteMove",
                body_inner="<tptz:AbsoluteMove>"
                f"<tptz:ProfileToken>{escape(self._profile)}</tptz:ProfileToken>"
                f"<tptz:Position>{position}</tptz:Position></tptz:AbsoluteMove>",
            )
        )

    async def where(self) -> Turned:
        answer = await asked(
            self._client.call(
                service="ptz",
                operation="GetStatus",
                body_inner=envelopes.ptz_get_status(profile_token=self._profile),
            )
        )
        told = parsers.parse_ptz_status(answer)
        move = told.get("move_status") or {}
        pan, tilt, zoom = (_number(told.get(word)) for word in ("pan", "tilt", "zoom"))
        # A camera that has two spaces may tell its place in the other one.
        space = _SPACE.search(answer)
        degrees = "Spherical" in space[1] if space else self.spaces.is_degrees
        return Turned(
            bearing_deg=None if pan is None else self._bearing(pan, degrees),
            tilt_deg=None if tilt is None else self._tilt_deg(tilt, degrees),
            zoom=None if zoom is None else min(max(self.spaces.zoom.share(zoom), 0), 1),
            is_moving="MOVING" in {str(word).upper() for word in move.values()},
        )

    def _span(self) -> Range:
        """Its pan in degrees from its own zero, as far as it turns."""
        limits, spaces = self._limits, self.spaces
        if spaces.is_degrees:
            return spaces.pan
        if limits.pan_from_deg is None or limits.pan_to_deg is None:
            return Range(-180.0, 180.0)
        low = _within(limits.pan_from_deg - self._rest)
        return Range(low, low + ((limits.pan_to_deg - limits.pan_from_deg) % _WHOLE or _WHOLE))

    def _pan(self, bearing_deg: float) -> float:
        span = self._span()
        degrees = _within(bearing_deg - self._rest)
        # The same way may have another number: 190 where the camera counts from 0 to 355.
        for turned in (degrees, degrees + _WHOLE, degrees - _WHOLE):
            if span.low <= turned <= span.high:
                degrees = turned
                break
        else:
            low, high = _within(span.low - degrees), _within(span.high - degrees)
            degrees = span.low if abs(low) < abs(high) else span.high
        return degrees if self.spaces.is_degrees else self.spaces.pan.at(span.share(degrees))

    def _bearing(self, pan: float, is_degrees: bool) -> float:
        generic = self.spaces.pan if not self.spaces.is_degrees else _GENERIC
        degrees = pan if is_degrees else self._span().at(generic.share(pan))
        return (self._rest + degrees) % _WHOLE % _WHOLE

    def _tilt(self, tilt_deg: float) -> float:
        limits = Range(self._limits.tilt_from_deg, self._limits.tilt_to_deg)
        degrees = min(max(tilt_deg, limits.low), limits.high)
        if self.spaces.is_degrees:
            return min(max(degrees, self.spaces.tilt.low), self.spaces.tilt.high)
        return self.spaces.tilt.at(limits.share(degrees))

    def _tilt_deg(self, tilt: float, is_degrees: bool) -> float:
        if is_degrees:
            return tilt
        generic = self.spaces.tilt if not self.spaces.is_degrees else _GENERIC
        return Range(self._limits.tilt_from_deg, self._limits.tilt_to_deg).at(generic.share(tilt))


def _number(told: Any) -> float | None:
    return told if isinstance(told, float) and abs(told) < _NUMBER_MAX else None


def _within(degrees: float) -> float:
    """−180 … 180."""
    return (degrees + 180.0) % _WHOLE - 180.0
