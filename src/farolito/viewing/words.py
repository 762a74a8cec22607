"""Reasons in plain English, each with its word and its values for other languages."""

from __future__ import annotations

from datetime import datetime

from farolito.geo.reach import Window
from farolito.model import ImageFault, PictureState
from farolito.viewing.eye import Eye, Reason

# EN 62676-4:2015, 6.7: pixels a metre at the target for what an operator is to do there.
DETAIL = (
    (250.0, "identify", "enough to identify a person"),
    (125.0, "recognise", "enough to recognise a person one knows"),
    (62.5, "observe", "enough to see clothes and what is carried"),
    (25.0, "detect", "enough to see that a person is there"),
    (12.5, "monitor", "enough to see which way people move"),
    (0.0, "glimpse", "enough to see that something moves"),
)
_STATES = {
    PictureState.STALLED: "connected, and no picture comes",
    PictureState.UNREACHABLE: "down",
    PictureState.REFUSED: "does not take our password",
    PictureState.NOT_FOUND: "has no such stream",
    PictureState.UNSUPPORTED: "sends what we cannot show",
    PictureState.MALFORMED: "sends broken video",
    PictureState.NOT_A_PICTURE: "sends a page instead of a picture",
    PictureState.TOO_MUCH: "sends more than we take from one camera",
    PictureState.BLOCKED: "its address is not one that we may connect to",
    PictureState.NO_CONSENT: "its owner does not let us look now",
}
_FAULTS = {
    ImageFault.BLACK: "its picture is black",
    ImageFault.BLUR: "its picture is blurred",
    ImageFault.OBSTRUCTED: "something covers its lens",
    ImageFault.MOVED: "it was moved: nobody knows where it looks",
    ImageFault.FROZEN: "its picture stands still",
    ImageFault.WRONG_CLOCK: "its clock is wrong",
}


def detail(metres: float, pixels_per_m: float, zoom: float) -> Reason:
    word, says = next((w, s) for least, w, s in DETAIL if pixels_per_m >= least)
    zoomed = f", zoomed in {zoom:.0f} times" if zoom >= 1.5 else ""
    return Reason(
        word=f"detail_{word}",
        says=f"{metres:.0f} m away{zoomed}: {says}",
        values={
            "metres": round(metres),
            "pixels_per_m": round(pixels_per_m),
            "zoom": round(zoom, 1),
        },
    )


def turns(seconds: float) -> Reason:
    if seconds < 0.05:
        return Reason(word="zooms", says="must be zoomed in")
    return Reason(
        word="turns",
        says=f"must turn first, about {seconds:.1f} s",
        values={"seconds": round(seconds, 1)},
    )


def part(share: float) -> Reason:
    percent = round(100 * share)
    return Reason(word="part", says=f"shows {percent} % of the place", values={"percent": percent})


def unknown_direction(chance: float) -> Reason:
    percent = round(100 * chance)
    return Reason(
        word="unknown_direction",
        says=f"the register does not tell which way it looks: {percent} % of the circle",
        values={"percent": percent},
    )


def state(eye: Eye) -> Reason | None:
    """None where the picture is live, or nothing is known against it."""
    if eye.state is PictureState.UNKNOWN:
        return Reason(word="state_unknown", says="nobody has asked yet whether it works")
    if eye.state is PictureState.CONNECTING:
        return Reason(word="state_connecting", says="connecting")
    says = _STATES.get(eye.state)
    if says is None:
        return None
    word = f"state_{eye.state.value}"
    if eye.since is None:
        return Reason(word=word, says=says)
    since = _clock(eye.since)
    return Reason(word=f"{word}_since", says=f"{says} since {since}", values={"since": since})


def fault(found: ImageFault) -> Reason:
    return Reason(word=f"fault_{found.value}", says=_FAULTS[found])


def closed(why: str) -> Reason:
    return Reason(word="closed", says=f"its owner does not let us look now: {why}",
                  values={"why": why})  # fmt: skip


def too_far(metres: float, reach_m: float) -> Reason:
    return Reason(
        word="too_far",
        says=f"too far to make out a person: {metres:.0f} m, reach {reach_m:.0f} m",
        values={"metres": round(metres), "reach_m": round(reach_m)},
    )


def building(height_m: float) -> Reason:
    return Reason(
        word="building",
        says=f"a building of {height_m:.0f} m stands between",
        values={"height_m": round(height_m)},
    )


def passes(street: str, window: Window) -> Reason:
    road_m = round(window.road_m, -1)
    span = {"earliest": f"{window.earliest_at:%H:%M:%S}", "latest": f"{window.latest_at:%H:%M:%S}"}
    says = f"{road_m:.0f} m by road, from {span['earliest']} to {span['latest']}"
    return Reason(
        word="passes_on" if street else "passes",
        says=f"{street}, {says}" if street else says,
        values={"street": street, "road_m": round(road_m), **span},
    )


AWAY = Reason(word="away", says="looks the other way")
CANNOT_TURN = Reason(word="cannot_turn", says="cannot turn so far")
BENEATH = Reason(word="beneath", says="the place is below its picture, too near under it")
ABOVE = Reason(word="above", says="the place is above its picture")
GROUND = Reason(word="ground", says="the ground rises between")
INDOORS = Reason(word="indoors", says="stands inside a building, by the register")
INSIDE = Reason(word="inside", says="the place is inside a building: its outside is seen")
SUN = Reason(word="sun", says="the low sun shines into it")
SAME_POLE = Reason(word="same_pole", says="stands beside one that is listed before it")
SAME_SIDE = Reason(word="same_side", says="looks from the same side as one listed before it")


def _clock(at: datetime) -> str:
    return f"{at:%H:%M}"
