"""What a CAD's words for a unit's status and a call's state mean, where no table says so.

A word that is not here means nothing: the unit is left out, the state is "not told".
"""

from __future__ import annotations

from farolito.model import CallState, UnitStatus

_UNIT: dict[UnitStatus, tuple[str, ...]] = {
    UnitStatus.ASSIGNED: (
        "assigned", "assign", "dispatched", "dispatch", "dsp", "disp", "alerted", "notified",
        "acknowledged",
    ),
    UnitStatus.EN_ROUTE: ("enroute", "enrt", "responding", "resp", "ontheway", "1076"),
    UnitStatus.ON_SCENE: (
        "onscene", "atscene", "scene", "onsc", "arrived", "arrive", "arrival", "atpatient",
        "staged", "staging", "1097", "1023",
    ),
    # Transporting: still busy with the call, and no longer with whoever is at the scene.
    UnitStatus.CLEARED: (
        "cleared", "clear", "clr", "available", "avail", "inservice", "108", "1098", "cancelled",
        "canceled", "cancel", "released", "unassigned", "offduty", "outofservice", "oos",
        "returning", "inquarters", "transporting", "transport", "atdestination", "athospital",
    ),
}  # fmt: skip
_CALL: dict[CallState, tuple[str, ...]] = {
    CallState.OPEN: (
        "open", "opened", "reopened", "reopen", "active", "new", "pending", "assigned",
        "dispatched", "enroute", "onscene", "arrived", "hold", "held", "queued", "inprogress",
        "working", "waiting",
    ),
    CallState.CLOSED: (
        "closed", "close", "cleared", "clear", "complete", "completed", "cancelled", "canceled",
        "cancel", "resolved", "disposed", "ended", "archived",
    ),
    CallState.TRANSFERRED: ("transferred", "transfer", "transferredout", "referred", "handedover"),
}  # fmt: skip
_UNIT_WORDS = {word: status for status, words in _UNIT.items() for word in words}
_CALL_WORDS = {word: state for state, words in _CALL.items() for word in words}
_UNIT_WORDS |= {status.value.replace("_", ""): status for status in UnitStatus}


def unit_status_of(says: str) -> UnitStatus | None:
    return _UNIT_WORDS.get(_plain(says))


def call_state_of(says: str) -> CallState | None:
    return _CALL_WORDS.get(_plain(says))


def _plain(says: str) -> str:
    return "".join(c for c in says[:64].lower() if c.isalnum())
