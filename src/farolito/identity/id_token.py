"""Whether an ID token is one, of just this sign-in: OpenID Connect Core 1.0, section 3.1.3.7.

joserfc checks the signature: it takes the allowed algorithms as an argument, so that a token never
chooses its own, and refuses a key of another kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from farolito.model import Refused
from farolito.model.provider import Provider

TOKEN_BYTES_MAX = 32_768
CLOCKS_APART_MAX = timedelta(seconds=60)
MADE_WITHIN = timedelta(minutes=10)  # a code is good for no longer; an older token is another's
SUBJECT_CHARACTERS_MAX = 255  # section 2
_AGAIN = "sign in again; if it stays so, tell your administrator"


class UnknownKey(Exception):
    """Signed by a key that is not among the provider's as we have them."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a checked token says. `signed_in_at`: when the provider last asked its person."""

    subject: str
    signed_in_at: datetime
    acr: str
    amr: tuple[str, ...]
    claims: Mapping[str, Any]


def checked(raw: str, keys: KeySet, provider: Provider, nonce: str, now: datetime) -> Signed:
    """Raises Refused with the reason, UnknownKey where newer keys may help."""
    if len(raw) > TOKEN_BYTES_MAX:
        raise _wrong("too long")
    registry = JWSRegistry(algorithms=list(provider.algorithms))
    try:
        token = jwt.decode(raw, keys, algorithms=list(provider.algorithms), registry=registry)
    except JoseError as error:
        if error.error in {"invalid_key_id", "missing_key"}:
            raise UnknownKey from error
        raise _wrong(f"not signed by the provider ({error.error})") from error
    except ValueError as error:
        raise UnknownKey if "kid" in str(error) else _wrong("malformed") from error
    claims = token.claims
    _meant_for_us(claims, provider, nonce)
    _of_now(claims, now)
    return Signed(
        subject=_subject(claims),
        signed_in_at=_signed_in_at(claims, provider, now),
        **_factors(claims, provider),
        claims=claims,
    )


def _meant_for_us(claims: Mapping[str, Any], provider: Provider, nonce: str) -> None:
    if claims.get("iss") != provider.issuer:
        raise _wrong("another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    azp = claims.get("azp")
    if provider.client_id not in audiences or azp not in (None, provider.client_id):
        raise _wrong("for somebody else")
    if len(audiences) > 1 and azp is None:
        raise _wrong("for several, and not said for whom")
    told = claims.get("nonce")
    if not isinstance(told, str) or not compare_digest(told.encode(), nonce.encode()):
        raise _wrong("of another sign-in")


def _of_now(claims: Mapping[str, Any], now: datetime) -> None:
    expires, made = _time(claims, "exp"), _time(claims, "iat")
    if now - CLOCKS_APART_MAX >= expires:
        raise _wrong("expired")
    if made > now + CLOCKS_APART_MAX or now - made > MADE_WITHIN + CLOCKS_APART_MAX:
        raise _wrong("of another time: are both clocks set?")
    if "nbf" in claims and _time(claims, "nbf") > now + CLOCKS_APART_MAX:
        raise _wrong("not valid yet")


def _signed_in_at(claims: Mapping[str, Any], provider: Provider, now: datetime) -> datetime:
    """Never later than now, since a clock ahead of ours would make a sign-in of the future."""
    at = _time(claims, "auth_time")
    if at > now + CLOCKS_APART_MAX:
        raise _wrong("of another time: are both clocks set?")
    if now - at > timedelta(minutes=provider.max_age_minutes) + CLOCKS_APART_MAX:
        raise Refused("old", "your provider has not asked you for too long", "sign in there anew")
    return min(at, now)


def _factors(claims: Mapping[str, Any], provider: Provider) -> dict[str, Any]:
    acr, told = claims.get("acr"), claims.get("amr")
    acr = acr if isinstance(acr, str) else ""
    amr = tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()
    if acr not in provider.acr and not set(amr) & set(provider.amr):
        raise Refused(
            "factors",
            "your provider does not say that you showed two factors",
            "sign in there with your key or app",
        )
    return {"acr": acr, "amr": amr}


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARACTERS_MAX:
        raise _wrong("about nobody")
    return subject


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**33:
        raise _wrong(f"without {name}")
    return datetime.fromtimestamp(value, UTC)


def _wrong(why: str) -> Refused:
    return Refused("id_token", f"the provider's token does not check out: {why}", _AGAIN)
