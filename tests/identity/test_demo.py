"""Personas are for a demo on this machine, and for nothing else."""

from __future__ import annotations

import pytest

from farolito.identity import local_admin, system_person
from farolito.model import Refused, Role

from .conftest import CITY, NewIdentity


async def test_a_demo_offers_people_by_one_click(new_identity: NewIdentity) -> None:
    demo = new_identity(demo=True)
    assert [(p.persona, p.name) for p in demo.personas()] == [
        ("operator", "Ana Ortiz"),
        ("officer", "Sam Begay"),
        ("auditor", "Lee Chavez"),
        ("supervisor", "Dolores Aragon"),
        ("admin", "Carmen Vigil"),
        ("detective", "Ray Montaño"),
        ("oversight", "Elena Mora"),
        ("owner", "Ruth Salazar"),
    ]
    for persona in demo.personas():
        signed_in, cookie = await demo.demo_sign_in(persona.persona, peer_is_loopback=True)
        assert signed_in.person.role is persona.role
        assert (await demo.whoami(cookie)) == signed_in
    officer, _ = await demo.demo_sign_in("officer", peer_is_loopback=True)
    assert officer.person.unit == "2A14"
    owner, cookie = await demo.demo_sign_in("owner", peer_is_loopback=True)
    again = await demo.whoami(cookie)
    assert again is not None
    assert owner.person.owner == again.person.owner == "luminaria-transit"


async def test_no_persona_signs_in_from_another_machine(new_identity: NewIdentity) -> None:
    with pytest.raises(Refused):
        await new_identity(demo=True).demo_sign_in("operator", peer_is_loopback=False)


async def test_no_persona_signs_in_where_the_node_is_no_demo(new_identity: NewIdentity) -> None:
    real = new_identity()
    assert real.personas() == []
    with pytest.raises(Refused):
        await real.demo_sign_in("operator", peer_is_loopback=True)


async def test_a_demo_s_session_is_worth_nothing_to_a_real_node(new_identity: NewIdentity) -> None:
    demo, real = new_identity(demo=True), new_identity()
    _, cookie = await demo.demo_sign_in("operator", peer_is_loopback=True)
    assert await real.whoami(cookie) is None
    assert await demo.whoami(cookie)


async def test_there_is_no_persona_of_another_name(new_identity: NewIdentity) -> None:
    with pytest.raises(Refused):
        await new_identity(demo=True).demo_sign_in("agency_admin", peer_is_loopback=True)


async def test_a_persona_is_the_same_person_at_every_start(new_identity: NewIdentity) -> None:
    first, _ = await new_identity(demo=True).demo_sign_in("officer", peer_is_loopback=True)
    second, _ = await new_identity(demo=True).demo_sign_in("officer", peer_is_loopback=True)
    assert first.person == second.person


async def test_a_suspended_persona_stays_out(new_identity: NewIdentity) -> None:
    demo = new_identity(demo=True)
    signed_in, _ = await demo.demo_sign_in("auditor", peer_is_loopback=True)
    await demo.suspend(signed_in.person.person_id)
    with pytest.raises(Refused):
        await demo.demo_sign_in("auditor", peer_is_loopback=True)


def test_the_node_and_its_local_administrator_are_two_duties() -> None:
    assert system_person(CITY).role is Role.SYSTEM
    assert local_admin(CITY).role is Role.AGENCY_ADMIN
    assert system_person(CITY).person_id != local_admin(CITY).person_id
    assert system_person(CITY) == system_person(CITY)
