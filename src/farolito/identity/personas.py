"""The three made-up people of a demo. They exist for nobody else."""

from __future__ import annotations

import msgspec

from farolito.model import AgencyId, Person, PersonId, Role, UnitId, digest_id


class Persona(msgspec.Struct, frozen=True):
    """One button on the sign-in page of a demo."""

    persona: str
    name: str
    role: Role


PERSONAS = (
    Persona("operator", "Ana Ortiz", Role.OPERATOR),
    Persona("officer", "Sam Begay", Role.OFFICER),
    Persona("auditor", "Lee Chavez", Role.AUDITOR),
)
OFFICERS_UNIT = UnitId("2A14")


def person_for(persona: Persona, agency: AgencyId) -> Person:
    """The same person at every start, so that a demo's history keeps its names."""
    return Person(
        person_id=PersonId(digest_id(0, "persona", agency, persona.persona)),
        agency=agency,
        name=persona.name,
        role=persona.role,
        unit=OFFICERS_UNIT if persona.role is Role.OFFICER else None,
    )
