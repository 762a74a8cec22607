"""Getting in with a passkey, and every way that does not get in."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from farolito.identity import Identity
from farolito.model import Refused, Role
from farolito.store.sessions import CHALLENGES_MAX

from .authenticator import UP, Authenticator, b64
from .conftest import ORIGIN, Clock, registered, somebody


async def refusal(attempt: Any) -> str:
    with pytest.raises(Refused) as refused:
        await attempt
    assert refused.value.says
    assert refused.value.do
    return refused.value.reason


async def test_an_invited_person_registers_and_signs_in_again(identity: Identity) -> None:
    person = somebody(Role.DETECTIVE)
    passkey, first, cookie = await registered(identity, person)
    assert first.person == person
    assert (await identity.whoami(cookie)) == first

    second, other = await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    assert second.person == person
    assert second.session != first.session
    assert other != cookie


async def test_the_browser_is_asked_for_a_verified_user_and_a_key_that_knows_its_owner(
    identity: Identity,
) -> None:
    code = await identity.invite(somebody())
    made = (await identity.begin_registration(code))["publicKey"]
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["rp"]["id"] == "localhost"
    asked = (await identity.begin_sign_in())["publicKey"]
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials"), "a list would tell who works here"


async def test_an_answer_made_for_another_origin_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    for origin in ("http://localhost:8701", "https://localhost:8700", "https://evil.example"):
        passkey.origin = origin
        answer = passkey.sign_in(await identity.begin_sign_in())
        assert await refusal(identity.finish_sign_in(answer)) == "not_verified"


async def test_an_answer_made_for_another_site_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    passkey.rp_id = "evil.example"
    answer = passkey.sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "not_verified"


async def test_an_answer_from_inside_another_site_s_frame_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    passkey.cross_origin = True
    answer = passkey.sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "framed"


async def test_a_user_who_was_not_verified_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    passkey.flags = UP
    answer = passkey.sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "not_verified"

    careless = Authenticator(ORIGIN)
    careless.flags = UP
    code = await identity.invite(somebody())
    made = careless.register(await identity.begin_registration(code))
    assert await refusal(identity.finish_registration(code, made)) == "not_verified"


async def test_a_registration_for_another_origin_or_site_is_refused(identity: Identity) -> None:
    code = await identity.invite(somebody())
    for passkey in (Authenticator("https://evil.example"), Authenticator(ORIGIN, "evil.example")):
        made = passkey.register(await identity.begin_registration(code))
        assert await refusal(identity.finish_registration(code, made)) == "not_verified"
    # The failed attempts have not used the invitation up.
    made = Authenticator(ORIGIN).register(await identity.begin_registration(code))
    await identity.finish_registration(code, made)


async def test_the_same_answer_twice_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    answer = passkey.sign_in(await identity.begin_sign_in())
    await identity.finish_sign_in(answer)
    assert await refusal(identity.finish_sign_in(answer)) == "stale_challenge"


async def test_the_same_answer_twice_at_once_signs_in_once(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    answer = passkey.sign_in(await identity.begin_sign_in())
    done = await asyncio.gather(
        *(identity.finish_sign_in(answer) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(d, BaseException) for d in done) == 1
    assert sum(isinstance(d, Refused) for d in done) == 4


async def test_a_challenge_lives_five_minutes(identity: Identity, clock: Clock) -> None:
    passkey, *_ = await registered(identity)
    answer = passkey.sign_in(await identity.begin_sign_in())
    clock.pass_(minutes=5)
    assert await refusal(identity.finish_sign_in(answer)) == "stale_challenge"


async def test_a_challenge_for_registering_does_not_sign_in(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    code = await identity.invite(somebody())
    options = await identity.begin_registration(code)
    assert await refusal(identity.finish_sign_in(passkey.sign_in(options))) == "stale_challenge"


async def test_one_person_s_challenge_does_not_serve_another_s_invitation(
    identity: Identity,
) -> None:
    mine, yours = await identity.invite(somebody()), await identity.invite(somebody())
    made = Authenticator(ORIGIN).register(await identity.begin_registration(mine))
    assert await refusal(identity.finish_registration(yours, made)) == "stale_challenge"


async def test_a_counter_that_goes_back_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))
    passkey.count -= 2
    answer = passkey.sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "counter"
    passkey.count += 5
    await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))


async def test_a_passkey_that_does_not_count_works(identity: Identity) -> None:
    passkey = Authenticator(ORIGIN)
    passkey.counts = False
    code = await identity.invite(somebody())
    made = passkey.register(await identity.begin_registration(code))
    await identity.finish_registration(code, made)
    for _ in range(2):
        await identity.finish_sign_in(passkey.sign_in(await identity.begin_sign_in()))


async def test_another_key_s_signature_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    forger = Authenticator(ORIGIN)
    forger.credential_id, forger.count = passkey.credential_id, 50
    answer = forger.sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "not_verified"


async def test_a_passkey_that_claims_another_owner_is_refused(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    passkey.user_handle = bytes(16)
    answer = passkey.sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "not_verified"


async def test_a_stranger_s_passkey_is_refused(identity: Identity) -> None:
    answer = Authenticator(ORIGIN).sign_in(await identity.begin_sign_in())
    assert await refusal(identity.finish_sign_in(answer)) == "unknown_passkey"


async def test_one_passkey_belongs_to_one_person(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    code = await identity.invite(somebody())
    made = passkey.register(await identity.begin_registration(code))
    assert await refusal(identity.finish_registration(code, made)) == "known_passkey"


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"rawId": "AAAA"},
        {"rawId": "AAAA", "response": None},
        {"rawId": "AAAA", "response": {"clientDataJSON": "!"}},
        {"rawId": "AAAA", "response": {"clientDataJSON": b64(b"[1]")}},
        {"rawId": "AAAA", "response": {"clientDataJSON": b64(b"{}")}},
        {"rawId": 7, "response": {"clientDataJSON": b64(b'{"challenge":"AAAA"}')}},
        {"rawId": "", "response": {"clientDataJSON": b64(b'{"challenge":"AAAA"}')}},
        {"rawId": "A" * 3000, "response": {"clientDataJSON": b64(b'{"challenge":"AAAA"}')}},
        {"rawId": "AAAA", "response": {"clientDataJSON": "A" * 70_000}},
        {"rawId": "AAAA", "response": {"clientDataJSON": b64(b"[" * 20_000)}},
    ],
)
async def test_what_is_no_credential_is_refused(
    credential: dict[str, Any], identity: Identity
) -> None:
    assert await refusal(identity.finish_sign_in(credential)) == "malformed_credential"


async def test_damaged_registrations_are_refused_and_never_crash(
    identity: Identity, rng: random.Random
) -> None:
    refused = 0
    for _ in range(60):
        code = await identity.invite(somebody())
        made = Authenticator(ORIGIN).register(await identity.begin_registration(code))
        # Nothing signs a registration, so damage to what it merely states (a counter, a model
        # number) makes another valid one.
        try:
            await identity.finish_registration(code, damaged(made, rng))
        except Refused:
            refused += 1
    assert refused > 40


async def test_damaged_sign_ins_are_refused_and_never_crash(
    identity: Identity, rng: random.Random
) -> None:
    person = somebody()
    passkey, _, _ = await registered(identity, person)
    for _ in range(60):
        await identity.restore(person.person_id)
        answer = damaged(passkey.sign_in(await identity.begin_sign_in()), rng)
        assert await refusal(identity.finish_sign_in(answer))


async def test_a_registration_whose_two_ids_differ_is_refused(identity: Identity) -> None:
    code = await identity.invite(somebody())
    made = Authenticator(ORIGIN).register(await identity.begin_registration(code))
    other = b64(bytes(32))
    answer = made | {"id": other, "rawId": other}
    assert await refusal(identity.finish_registration(code, answer)) == "not_verified"


def damaged(credential: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One field of the answer cut, swapped for another type, or with bytes overwritten."""
    response = dict(credential["response"])
    names = ["attestationObject", "authenticatorData", "signature"]
    field = rng.choice([n for n in names if n in response])
    text = response[field]
    at = rng.randrange(len(text) - 8)
    noise = "".join(rng.choice("ABCxyz019-_") for _ in range(6))
    response[field] = rng.choice(
        [text[:at], text[:at] + noise + text[at + 6 :], noise, 7, None, {}]
    )
    if response[field] == text:
        response[field] = ""
    return credential | {"response": response}


async def test_challenges_under_way_are_bounded(identity: Identity) -> None:
    passkey, *_ = await registered(identity)
    async with identity._db.system() as connection:
        await connection.execute(
            "insert into challenges select sha256(n::text::bytea), 'sign_in', null,"
            " '2026-11-01 12:04Z' from generate_series(1, $1) n",
            CHALLENGES_MAX + 100,
        )
    answer = passkey.sign_in(await identity.begin_sign_in())
    held = await identity._db.pool.fetchval("select count(*) from challenges")
    assert held == CHALLENGES_MAX
    await identity.finish_sign_in(answer)
