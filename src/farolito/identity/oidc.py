"""The line to an identity provider: what it publishes, where it sends people, its tokens.

OpenID Connect Discovery 1.0; the authorization code flow with PKCE (RFC 7636, S256); the issuer in
the answer (RFC 9207). No redirect is followed and no proxy of the environment is used.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from farolito.identity.id_token import Signed, UnknownKey, checked
from farolito.model import Away, FarolitoError, Refused
from farolito.model.provider import Provider, is_safe

ANSWER_BYTES_MAX = 2**20
ANSWER_S_MAX = 10.0
FOUND_FOR = timedelta(hours=1)  # then its addresses and keys are asked for anew
KEYS_AGAIN = timedelta(minutes=1)  # at most so often, for a token of a key that we do not know


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider publishes of itself (Discovery, section 3), as far as we use it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Of one sign-in under way: what comes back with the person, what stands in the token, and
    what only who began it can show."""

    state: str
    nonce: str
    verifier: str
    challenge: str


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


class ProviderLine:
    """One provider. Nothing of a person is kept here."""

    def __init__(self, provider: Provider, clock: Callable[[], datetime]) -> None:
        self.provider = provider
        self._clock = clock
        self._found: tuple[datetime, Found] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    async def address(self, secrets: Secrets, redirect_uri: str) -> str:
        """Where the browser goes. Raises Away, or FarolitoError for a provider set up wrongly."""
        provider, found = self.provider, await self._discovered()
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(provider.scopes),
            "state": secrets.state,
            "nonce": secrets.nonce,
            "code_challenge": secrets.challenge,
            "code_challenge_method": "S256",
            "max_age": str(provider.max_age_minutes * 60),
        }
        if provider.acr:
            query["acr_values"] = " ".join(provider.acr)
        sign = "&" if "?" in found.authorization_endpoint else "?"
        return f"{found.authorization_endpoint}{sign}{urlencode(query)}"

    async def redeem(
        self, code: str, issuer: str | None, secrets: Secrets, redirect_uri: str
    ) -> Signed:
        """What the provider says of who came back with `code`. Raises Refused, Away."""
        found = await self._discovered()
        is_told = found.authorization_response_iss_parameter_supported
        if issuer != found.issuer and (issuer is not None or is_told):
            raise Refused("other_provider", "another provider's answer", "sign in again")
        tokens = await self._tokens(found, code, secrets, redirect_uri)
        signed = await self._checked(tokens.id_token, secrets.nonce)
        if not self.provider.userinfo:
            return signed
        told = await self._userinfo(found, tokens.access_token, signed.subject)
        return msgspec.structs.replace(signed, claims={**told, **signed.claims})

    async def _tokens(
        self, found: Found, code: str, secrets: Secrets, redirect_uri: str
    ) -> _Tokens:
        provider, secret = self.provider, self._secret()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": secrets.verifier,
        }
        headers = {}
        if "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": provider.client_id, "client_secret": secret}
        status, said = await self._fetch("POST", found.token_endpoint, headers, form)
        if status != 200:
            raise Refused("code", "the provider does not take back its code", "sign in again")
        tokens: _Tokens = self._decoded(said, _Tokens)
        return tokens

    async def _checked(self, raw: str, nonce: str) -> Signed:
        now = self._clock()
        try:
            return checked(raw, await self._keyset(), self.provider, nonce, now)
        except UnknownKey:
            pass
        try:
            return checked(raw, await self._keyset(newer=True), self.provider, nonce, now)
        except UnknownKey as error:
            raise Refused(
                "id_token", "signed by no key of the provider", "tell your administrator"
            ) from error

    async def _userinfo(self, found: Found, access: str, subject: str) -> Mapping[str, Any]:
        """Core, section 5.3: another subject's claims count for nothing."""
        headers = {"Authorization": f"Bearer {access}"}
        status, said = await self._fetch("GET", found.userinfo_endpoint, headers)
        told = self._decoded(said, dict[str, Any]) if status == 200 else {}
        if told.get("sub") != subject:
            raise Refused("userinfo", "the provider's claims are not about you", "sign in again")
        return told

    async def _discovered(self) -> Found:
        now = self._clock()
        if self._found and now - self._found[0] < FOUND_FOR:
            return self._found[1]
        issuer = self.provider.issuer
        address = issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, said = await self._fetch("GET", address)
        if status != 200:
            raise Away(f"{self.provider.name} does not say who it is (HTTP {status})", address)
        found: Found = self._decoded(said, Found)
        used = [found.authorization_endpoint, found.token_endpoint, found.jwks_uri]
        used += [found.userinfo_endpoint] if self.provider.userinfo else []
        if found.issuer != issuer or not all(is_safe(one) for one in used):
            raise FarolitoError(
                f"{self.provider.name} calls itself {found.issuer[:200]}, or names an unsafe place",
                f"write `issuer` in [[oidc]] as {address} has it",
            )
        self._found = (now, found)
        return found

    async def _keyset(self, *, newer: bool = False) -> KeySet:
        now = self._clock()
        if self._keys:
            age = now - self._keys[0]
            if age < (KEYS_AGAIN if newer else FOUND_FOR):
                return self._keys[1]
        found = await self._discovered()
        status, said = await self._fetch("GET", found.jwks_uri)
        told = self._decoded(said, dict[str, list[dict[str, Any]]]) if status == 200 else {}
        # Only public keys, only for signatures: a shared secret in such a list is a mistake.
        usable = [
            key
            for key in told.get("keys", [])
            if key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"
        ]
        try:
            keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Away(f"{self.provider.name} publishes no keys we understand") from error
        self._keys = (now, keys)
        return keys

    async def _fetch(
        self, method: str, address: str, headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        try:
            async with (
                httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as http,
                http.stream(method, address, headers=headers, data=form) as answer,
            ):
                said = b""
                async for piece in answer.aiter_bytes():
                    said += piece
                    if len(said) > ANSWER_BYTES_MAX:
                        raise Away(f"{self.provider.name} answers too much")
                return answer.status_code, said
        except httpx.HTTPError as error:
            raise Away(
                f"{self.provider.name} does not answer ({type(error).__name__})",
                "sign in with your passkey, or try again",
            ) from error

    def _decoded(self, said: bytes, kind: Any) -> Any:
        try:
            return msgspec.json.decode(said, type=kind)
        except msgspec.DecodeError as error:
            raise Away(f"{self.provider.name} answers what nobody understands") from error

    def _secret(self) -> str:
        path = Path(self.provider.secret_file)
        try:
            return path.read_text().strip()
        except OSError as error:
            raise FarolitoError(
                f"the secret of {self.provider.name} cannot be read: {error.strerror}",
                f"write it to {path}, for the node's account alone",
            ) from error
