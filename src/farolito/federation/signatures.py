"""Whether a signed agreement is what it claims to be: plain functions, the same at both sides and
on an outsider's desk.

What the agency's key countersigns is the document's bytes with the persons' signatures under
them: it vouches that these are its people, and that there were two.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import msgspec

from farolito.identity import AgencyKey, signed_by
from farolito.identity.signing import check_signature
from farolito.model import (
    SIGNERS,
    Agreement,
    Answering,
    FarolitoError,
    PersonSignature,
    Refused,
    ShareClass,
    Sharing,
    SignedAgreement,
)

SIGNATURES_MAX = 8
# What mutual aid can open: what happens around one incident. Nothing is asked for by it.
AID_CLASSES = frozenset(
    {ShareClass.INCIDENT, ShareClass.UNIT, ShareClass.SHOT, ShareClass.ALERT}
)  # fmt: skip
AID_KEEP_DAYS_MAX = 1
_encode = msgspec.json.Encoder(order="deterministic").encode


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as it is taken out. `grantor_key` is what the file claims: it counts for as
    much as whoever compared its fingerprint."""

    signed: SignedAgreement
    grantor_key: str


Parse = Callable[[str], Agreement]


def digest(document: str) -> bytes:
    """What people sign: SHA-256 over the document's bytes, UTF-8."""
    return sha256(document.encode()).digest()


def countersign(key: AgencyKey, signed: SignedAgreement) -> SignedAgreement:
    """With the agency's own signature, in hexadecimal."""
    made = key.sign("agreement", _under_key(signed.document, signed.signatures))
    return msgspec.structs.replace(signed, agency_signature=made.hex())


def check(signed: SignedAgreement, grantor_key: str, parse: Parse, *, demo: bool) -> None:
    """Raises Refused unless all of it is right, whatever state it is in.

    `grantor_key`: the public key of the agency that gives. `parse` reads the terms out of a
    document. `demo`: whether signatures of a practice node count here.
    """
    terms = signed.agreement
    try:
        told = parse(signed.document)
    except FarolitoError as error:
        raise _no(f"its document cannot be read: {error.says}") from error
    if told != terms:
        raise _no("its terms are not those of its document")
    if not _is_signed_by(grantor_key, signed):
        raise _no(f"{terms.grantor} did not sign it")
    _check_people(signed, demo=demo)
    if terms.incident is not None:
        _check_aid(terms)


def differs(before: SignedAgreement, told: SignedAgreement) -> bool:
    """Whether two accounts of one agreement are not of one document."""
    return (
        before.document != told.document
        or before.agreement != told.agreement
        or before.agency_signature != told.agency_signature
        or before.signatures != told.signatures
    )


def _check_people(signed: SignedAgreement, *, demo: bool) -> None:
    people = signed.signatures
    wanted = 0 if signed.agreement.incident is not None else SIGNERS
    if not wanted <= len(people) <= SIGNATURES_MAX:
        raise _no(f"{len(people)} people signed it, and {wanted} must")
    for distinct in ({p.credential_id for p in people}, {p.public_key for p in people}):
        if len(distinct) != len(people):
            raise _no("one passkey signed it twice")
    for person in people:
        if person.demo and not demo:
            raise _no(f"{person.name} signed it in a demo")
        try:
            check_signature(person, digest(signed.document))
        except Refused as error:
            raise _no(f"the signature of {person.name} is not right: {error.says}") from error


def _check_aid(terms: Agreement) -> None:
    """One press of a key gives little: one incident, nothing to ask for, nothing kept."""
    if (
        not set(terms.classes) <= AID_CLASSES
        or set(terms.classes.values()) != {Answering.FULL}
        or terms.sharing != (Sharing.FOLLOW,)
        or terms.keep_days > AID_KEEP_DAYS_MAX
    ):
        raise _no("mutual aid that opens more than an incident")


def _is_signed_by(grantor_key: str, signed: SignedAgreement) -> bool:
    try:
        signature = bytes.fromhex(signed.agency_signature)
    except ValueError:
        return False
    message = _under_key(signed.document, signed.signatures)
    return signed_by(grantor_key, "agreement", message, signature)


def _under_key(document: str, signatures: tuple[PersonSignature, ...]) -> bytes:
    """The document's digest, in hexadecimal on a line, then the signatures as JSON."""
    return digest(document).hex().encode() + b"\n" + _encode(signatures)


def _no(says: str) -> Refused:
    return Refused("bad_agreement", f"that is no agreement: {says}", "draw it up and sign it anew")
