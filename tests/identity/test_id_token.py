"""ID tokens that are not what they claim to be."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from msgspec import ValidationError, convert, structs

from farolito.identity.id_token import Signed, UnknownKey, checked
from farolito.model import Refused
from farolito.model.provider import Provider

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ISSUER, NONCE = "https://login.example.gov", "n-0S6_WzA2Mj"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
PROVIDER = Provider(
    id="county", name="County", issuer=ISSUER, client_id="rtcc", secret_file="",
    acr=("urn:example:mfa",), amr=("mfa",),
)  # fmt: skip


def seconds(**ago: float) -> int:
    return int((NOW - timedelta(**ago)).timestamp())


def claims(**more: Any) -> dict[str, Any]:
    right = {
        "iss": ISSUER, "aud": "rtcc", "sub": "ana", "nonce": NONCE, "exp": seconds(minutes=-5),
        "iat": seconds(seconds=1), "auth_time": seconds(minutes=2), "acr": "urn:example:mfa",
    }  # fmt: skip
    return {name: value for name, value in {**right, **more}.items() if value is not None}


def token(told: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: str) -> str:
    return jwt.encode({"alg": alg, "kid": "one", **header}, told, key, algorithms=[alg])


def part(told: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def public(*keys: Any) -> KeySet:
    return KeySet.import_key_set({"keys": [key.as_dict(private=False) for key in keys]})


def check(raw: str, keys: KeySet | None = None) -> Signed:
    return checked(raw, keys or public(KEY), PROVIDER, NONCE, NOW)


def said(raw: str) -> str:
    with pytest.raises(Refused) as no:
        check(raw)
    return f"{no.value.reason}: {no.value.says}"


def test_a_right_token_says_who_and_when() -> None:
    signed = check(token(claims(amr=["pwd", "otp"])))
    assert (signed.subject, signed.acr, signed.amr) == ("ana", "urn:example:mfa", ("pwd", "otp"))
    assert signed.signed_in_at == NOW - timedelta(minutes=2)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://login.example.gov/"}, "another issuer"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "another"}, "for somebody else"),
        ({"aud": ["another"]}, "for somebody else"),
        ({"aud": ["rtcc", "another"]}, "for several"),
        ({"aud": ["rtcc", "another"], "azp": "another"}, "for somebody else"),
        ({"azp": "another"}, "for somebody else"),
        ({"nonce": "another"}, "of another sign-in"),
        ({"nonce": None}, "of another sign-in"),
        ({"exp": seconds(minutes=2)}, "expired"),
        ({"exp": None}, "without exp"),
        ({"exp": "later"}, "without exp"),
        ({"iat": seconds(minutes=12)}, "of another time"),
        ({"iat": seconds(minutes=-2)}, "of another time"),
        ({"nbf": seconds(minutes=-2)}, "not valid yet"),
        ({"sub": ""}, "about nobody"),
        ({"sub": "a" * 256}, "about nobody"),
        ({"auth_time": None}, "without auth_time"),
        ({"auth_time": True}, "without auth_time"),
        ({"auth_time": seconds(minutes=-2)}, "of another time"),
        ({"auth_time": seconds(minutes=17)}, "old: "),
        ({"acr": "urn:example:one"}, "factors: "),
        ({"acr": None}, "factors: "),
        ({"acr": None, "amr": ["pwd"]}, "factors: "),
        ({"acr": None, "amr": "mfa"}, "factors: "),
    ],
)
def test_a_token_that_is_not_of_this_sign_in_is_refused(changed: dict[str, Any], why: str) -> None:
    assert why in said(token(claims(**changed)))


def test_a_second_factor_may_be_told_either_way() -> None:
    assert check(token(claims(acr=None, amr=["pwd", "mfa"]))).amr == ("pwd", "mfa")


def test_a_clock_a_little_ahead_makes_no_sign_in_of_the_future() -> None:
    assert check(token(claims(auth_time=seconds(seconds=-30)))).signed_in_at == NOW


def test_a_public_key_is_no_shared_secret() -> None:
    """The oldest trick: sign with HS256 and the public key's own bytes."""
    head, body = part({"alg": "HS256", "kid": "one"}), part(claims(sub="mallory"))
    for stolen in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode()):
        mac = hmac.digest(stolen, f"{head}.{body}".encode(), "sha256")
        forged = f"{head}.{body}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert said(forged).startswith("id_token: ")


def test_a_token_that_nobody_signed_is_refused() -> None:
    whole = token(claims())
    for alg in ("none", "None", "NONE", "RS256"):
        bare = f"{part({'alg': alg, 'kid': 'one'})}.{part(claims(sub='mallory'))}."
        assert said(bare).startswith("id_token: ")
    body = part(claims(sub="mallory"))
    head, _, signature = whole.split(".")
    assert said(f"{head}.{body}.{signature}").startswith("id_token: ")


def test_a_token_brings_no_key_of_its_own() -> None:
    own = RSAKey.generate_key(2048, {"kid": "one"})
    jwk = own.as_dict(private=False)
    forged = jwt.encode(
        {"alg": "RS256", "kid": "one", "jwk": jwk, "jku": "https://evil.example/keys"},
        claims(), own, algorithms=["RS256"],
    )  # fmt: skip
    assert said(forged).startswith("id_token: ")


def test_an_allowed_algorithm_with_a_key_of_another_kind_is_refused() -> None:
    other = ECKey.generate_key("P-256", {"kid": "one"})
    with pytest.raises((Refused, UnknownKey)):
        check(token(claims(), other, "ES256"))


def test_a_key_that_we_do_not_have_is_told_apart() -> None:
    newer = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    raw = token(claims(), newer, kid="two")
    with pytest.raises(UnknownKey):
        check(raw)
    assert check(raw, public(KEY, newer)).subject == "ana"


@pytest.mark.parametrize("raw", ["", ".", "..", "a.b", "a.b.c", "é" * 10, "x" * 40_000, "[]"])
def test_what_is_no_token_at_all_is_refused(raw: str) -> None:
    assert said(raw).startswith("id_token: ")


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://login.example.gov"}, {"algorithms": ("HS256",)},
        {"algorithms": ("none",)}, {"algorithms": ()}, {"acr": (), "amr": ()},
        {"max_age_minutes": 0}, {"admits": "anybody"}, {"admits": "rule"},
        {"role_claim": "role", "roles": {"boss": "agency_admin"}},
        {"role_claim": "role", "roles": {"node": "system"}},
        {"require": ("magic",)}, {"id": "../x"}, {"scopes": ("profile",)},
    ],
)  # fmt: skip
def test_a_provider_set_up_unsafely_is_refused_when_the_file_is_read(
    changed: dict[str, Any],
) -> None:
    told = {**structs.asdict(PROVIDER), **changed}
    with pytest.raises(ValidationError, match=r"\[\[oidc\]\]"):
        convert(told, Provider)
