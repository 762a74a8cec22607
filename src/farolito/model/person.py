"""People who sign in, and what their work is. A person has no score and never will."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from farolito.model.ids import AgencyId, OwnerId, PersonId, UnitId


class Role(StrEnum):
    """R6: duties are separated. The auditor reads logs, not data; the sysadmin reads neither."""

    OPERATOR = "operator"
    OFFICER = "officer"
    DETECTIVE = "detective"
    SUPERVISOR = "supervisor"
    AGENCY_ADMIN = "agency_admin"
    AUDITOR = "auditor"
    SYSADMIN = "sysadmin"
    OVERSIGHT = "oversight"  # a body outside the agency: reviews whoever commands the others
    CAMERA_OWNER = "camera_owner"  # of a school, a shop, a bus line: consent, and who looked
    SYSTEM = "system"  # the node itself, acting on a standing rule; never a person's sign-in


class Person(msgspec.Struct, frozen=True, kw_only=True):
    person_id: PersonId
    agency: AgencyId
    name: str
    role: Role
    unit: UnitId | None = None
    owner: OwnerId | None = None  # whose cameras a camera owner answers for
