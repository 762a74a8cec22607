"""The operator's queue, and the incidents that calls, alerts and reports become.

In: matches from the pipeline, calls from dispatch systems, decisions of people. Out: alerts and
incidents in a known state with their history, told to screens and to those who follow.
`Desk`: raise, join, take, confirm, reject, escalate, recall, outcome. `Dispatch`: hear, group,
assign, split, join, push a fact, report. `ShotDesk`: hear, join, revise, take, review, outcome,
miss, and the figures of all that.
Never: an alert that reaches an officer without a person's decision, a change without its history,
an alert for the health of a device, a wrong place shown as sure, a part in two incidents.
"""

from farolito.desk.desk import Desk, NotFound
from farolito.desk.dispatch import Dispatch
from farolito.desk.grouping import Streets
from farolito.desk.incident_log import What
from farolito.desk.shot_steps import NotListened
from farolito.desk.shots import ShotDesk
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
    "Dispatch",
    "NotFound",
    "NotListened",
    "RejectReason",
    "ShotDesk",
    "Streets",
    "What",
]
