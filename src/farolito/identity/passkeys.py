"""WebAuthn ceremonies: options for the browser, and what its authenticator answered.

Web Authentication Level 3: registration section 7.1, sign-in section 7.2. The user is always
verified by the authenticator itself, which tells us that it did and never how.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from farolito.model import Person, Refused
from farolito.store.people import Passkey

CREDENTIAL_CHARACTERS_MAX = 65_536  # of any one field; attestations of real keys are under 10,000
CREDENTIAL_ID_BYTES_MAX = 1023  # WebAuthn section 4
_ASK_AGAIN = "try again with this site's passkey"
# What the library raises for bytes that are no credential at all.
_MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, UnsupportedAlgorithm)


class Site(msgspec.Struct, frozen=True):
    """Where people sign in: WebAuthn's relying party id, its name, and the origins allowed."""

    rp_id: str
    name: str
    origins: tuple[str, ...]


class Told(msgspec.Struct, frozen=True):
    """What an answer says before anything of it is believed."""

    credential_id: bytes
    challenge: bytes
    user_handle: bytes | None


def registration_options(
    site: Site, person: Person, challenge: bytes, known: Sequence[bytes]
) -> dict[str, Any]:
    options = generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.name,
        user_id=person.person_id.bytes,
        user_name=person.name,
        user_display_name=person.name,
        challenge=challenge,
        timeout=300_000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=c) for c in known],
    )
    return {"publicKey": options_to_json_dict(options)}


def sign_in_options(site: Site, challenge: bytes) -> dict[str, Any]:
    """No list of credentials: the passkey itself knows whose it is, and nobody else is told."""
    options = generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=300_000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return {"publicKey": options_to_json_dict(options)}


def told(credential: Mapping[str, Any]) -> Told:
    """Credential id and challenge out of an answer, to find what to hold it against.

    Raises Refused for what is malformed, too long, or made inside another site's frame.
    """
    try:
        response = credential["response"]
        client = json.loads(_bytes(response["clientDataJSON"]))
        handle = response.get("userHandle")
        found = Told(
            credential_id=_bytes(credential["rawId"]),
            challenge=_bytes(client["challenge"]),
            user_handle=_bytes(handle) if handle else None,
        )
        is_framed = client.get("crossOrigin") is True
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _malformed() from error
    if is_framed:
        raise Refused("framed", "the passkey was asked for inside another site", _ASK_AGAIN)
    if not 0 < len(found.credential_id) <= CREDENTIAL_ID_BYTES_MAX:
        raise _malformed()
    return found


def registered(
    site: Site, person: Person, credential: Mapping[str, Any], challenge: bytes
) -> Passkey:
    """The new passkey, if everything about the answer is right. Raises Refused otherwise."""
    _check_sizes(credential)
    try:
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise _not_verified(error) from error
    if found.credential_id != _bytes(credential["rawId"]):
        raise _not_verified()
    return Passkey(
        credential_id=found.credential_id,
        person_id=person.person_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        backed_up=found.credential_backed_up,
        aaguid=found.aaguid,
    )


def signed(site: Site, passkey: Passkey, credential: Mapping[str, Any], challenge: bytes) -> int:
    """The authenticator's new counter. Raises Refused unless the signature and all else is right.

    A counter that does not grow means that the key may have been copied (section 6.1.1).
    Authenticators that do not count send 0 always.
    """
    _check_sizes(credential)
    try:
        found = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            credential_public_key=passkey.public_key,
            # Compared below, where the reason can be told apart from a wrong signature.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise _not_verified(error) from error
    count = found.new_sign_count
    if (count or passkey.sign_count) and count <= passkey.sign_count:
        raise Refused(
            "counter",
            "this passkey's counter went back: it may have been copied",
            "tell your administrator, and register a new passkey",
        )
    return count


def _bytes(text: str) -> bytes:
    if not isinstance(text, str) or len(text) > CREDENTIAL_CHARACTERS_MAX:
        raise ValueError("no base64url text of sensible length")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _check_sizes(credential: Mapping[str, Any]) -> None:
    response = credential.get("response")
    fields = [*credential.values(), *(response.values() if isinstance(response, dict) else ())]
    if any(isinstance(f, str) and len(f) > CREDENTIAL_CHARACTERS_MAX for f in fields):
        raise _malformed()


def _malformed() -> Refused:
    return Refused("malformed_credential", "that is no answer of a passkey", _ASK_AGAIN)


def _not_verified(error: Exception | None = None) -> Refused:
    # The library's message names the check that failed and holds no secret, but it may hold
    # what the sender wrote; so it goes along as the cause and not to the screen.
    if isinstance(error, binascii.Error | KeyError | TypeError):
        return _malformed()
    return Refused("not_verified", "the passkey's answer did not check out", _ASK_AGAIN)
