"""The closed lists: why somebody asks, what they want to do, and with what."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """R15: chosen, never typed. What is not here has no answer."""

    HOT_LIST_ALERT = "hot_list_alert"  # work on an alert in the queue, or a brief from it
    IN_PROGRESS_CALL = "in_progress_call"
    OFFICER_SAFETY = "officer_safety"
    CRIMINAL_INVESTIGATION = "criminal_investigation"
    MISSING_PERSON = "missing_person"
    AUDIT = "audit"
    ADMINISTRATION = "administration"  # of lists, devices, people; opens no record about a person
    SYSTEM = "system"  # the node itself, by a standing rule
    # Asked for in the field and forbidden by law (R21). They are named so that the refusal
    # has a name in the ledger; the policy forbids them and nothing overrides it.
    IMMIGRATION_ENFORCEMENT = "immigration_enforcement"
    PROTECTED_HEALTH_CARE = "protected_health_care"
    PROTECTED_ACTIVITY = "protected_activity"
    PERSONAL = "personal"


class Act(StrEnum):
    """The five ways through the gate."""

    READ = "read"
    LIVE = "live"  # a subscription, decided when it opens
    WATCH = "watch"  # moving pictures
    ACT = "act"  # change something: confirm, reject, recall, import
    EXPORT = "export"


class Thing(StrEnum):
    """The kinds of information and of deed that rights are given for."""

    ALERT = "alert"
    BRIEF = "brief"
    CALL = "call"
    INCIDENT = "incident"
    SHOT = "shot"  # shot alerts, their reviews, outcomes and the misses
    SHOT_FIGURE = "shot_figure"  # how good the alerts were; no place nearer than a zone
    SOUND = "sound"  # a clip of an impulse
    SENSOR = "sensor"  # where gunshot sensors stand, how they are, what they cover
    TIMING = "timing"  # how long each step took; names no person
    PLATE_READ = "plate_read"
    PICTURE = "picture"
    CAMERA = "camera"  # the register, the live picture, turning it
    CONSENT = "consent"  # of a camera's owner
    VIEWING = "viewing"  # who watched which camera, when and why
    CLIP = "clip"  # evidence cut from a picture
    HOT_LIST = "hot_list"
    UNIT = "unit"
    MAP = "map"
    LEDGER = "ledger"
    LEDGER_FIELD = "ledger_field"  # a personal field of the ledger, opened
    HEALTH = "health"
    DEVICE = "device"
    PERSON = "person"
    DEAD_LETTER = "dead_letter"
    PARTNER = "partner"  # other agencies: who they are, whether their line is up
    AGREEMENT = "agreement"  # what is shared with whom; drafting, signing, revoking
    SHARED = "shared"  # what partners let us have, and what became of it
    REVIEW = "review"  # searches that somebody outside the chain of command must look at
    REPORT = "report"  # counts for the public and for statutes; names nobody
