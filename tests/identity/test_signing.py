"""A passkey under a document: checked now, and later by whoever has the signature alone."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from farolito.identity import Identity
from farolito.identity.signing import Signing, check_signature
from farolito.model import Person, PersonSignature, Refused, Role
from farolito.store import Database

from .authenticator import UP, Authenticator, b64
from .conftest import ORIGIN, Clock, registered, somebody

DOCUMENT = sha256(b"what two people agree on").digest()
OTHER = sha256(b"something else").digest()


@pytest.fixture
def signing(database: Database, clock: Clock) -> Signing:
    return Signing(database, "localhost", [ORIGIN], clock, os.urandom)


async def signed_one(
    identity: Identity, signing: Signing
) -> tuple[Authenticator, Person, PersonSignature]:
    passkey, signed_in, _ = await registered(identity, somebody(Role.AGENCY_ADMIN))
    options = await signing.options(signed_in.person, DOCUMENT)
    made = await signing.sign(signed_in.person, DOCUMENT, passkey.sign_in(options))
    return passkey, signed_in.person, made


async def test_a_signature_needs_nothing_but_itself_to_be_checked(
    identity: Identity, signing: Signing, clock: Clock
) -> None:
    _, person, made = await signed_one(identity, signing)
    again = msgspec.json.decode(msgspec.json.encode(made), type=PersonSignature)
    check_signature(again, DOCUMENT)
    assert (again.name, again.at, again.demo) == (person.name, clock(), False)


async def test_options_name_this_persons_passkeys_and_ask_for_verification(
    identity: Identity, signing: Signing
) -> None:
    passkey, signed_in, _ = await registered(identity)
    await registered(identity)
    public = (await signing.options(signed_in.person, DOCUMENT))["publicKey"]
    assert [one["id"] for one in public["allowCredentials"]] == [b64(passkey.credential_id)]
    assert (public["challenge"], public["userVerification"]) == (b64(DOCUMENT), "required")


@pytest.mark.parametrize("field", ["public_key", "authenticator_data", "client_data", "signature"])
async def test_one_changed_bit_is_found(identity: Identity, signing: Signing, field: str) -> None:
    _, _, made = await signed_one(identity, signing)
    text = getattr(made, field)
    middle = len(text) // 2
    other = "A" if text[middle] != "A" else "B"
    changed = text[:middle] + other + text[middle + 1 :]
    with pytest.raises(Refused):
        check_signature(msgspec.structs.replace(made, **{field: changed}), DOCUMENT)


async def test_it_is_for_one_document(identity: Identity, signing: Signing) -> None:
    _, person, made = await signed_one(identity, signing)
    with pytest.raises(Refused) as no:
        check_signature(made, OTHER)
    assert no.value.reason == "other_document"
    passkey = Authenticator(ORIGIN)
    with pytest.raises(Refused) as no:
        await signing.sign(person, DOCUMENT, passkey.sign_in(_options(OTHER)))
    assert no.value.reason == "other_document"


async def test_who_is_only_present_has_not_signed(identity: Identity, signing: Signing) -> None:
    passkey, signed_in, _ = await registered(identity)
    passkey.flags = UP
    credential = passkey.sign_in(await signing.options(signed_in.person, DOCUMENT))
    with pytest.raises(Refused) as no:
        await signing.sign(signed_in.person, DOCUMENT, credential)
    assert no.value.reason == "not_verified"


async def test_a_passkey_signs_for_its_own_person(identity: Identity, signing: Signing) -> None:
    passkey, _, _ = await registered(identity)
    _, other, _ = await registered(identity)
    with pytest.raises(Refused) as no:
        await signing.sign(other.person, DOCUMENT, passkey.sign_in(_options(DOCUMENT)))
    assert no.value.reason == "not_your_passkey"


async def test_a_copied_passkey_shows_by_its_counter(identity: Identity, signing: Signing) -> None:
    passkey, person, _ = await signed_one(identity, signing)
    passkey.count -= 2
    with pytest.raises(Refused) as no:
        await signing.sign(person, DOCUMENT, passkey.sign_in(_options(DOCUMENT)))
    assert no.value.reason == "counter"


@pytest.mark.parametrize(
    ("origin", "rp_id"),
    [
        ("http://rtcc.example.gov", "rtcc.example.gov"),  # in the clear
        ("https://rtcc.example.gov", "example.org"),  # for another site
        ("https://notexample.gov", "example.gov"),  # a name that only ends alike
    ],
)
async def test_where_it_was_signed_must_fit_itself(
    identity: Identity, signing: Signing, origin: str, rp_id: str
) -> None:
    made = _signed_elsewhere(await signed_one(identity, signing), origin, rp_id)
    with pytest.raises(Refused) as no:
        check_signature(made, DOCUMENT)
    assert no.value.reason == "bad_signature"


async def test_another_agencys_site_is_as_good(identity: Identity, signing: Signing) -> None:
    one = await signed_one(identity, signing)
    check_signature(_signed_elsewhere(one, "https://rtcc.so.gov:8443", "so.gov"), DOCUMENT)


async def test_personas_sign_in_a_demo_and_nowhere_else(
    database: Database, clock: Clock, signing: Signing, identity: Identity
) -> None:
    demo = Signing(database, "localhost", [ORIGIN], clock, os.urandom, demo=True)
    one, other = somebody(name="Ana"), somebody(name="Lee")
    assert await demo.options(one, DOCUMENT) == {"demo": True}
    made = [await demo.sign(person, DOCUMENT, None) for person in (one, one, other)]
    for signature in made:
        check_signature(signature, DOCUMENT)
        assert signature.demo
    assert made[0].credential_id == made[1].credential_id != made[2].credential_id
    for ask in (signing.options(one, DOCUMENT), signing.sign(one, DOCUMENT, None)):
        with pytest.raises(Refused) as no:
            await ask
        assert no.value.reason == "no_passkey"
    _, real, _ = await registered(identity)
    with pytest.raises(Refused) as no:
        await demo.sign(real.person, DOCUMENT, None)
    assert no.value.reason == "no_signature"


def _options(digest: bytes) -> dict[str, Any]:
    return {"publicKey": {"challenge": b64(digest)}}


def _signed_elsewhere(
    one: tuple[Authenticator, Person, PersonSignature], origin: str, rp_id: str
) -> PersonSignature:
    """The same passkey, as if it had been asked on another page."""
    passkey, _, made = one
    passkey.origin, passkey.rp_id = origin, rp_id
    response = passkey.sign_in(_options(DOCUMENT))["response"]
    return msgspec.structs.replace(
        made,
        authenticator_data=response["authenticatorData"],
        client_data=response["clientDataJSON"],
        signature=response["signature"],
    )
