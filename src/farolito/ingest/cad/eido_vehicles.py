"""Vehicles in an EIDO: NIEM's vehicle type, in which every value is a list of wrapped values."""

from __future__ import annotations

from typing import Any

from farolito.ingest.cad.eido_parts import objects, text_of, texts_of
from farolito.model import CallVehicle

_DEPTH_MAX = 4  # a value stands in `value` or `simpleType`, itself wrapped at most twice
_WRAPPERS = ("value", "simpleType", "content", "niem-xsstring")
_IDENTIFICATIONS = ("identification", "stateIdentification", "otherIdentification")
_PLATE_SIGNS = ("plate", "licen", "registration", "tag")
# NCIC's codes of vehicle colours (VCO), those that say a colour.
_COLOURS = {
    "BLK": "black", "WHI": "white", "SIL": "silver", "GRY": "gray", "BLU": "blue", "DBL": "blue",
    "LBL": "blue", "RED": "red", "MAR": "maroon", "GRN": "green", "DGR": "green", "LGR": "green",
    "TAN": "tan", "BRO": "brown", "BGE": "beige", "GLD": "gold", "YEL": "yellow", "ONG": "orange",
    "PLE": "purple", "PNK": "pink",
}  # fmt: skip


def vehicle_of(component: dict[str, Any]) -> CallVehicle:
    vehicle = next(iter(objects(component.get("ncVehicleComponent"))), {})
    colour = _first(vehicle, "conveyanceColorPrimary", "conveyanceColorPrimaryCode")
    relations = [word for word in texts_of(component.get("vehicleRelationshipType")) if word]
    described = _first(vehicle, "description", "colorDescription")
    plate, state = _plate(vehicle)
    return CallVehicle(
        says=described or ", ".join(relations),
        plate=plate,
        state=state,
        colour=_COLOURS.get((colour or "").upper(), colour),
        make=_first(vehicle, "makeName", "makeCode", "brandName"),
        model=_first(vehicle, "modelName", "modelCode"),
        kind=_first(vehicle, "category", "style", "vehicleStyleCode"),
    )


def _first(vehicle: dict[str, Any], *names: str) -> str | None:
    return next((told for name in names if (told := _unwrapped(vehicle.get(name)))), None)


def _unwrapped(value: Any, depth: int = 0) -> str | None:
    """The text in `[{"value": "…"}]` and the like."""
    if depth > _DEPTH_MAX:
        return None
    if isinstance(value, list):
        return next((told for one in value if (told := _unwrapped(one, depth + 1))), None)
    if isinstance(value, dict):
        wrapped = (_unwrapped(value.get(name), depth + 1) for name in _WRAPPERS)
        return next((told for told in wrapped if told), None)
    return text_of(value)


def _plate(vehicle: dict[str, Any]) -> tuple[str | None, str | None]:
    """A plate and its state: an identification that says it is one. A VIN is none."""
    for name in _IDENTIFICATIONS:
        for one in objects(vehicle.get(name)):
            kinds = (_unwrapped(one.get(key)) for key in ("categoryDescription", "category"))
            kind = " ".join(told for told in kinds if told).lower()
            if any(sign in kind for sign in _PLATE_SIGNS):
                state = _jurisdiction(one.get("jurisdiction"))
                return _unwrapped(one.get("identificationId")), state
    return None, None


def _jurisdiction(value: Any) -> str | None:
    told = _unwrapped(value)
    if told is not None:
        return told
    for one in objects(value):
        found = next((inner for part in one.values() if (inner := _unwrapped(part))), None)
        if found:
            return found
    return None
