"""The operator's queue: raise, join, take, confirm, reject, escalate, recall, outcome.

In: matches from the pipeline, decisions of people. Out: alerts in a known state, told to screens.
Never: an alert that reaches an officer without a person's decision, a change without its history,
an alert for the health of a device.
"""

from farolito.desk.desk import Desk, NotFound
from farolito.desk.steps import (
    ACTIONS,
    JOIN_WINDOW,
    P1_CATEGORIES,
    P1_TAKEN_WITHIN,
    Conflict,
    RejectReason,
)

__all__ = [
    "ACTIONS",
    "JOIN_WINDOW",
    "P1_CATEGORIES",
    "P1_TAKEN_WITHIN",
    "Conflict",
    "Desk",
    "NotFound",
    "RejectReason",
]
