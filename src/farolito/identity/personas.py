"""The made-up people of a demo: those to sign in as, and the practice cars' crews.

They exist for nobody else.
"""

from __future__ import annotations

import msgspec

from farolito.model import AgencyId, OwnerId, Person, PersonId, Role, UnitId, digest_id

OFFICERS_UNIT = UnitId("2A14")


class Persona(msgspec.Struct, frozen=True, omit_defaults=True):
    """One button on the sign-in page of a demo. `hidden` ones have none: phones of the simulator
    sign in as them."""

    persona: str
    name: str
    role: Role
    unit: UnitId | None = None
    owner: OwnerId | None = None
    hidden: bool = False


PERSONAS = (
    Persona("operator", "Ana Ortiz", Role.OPERATOR),
    Persona("officer", "Sam Begay", Role.OFFICER, OFFICERS_UNIT),
    Persona("auditor", "Lee Chavez", Role.AUDITOR),
    Persona("supervisor", "Dolores Aragon", Role.SUPERVISOR),
    Persona("admin", "Carmen Vigil", Role.AGENCY_ADMIN),
    Persona("detective", "Ray Montaño", Role.DETECTIVE),
    Persona("oversight", "Elena Mora", Role.OVERSIGHT),
    Persona("owner", "Ruth Salazar", Role.CAMERA_OWNER, owner=OwnerId("luminaria-transit")),
)
# The same duties at the practice metro's neighbours, under names of their own.
_NEIGHBOURS = {
    "cuesta-so": {
        "operator": "Joan Kessler", "auditor": "Peter Lund", "supervisor": "Rick Aldana",
        "admin": "Martha Quade", "detective": "Bea Fountain", "oversight": "Hal Ibarra",
    },
    "agua-serena-pd": {
        "operator": "Lena Concho", "auditor": "Ben Tafoya", "supervisor": "Victor Garley",
        "admin": "Dora Siow", "detective": "Alan Chino", "oversight": "Rose Pino",
    },
}  # fmt: skip
_CREW = {
    "1A03": "Maria Lucero", "1A12": "Tom Whitaker", "1S10": "Denise Sandoval",
    "2A18": "Kevin Tran", "2A21": "Rosa Montoya", "2B05": "Will Jackson",
    "3B07": "Nora Yazzie", "3B11": "Chris Baca", "3B15": "Priya Nair", "4C02": "Joe Trujillo",
    "4C09": "Hannah Fischer", "4C16": "Marcus Green", "2S20": "Elena Griego",
    "1B06": "Dan Kowalski", "3A04": "Lupe Archuleta",
}  # fmt: skip
CREW = tuple(
    Persona(f"officer-{unit.lower()}", name, Role.OFFICER, UnitId(unit), hidden=True)
    for unit, name in _CREW.items()
)


def personas_of(agency: AgencyId) -> tuple[Persona, ...]:
    """Those to sign in as at this agency's practice node."""
    names = _NEIGHBOURS.get(agency)
    if names is None:
        return PERSONAS
    return tuple(
        Persona(p.persona, names[p.persona], p.role) for p in PERSONAS if p.persona in names
    )


def person_for(persona: Persona, agency: AgencyId) -> Person:
    """The same person at every start, so that a demo's history keeps its names."""
    return Person(
        person_id=PersonId(digest_id(0, "persona", agency, persona.persona)),
        agency=agency,
        name=persona.name,
        role=persona.role,
        unit=persona.unit,
        owner=persona.owner,
    )
