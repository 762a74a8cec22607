"""Codes work once, for a while, for one person, and are not kept."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from farolito.identity import Identity
from farolito.model import AgencyId, Refused, Role

from .authenticator import Authenticator
from .conftest import ORIGIN, Clock, registered, somebody


async def refusal(identity: Identity, code: str) -> str:
    with pytest.raises(Refused) as refused:
        await identity.begin_registration(code)
    return refused.value.reason


async def test_a_code_works_once(identity: Identity) -> None:
    code = await identity.invite(somebody())
    first = Authenticator(ORIGIN).register(await identity.begin_registration(code))
    second = Authenticator(ORIGIN).register(await identity.begin_registration(code))
    done = await asyncio.gather(
        identity.finish_registration(code, first),
        identity.finish_registration(code, second),
        return_exceptions=True,
    )
    assert sum(not isinstance(d, BaseException) for d in done) == 1
    assert await refusal(identity, code) == "no_invitation"


async def test_a_code_expires(identity: Identity, clock: Clock) -> None:
    code = await identity.invite(somebody())
    clock.pass_(hours=72)
    assert await refusal(identity, code) == "no_invitation"


async def test_a_newer_invitation_ends_the_older(identity: Identity) -> None:
    person = somebody()
    older, newer = await identity.invite(person), await identity.invite(person)
    assert await refusal(identity, older) == "no_invitation"
    assert await identity.begin_registration(newer)


async def test_a_code_is_read_however_it_was_typed(identity: Identity) -> None:
    code = await identity.invite(somebody())
    assert await identity.begin_registration(f"  {code.lower().replace('-', ' ')} ")


async def test_a_code_has_128_bits_and_only_its_hash_is_kept(identity: Identity) -> None:
    code = await identity.invite(somebody())
    assert len(code.replace("-", "")) * 5 >= 128
    kept = await identity._db.pool.fetch("select i::text as line from invitations i")
    assert len(kept) == 1
    assert code not in kept[0]["line"]
    assert code.replace("-", "") not in kept[0]["line"]


@pytest.mark.parametrize("code", ["", "-", "AAAAAA-AAAAAA", "ñ", "A" * 10_000])
async def test_a_made_up_code_is_refused(code: str, identity: Identity) -> None:
    assert await refusal(identity, code) == "no_invitation"


async def test_nobody_is_invited_as_the_node_or_into_another_agency(identity: Identity) -> None:
    for person in (somebody(Role.SYSTEM), somebody(agency=AgencyId("sheriff"))):
        with pytest.raises(Refused):
            await identity.invite(person)


async def test_a_second_passkey_joins_the_first(identity: Identity) -> None:
    person = somebody()
    first, *_ = await registered(identity, person)
    second, *_ = await registered(identity, person)
    for passkey in (first, second):
        signed_in, _ = await identity.finish_sign_in(
            passkey.sign_in(await identity.begin_sign_in())
        )
        assert signed_in.person == person
    (account,) = await identity.people()
    assert account.passkeys == 2


async def test_an_invitation_to_another_duty_ends_the_sessions_of_the_old(
    identity: Identity,
) -> None:
    person = somebody(Role.OPERATOR)
    _, _, cookie = await registered(identity, person)
    await identity.invite(person)
    assert await identity.whoami(cookie), "a further passkey is no other duty"
    await identity.invite(msgspec.structs.replace(person, role=Role.AUDITOR))
    assert await identity.whoami(cookie) is None
