"""How long a sign-in lasts, and what ends it."""

from __future__ import annotations

import msgspec
import pytest

from farolito.identity import Identity
from farolito.model import AgencyId, PersonId, Refused, Role, UnitId
from farolito.model.ids import new_id

from .authenticator import Authenticator
from .conftest import Clock, NewIdentity, registered, somebody


async def test_an_idle_session_ends_after_thirty_minutes(identity: Identity, clock: Clock) -> None:
    _, _, cookie = await registered(identity)
    clock.pass_(minutes=29)
    assert await identity.whoami(cookie)
    clock.pass_(minutes=29)
    assert await identity.whoami(cookie)
    clock.pass_(minutes=31)
    assert await identity.whoami(cookie) is None
    clock.pass_(minutes=-10)
    assert await identity.whoami(cookie) is None, "what has ended stays ended"


async def test_a_busy_session_ends_after_twelve_hours(identity: Identity, clock: Clock) -> None:
    _, _, cookie = await registered(identity)
    for _ in range(12 * 3):
        assert await identity.whoami(cookie)
        clock.pass_(minutes=20)
    clock.pass_(seconds=1)
    assert await identity.whoami(cookie) is None


async def test_a_socket_that_looks_does_not_keep_a_session_alive(
    identity: Identity, clock: Clock
) -> None:
    _, _, cookie = await registered(identity)
    for _ in range(3):
        clock.pass_(minutes=10)
        assert await identity.whoami(cookie, touch=False)
    clock.pass_(minutes=1)
    assert await identity.whoami(cookie, touch=False) is None


async def test_suspension_ends_every_session_at_once_and_every_sign_in_after(
    identity: Identity, new_identity: NewIdentity
) -> None:
    person = somebody()
    passkey, first, cookie = await registered(identity, person)
    second, other = await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    elsewhere = new_identity()  # another process of the same node
    ended = await elsewhere.suspend(person.person_id)
    assert set(ended) == {first.session, second.session}
    assert await identity.whoami(cookie) is None
    assert await identity.whoami(other) is None
    with pytest.raises(Refused, match="suspended"):
        await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    await identity.restore(person.person_id)
    assert await identity.whoami(cookie) is None
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))


async def test_five_failures_in_fifteen_minutes_lock_until_an_administrator_acts(
    identity: Identity, clock: Clock
) -> None:
    person = somebody()
    passkey, *_ = await registered(identity, person)
    await fail(identity, passkey, 5)
    clock.pass_(days=3)
    with pytest.raises(Refused) as refused:
        await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    assert refused.value.reason == "locked"
    await identity.restore(person.person_id)
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))


async def test_failures_far_apart_or_before_a_success_do_not_lock(
    identity: Identity, clock: Clock
) -> None:
    passkey, *_ = await registered(identity)
    await fail(identity, passkey, 4)
    clock.pass_(minutes=15)
    await fail(identity, passkey, 1)
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    await fail(identity, passkey, 4)
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))


async def fail(identity: Identity, passkey: Authenticator, times: int) -> None:
    home, passkey.origin = passkey.origin, "https://evil.example"
    for _ in range(times):
        with pytest.raises(Refused):
            await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    passkey.origin = home


async def test_ninety_days_away_means_seeing_an_administrator(
    identity: Identity, clock: Clock
) -> None:
    person = somebody()
    passkey, *_ = await registered(identity, person)
    clock.pass_(days=91)
    with pytest.raises(Refused) as refused:
        await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    assert refused.value.reason == "unused"
    await identity.restore(person.person_id)
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))


async def test_signing_out_ends_the_session(identity: Identity) -> None:
    _, signed_in, cookie = await registered(identity)
    assert await identity.sign_out(cookie) == signed_in.session
    assert await identity.whoami(cookie) is None
    assert await identity.sign_out(cookie) is None


async def test_a_changed_duty_ends_the_sessions_opened_for_the_old(identity: Identity) -> None:
    person = somebody(Role.OFFICER)
    passkey, signed_in, cookie = await registered(identity, person)
    moved = msgspec.structs.replace(person, unit=UnitId("3B07"))
    assert await identity.change(moved) == [signed_in.session]
    assert await identity.whoami(cookie) is None
    again, _ = await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    assert again.person.unit == "3B07"


async def test_a_lost_passkey_signs_nobody_in(identity: Identity) -> None:
    person = somebody()
    passkey, signed_in, _ = await registered(identity, person)
    code = await identity.invite(person)
    lost = await identity.suspend(person.person_id, passkeys_lost=True)
    assert lost == [signed_in.session]
    assert await identity.restore(person.person_id) == 0
    with pytest.raises(Refused, match="not registered"):
        await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    with pytest.raises(Refused) as refused:
        await identity.begin_registration(code)
    assert refused.value.reason == "no_invitation"
    again, *_ = await registered(identity, person)
    await identity.finish_sign_in(again.sign_in(await identity.begin_sign_in()))
    assert await identity.restore(person.person_id) == 1


async def test_another_agency_s_people_are_out_of_reach(
    identity: Identity, new_identity: NewIdentity
) -> None:
    person = somebody(agency=AgencyId("sheriff"))
    sheriff = new_identity(agency=AgencyId("sheriff"))
    await sheriff.invite(person)
    assert await identity.people() == []
    for act in (identity.suspend, identity.restore):
        with pytest.raises(Refused):
            await act(person.person_id)
    with pytest.raises(Refused):
        await identity.suspend(PersonId(new_id(0, bytes(10))))


async def test_only_the_hash_of_a_token_is_kept(identity: Identity) -> None:
    _, _, cookie = await registered(identity)
    token = cookie.split(";")[0].partition("=")[2]
    assert len(token) >= 43
    lines = await identity._db.pool.fetch("select s::text as line from sessions s")
    assert lines
    assert not any(token in row["line"] for row in lines)
    assert await identity.whoami(token)


@pytest.mark.parametrize("cookie", [None, "", "=", "a=b; c", "farolito-8700=", "x" * 10_000, "ñ"])
async def test_a_cookie_that_is_none_of_ours_is_nobody(
    cookie: str | None, identity: Identity
) -> None:
    assert await identity.whoami(cookie) is None


async def test_the_cookie_is_found_among_others(identity: Identity) -> None:
    _, signed_in, cookie = await registered(identity)
    pair = cookie.split(";")[0]
    found = await identity.whoami(f"theme=dark; {pair}; other=1")
    assert found
    assert found.session == signed_in.session


async def test_an_unsafe_request_needs_the_session_s_own_word(identity: Identity) -> None:
    _, mine, _ = await registered(identity)
    _, yours, _ = await registered(identity)
    assert identity.csrf_is_right(mine, mine.csrf)
    assert not identity.csrf_is_right(mine, yours.csrf)
    assert not identity.csrf_is_right(mine, None)
    assert not identity.csrf_is_right(mine, "ñ")


async def test_what_is_long_over_is_forgotten(identity: Identity, clock: Clock) -> None:
    _, _, cookie = await registered(identity)
    await identity.sign_out(cookie)
    assert await identity.forget_old() == 0
    clock.pass_(days=40)
    assert await identity.forget_old() >= 2
    assert await identity._db.pool.fetchval("select count(*) from sessions") == 0
