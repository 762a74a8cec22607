"""What a dispatch system tells is taken in once, whole, in any order, and never shown as surer
than it is."""

from __future__ import annotations

from farolito.model import CallKind, Level
from tests.desk.city import City


async def test_a_first_message_opens_an_incident_with_the_dispatchers_words(city: City) -> None:
    incident = await city.shots("26-1", 300, 300, kind_says="SHOTS FIRED", priority=Level.P1,
                                address="4th St @ D Ave")  # fmt: skip
    assert (incident.kind, incident.level) == (CallKind.SHOTS_FIRED, Level.P1)
    assert (incident.where, incident.version, incident.doubtful) == ("4th St @ D Ave", 1, False)
    assert await city.log(incident) == [
        ("call_opened", "Call 26-1: SHOTS FIRED, P1, 4th St @ D Ave")
    ]
