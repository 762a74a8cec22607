"""A person's passkey under a document: asked for here, checked now, and by anybody later.

Web Authentication Level 3, section 7.2, with the document's SHA-256 as the challenge: the
authenticator, which has verified its user, says yes to just these bytes. The assertion is kept
whole, so that it can be checked again without a node, a network or the register of people.
"""

from __future__ import annotations

import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn import generate_authentication_options
from webauthn.helpers import encode_cbor, options_to_json_dict
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from farolito.identity.passkeys import Site, signed, told
from farolito.model import Person, PersonId, PersonSignature, Refused
from farolito.store import Database
from farolito.store.people import Passkey, People

DIGEST_BYTES = 32
_PRESENT_AND_VERIFIED = 0x05  # flags UP and UV, section 6.1
_TRY_AGAIN = "sign the document that is shown, with your own passkey"
_NOBODY = PersonId(UUID(int=0))  # a signature says a name; whose id it is, only its agency knows


class Signing:
    """What a node's own people sign with. `demo`: personas, who have no passkey, sign by a key of
    the node itself, and the signature says so."""

    def __init__(  # noqa: PLR0913 - a site, a clock and chance
        self,
        db: Database,
        rp_id: str,
        origins: Sequence[str],
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        *,
        demo: bool = False,
    ) -> None:
        self._db = db
        self._site = Site(rp_id, "Farolito", tuple(origins))
        self._clock = clock
        self.demo = demo
        self._practice = _PracticeKeys(self._site, random)

    async def options(self, person: Person, digest: bytes) -> dict[str, Any]:
        """For `navigator.credentials.get`; `{"demo": True}` for a persona. Raises Refused where
        this person has nothing to sign with."""
        async with self._db.system() as connection:
            known = await People(connection).passkeys_of(person.person_id)
        if not known:
            self._must_be_demo()
            return {"demo": True}
        return signing_options(self._site, digest, known)

    async def sign(
        self, person: Person, digest: bytes, credential: Mapping[str, Any] | None
    ) -> PersonSignature:
        """Checked. Raises Refused for whatever is not this person's passkey over this digest."""
        if credential is None:
            async with self._db.system() as connection:
                if await People(connection).passkeys_of(person.person_id):
                    raise Refused("no_signature", "nothing was signed", _TRY_AGAIN)
            self._must_be_demo()
            made = self._practice.sign(person, digest, self._clock())
        else:
            made = await self._signed(person, digest, credential)
        check_signature(made, digest)
        return made

    async def _signed(
        self, person: Person, digest: bytes, credential: Mapping[str, Any]
    ) -> PersonSignature:
        said = told(credential)
        if not compare_digest(said.challenge, digest):
            raise Refused("other_document", "that signs another document", _TRY_AGAIN)
        async with self._db.system() as connection:
            people = People(connection)
            passkey = await people.passkey(said.credential_id)
            if passkey is None or passkey.person_id != person.person_id:
                raise Refused("not_your_passkey", "that passkey is not yours", _TRY_AGAIN)
            if said.user_handle not in (None, person.person_id.bytes):
                raise Refused("not_your_passkey", "that passkey is not yours", _TRY_AGAIN)
            count = signed(self._site, passkey, credential, digest)
            await people.used(passkey.credential_id, count, self._clock())
        response = credential["response"]
        return PersonSignature(
            name=person.name,
            at=self._clock(),
            credential_id=_plain(credential["rawId"]),
            public_key=_text(passkey.public_key),
            authenticator_data=_plain(response["authenticatorData"]),
            client_data=_plain(response["clientDataJSON"]),
            signature=_plain(response["signature"]),
        )

    def _must_be_demo(self) -> None:
        if not self.demo:
            raise Refused(
                "no_passkey", "you have no passkey here to sign with", "ask for an invitation"
            )


def signing_options(site: Site, digest: bytes, known: Sequence[bytes]) -> dict[str, Any]:
    """Only this person's own passkeys may answer, and each must verify its user."""
    options = generate_authentication_options(
        rp_id=site.rp_id,
        challenge=digest,
        timeout=300_000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=c) for c in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return {"publicKey": options_to_json_dict(options)}


def check_signature(signature: PersonSignature, digest: bytes) -> None:
    """Raises Refused unless this passkey, having verified its user, signed just this digest.

    Needs nothing but the signature itself. Whose passkey it is, its agency vouches for with its
    own key over the whole.
    """
    credential = {
        "id": signature.credential_id,
        "rawId": signature.credential_id,
        "type": "public-key",
        "response": {
            "clientDataJSON": signature.client_data,
            "authenticatorData": signature.authenticator_data,
            "signature": signature.signature,
        },
    }
    said = told(credential)
    if len(digest) != DIGEST_BYTES or not compare_digest(said.challenge, digest):
        raise Refused("other_document", "that signs another document", "ask for it anew")
    try:
        passkey = Passkey(
            credential_id=said.credential_id,
            person_id=_NOBODY,
            public_key=_bytes(signature.public_key),
            sign_count=0,
            backed_up=False,
            aaguid="",
        )
        site = _site_of(_bytes(signature.client_data), _bytes(signature.authenticator_data))
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(
            "bad_signature", f"what {signature.name} signed cannot be read", "ask for it anew"
        ) from error
    signed(site, passkey, credential, digest)


def _site_of(client_data: bytes, authenticator_data: bytes) -> Site:
    """Where it was signed, as the two parts of the assertion agree on it (section 5.1.3: the
    relying party's id is the origin's host or a domain above it). Raises ValueError."""
    origin = json.loads(client_data)["origin"]
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme != "https" and host != "localhost":
        raise ValueError("signed on a page that came in the clear")
    labels = host.split(".")
    for n in range(len(labels)):
        rp_id = ".".join(labels[n:])
        if compare_digest(sha256(rp_id.encode()).digest(), authenticator_data[:DIGEST_BYTES]):
            return Site(rp_id, "", (origin,))
    raise ValueError("signed for another site than the page's")


class _PracticeKeys:
    """Passkeys of personas, in memory alone: a practice node's own software authenticator."""

    def __init__(self, site: Site, random: Callable[[int], bytes]) -> None:
        self._site = site
        self._random = random
        self._keys: dict[PersonId, tuple[bytes, ec.EllipticCurvePrivateKey]] = {}

    def sign(self, person: Person, digest: bytes, at: datetime) -> PersonSignature:
        if person.person_id not in self._keys:
            made = ec.generate_private_key(ec.SECP256R1())
            self._keys[person.person_id] = (self._random(DIGEST_BYTES), made)
        credential_id, key = self._keys[person.person_id]
        client = msgspec.json.encode(
            {
                "type": "webauthn.get",
                "challenge": _text(digest),
                "origin": self._site.origins[0],
                "crossOrigin": False,
            }
        )
        data = sha256(self._site.rp_id.encode()).digest() + struct.pack(
            ">BI", _PRESENT_AND_VERIFIED, 0
        )
        return PersonSignature(
            name=person.name,
            at=at,
            credential_id=_text(credential_id),
            public_key=_text(_cose(key.public_key())),
            authenticator_data=_text(data),
            client_data=_text(client),
            signature=_text(key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))),
            demo=True,
        )


def _cose(key: ec.EllipticCurvePublicKey) -> bytes:
    """RFC 9053, section 7.1.1: an EC2 key on P-256 for ES256."""
    numbers = key.public_numbers()
    return encode_cbor(
        {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
    )


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _plain(text: str) -> str:
    """base64url as we keep it, whoever padded it."""
    return text.rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
