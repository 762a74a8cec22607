"""Who may look at cameras, turn them, keep what they show, and see who looked."""

from __future__ import annotations

from typing import Any

import pytest

from farolito.model import Act, Purpose, Role, Thing
from farolito.policy import Permit

from .conftest import Ask
from .test_decisions import CASE, reason

OPEN: dict[str, Any] = {"consent_open": True}
NEAR: dict[str, Any] = {"consent_open": True, "assigned_unit": "2A14", "near_assigned": True}
WATCH = (Act.WATCH, Thing.CAMERA)


def test_an_operator_watches_where_the_owner_lets_us(ask: Ask) -> None:
    assert isinstance(ask(Role.OPERATOR, *WATCH, facts=OPEN), Permit)
    assert reason(ask(Role.OPERATOR, *WATCH, facts={"consent_open": False})) == "no_consent"
    assert reason(ask(Role.OPERATOR, *WATCH)) == "no_consent"


@pytest.mark.parametrize("role", list(Role))
def test_without_consent_nobody_watches_the_node_itself_included(role: Role, ask: Ask) -> None:
    closed = NEAR | {"consent_open": False}
    for purpose in Purpose:
        assert reason(ask(role, *WATCH, purpose, unit="2A14", case=CASE, facts=closed))
        assert reason(ask(role, *WATCH, purpose, unit="2A14", case=CASE))


def test_an_officer_watches_at_the_incident_of_the_own_unit(ask: Ask) -> None:
    watch = (Role.OFFICER, *WATCH)
    assert isinstance(ask(*watch, unit="2A14", facts=NEAR), Permit)
    assert reason(ask(*watch, unit="2A15", facts=NEAR)) == "not_your_unit"
    assert reason(ask(*watch, unit="2A14", facts=NEAR | {"near_assigned": False})) == "not_near"
    assert reason(ask(*watch, unit="2A14", facts=OPEN)) == "not_your_unit"
    closed = ask(*watch, unit="2A14", facts=NEAR | {"consent_open": False})
    assert reason(closed) == "no_consent"


def test_a_detective_watches_for_a_case(ask: Ask) -> None:
    watch = (Role.DETECTIVE, *WATCH, Purpose.CRIMINAL_INVESTIGATION)
    assert isinstance(ask(*watch, case=CASE, facts=OPEN), Permit)
    assert reason(ask(*watch, facts=OPEN)) == "case"


@pytest.mark.parametrize(
    "role", [Role.AGENCY_ADMIN, Role.AUDITOR, Role.SYSADMIN, Role.CAMERA_OWNER]
)
def test_who_keeps_cameras_or_the_log_never_watches(role: Role, ask: Ask) -> None:
    told = NEAR | {"camera_owner": "transit", "may_record": True}
    for purpose in Purpose:
        answer = ask(role, *WATCH, purpose, unit="2A14", camera_owner="transit", facts=told)
        assert reason(answer) in {"role", "prohibited_purpose"}


def test_the_node_looks_to_see_that_a_camera_is_well(ask: Ask) -> None:
    assert isinstance(ask(Role.SYSTEM, *WATCH, Purpose.SYSTEM, facts=OPEN), Permit)
    assert reason(ask(Role.SYSTEM, *WATCH, Purpose.SYSTEM)) == "no_consent"
    assert reason(ask(Role.SYSTEM, *WATCH, Purpose.HOT_LIST_ALERT, facts=OPEN)) == "purpose"


def test_consent_is_the_owners_own(ask: Ask) -> None:
    own, other = {"camera_owner": "transit"}, {"camera_owner": "schools"}
    change = (Role.CAMERA_OWNER, Act.ACT, Thing.CONSENT, Purpose.ADMINISTRATION)
    assert isinstance(ask(*change, camera_owner="transit", facts=own), Permit)
    assert reason(ask(*change, camera_owner="transit", facts=other)) == "not_your_camera"
    assert reason(ask(*change, camera_owner="transit")) == "not_your_camera"
    assert reason(ask(*change, facts={"camera_owner": ""})) == "not_your_camera"
    for role in set(Role) - {Role.CAMERA_OWNER}:
        for purpose in Purpose:
            assert reason(ask(role, Act.ACT, Thing.CONSENT, purpose, facts=own, case=CASE))


def test_an_owner_sees_who_watched_the_own_cameras(ask: Ask) -> None:
    look = (Role.CAMERA_OWNER, Act.READ, Thing.VIEWING, Purpose.ADMINISTRATION)
    own = {"camera_owner": "transit"}
    assert isinstance(ask(*look, camera_owner="transit", facts=own), Permit)
    assert reason(ask(*look, camera_owner="schools", facts=own)) == "not_your_camera"
    assert isinstance(ask(Role.AUDITOR, Act.READ, Thing.VIEWING, Purpose.AUDIT), Permit)
    assert reason(ask(Role.OPERATOR, Act.READ, Thing.VIEWING)) == "role"


def test_what_the_owner_wants_unrecorded_is_not_kept(ask: Ask) -> None:
    make = (Role.OPERATOR, Act.ACT, Thing.CLIP)
    assert isinstance(ask(*make, facts={"may_record": True}), Permit)
    assert reason(ask(*make, facts={"may_record": False})) == "no_recording"
    assert reason(ask(*make)) == "no_recording"


def test_a_clip_is_taken_out_for_a_case_by_who_signed_in_just_now(ask: Ask) -> None:
    told = {"may_record": True}
    take = (Act.EXPORT, Thing.CLIP, Purpose.CRIMINAL_INVESTIGATION)
    for role in (Role.DETECTIVE, Role.SUPERVISOR):
        assert isinstance(ask(role, *take, case=CASE, facts=told), Permit)
        assert reason(ask(role, *take, facts=told)) == "case"
        old = ask(role, *take, case=CASE, facts=told, signed_in_s=301)
        assert reason(old) == "sign_in_again"
    assert reason(ask(Role.OPERATOR, *take, case=CASE, facts=told)) == "role"


def test_operators_turn_cameras_and_administrators_register_them(ask: Ask) -> None:
    act = (Act.ACT, Thing.CAMERA)
    assert isinstance(ask(Role.OPERATOR, *act, facts=OPEN), Permit)
    assert reason(ask(Role.OPERATOR, *act)) == "no_consent"
    assert isinstance(ask(Role.AGENCY_ADMIN, *act, Purpose.ADMINISTRATION), Permit)
    assert reason(ask(Role.AGENCY_ADMIN, *act)) == "purpose"
    assert reason(ask(Role.OPERATOR, *act, Purpose.ADMINISTRATION)) == "purpose"
    assert reason(ask(Role.OFFICER, *act, unit="2A14", facts=NEAR)) == "role"
