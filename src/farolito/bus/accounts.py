"""The keys and signed claims of a NATS server in operator mode.

One operator a node, which signs accounts; one account an agency; users under it. Accounts can be
revoked while the server runs, which users of a configuration file cannot. Claims follow NATS' JWT
version 2: header `ed25519-nkey`, parts base64url without padding, `jti` = unpadded base32 of the
SHA-256 over the claims before `jti`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nkeys

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_UNLIMITED = -1


@dataclass(frozen=True)
class Accounts:
    """What the server's configuration and the node's connection need."""

    operator_jwt: str
    system_account: str
    system_jwt: str
    agency_account: str
    agency_jwt: str
    credentials: Path

    @classmethod
    def load(cls, folder: Path, agency: str, now_s: int) -> Accounts:
        """Read the node's bus keys, making them (mode 0600) at the first start."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        operator = _key(folder / "operator.nk", nkeys.PREFIX_BYTE_OPERATOR)
        system = _key(folder / "system.nk", nkeys.PREFIX_BYTE_ACCOUNT)
        account = _key(folder / f"{agency}.nk", nkeys.PREFIX_BYTE_ACCOUNT)
        user = _key(folder / f"{agency}-node.nk", nkeys.PREFIX_BYTE_USER)
        name = _public(operator)
        system_key, account_key = _public(system), _public(account)
        operator_claims = {"type": "operator", "version": 2, "system_account": system_key}
        user_claims = {
            "type": "user", "version": 2, "pub": {}, "sub": {},
            "subs": _UNLIMITED, "data": _UNLIMITED, "payload": _UNLIMITED,
        }  # fmt: skip
        user_jwt = _sign(account, _public(user), f"{agency}-node", user_claims, now_s)
        credentials = folder / f"{agency}-node.creds"
        _write_secret(credentials, _credentials(user_jwt, user.seed.decode()))
        return cls(
            operator_jwt=_sign(operator, name, "farolito", operator_claims, now_s),
            system_account=system_key,
            system_jwt=_sign(operator, system_key, "SYS", _account_claims(jetstream=False), now_s),
            agency_account=account_key,
            agency_jwt=_sign(operator, account_key, agency, _account_claims(jetstream=True), now_s),
            credentials=credentials,
        )


def _account_claims(*, jetstream: bool) -> dict[str, Any]:
    """Claims of an account. The system account must have no JetStream, or the server refuses."""
    stream = _UNLIMITED if jetstream else 0
    return {
        "type": "account",
        "version": 2,
        "limits": {
            "subs": _UNLIMITED, "data": _UNLIMITED, "payload": _UNLIMITED,
            "imports": _UNLIMITED, "exports": _UNLIMITED, "wildcards": True,
            "conn": _UNLIMITED, "leaf": _UNLIMITED,
            "mem_storage": stream, "disk_storage": stream, "streams": stream, "consumer": stream,
        },
        "default_permissions": {"pub": {}, "sub": {}},
    }  # fmt: skip


def _sign(issuer: Any, subject: str, name: str, nats: dict[str, Any], now_s: int) -> str:
    claims = {
        "iat": now_s, "iss": _public(issuer), "sub": subject, "name": name, "nats": nats,
    }  # fmt: skip
    digest = hashlib.sha256(_json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
    signed = f"{_b64(_json(_HEADER))}.{_b64(_json(claims))}"
    return f"{signed}.{_b64(issuer.sign(signed.encode()))}"


def _key(path: Path, prefix: int) -> Any:
    if not path.exists():
        seed = nkeys.encode_seed(os.urandom(32), prefix)
        _write_secret(path, bytes(seed).decode())
    return nkeys.from_seed(path.read_bytes().strip())


def _write_secret(path: Path, text: str) -> None:
    with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
        out.write(text)


def _public(key: Any) -> str:
    return str(key.public_key.decode())


def _credentials(jwt: str, seed: str) -> str:
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
