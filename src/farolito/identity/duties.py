"""Who acts when nobody has signed in: the node itself, and whoever holds the machine."""

from __future__ import annotations

from farolito.model import AgencyId, Person, PersonId, Role, digest_id


def system_person(agency: AgencyId) -> Person:
    """The node acting on a standing rule. The rules let it write and open nothing."""
    return Person(
        person_id=PersonId(digest_id(0, "system", agency)),
        agency=agency,
        name="Farolito",
        role=Role.SYSTEM,
    )


def local_admin(agency: AgencyId) -> Person:
    """Whoever can read the node's own files, at its command line: an administrator, no more."""
    return Person(
        person_id=PersonId(digest_id(0, "local_admin", agency)),
        agency=agency,
        name="Local administrator",
        role=Role.AGENCY_ADMIN,
    )
