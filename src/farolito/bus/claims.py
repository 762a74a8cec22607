"""Signed claims of NATS' operator mode (JWT version 2), and the keys that sign them.

Header `ed25519-nkey`, parts base64url without padding, `jti` = unpadded base32 of the SHA-256
over the claims before `jti`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nkeys

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
UNLIMITED = -1
Claims = Mapping[str, Any]


class Key:
    """An nkey: of an operator, an account or a user."""

    def __init__(self, seed: bytes) -> None:
        self._pair = nkeys.from_seed(seed)
        self.seed = seed.decode()
        self.public = str(self._pair.public_key.decode())

    def __repr__(self) -> str:
        return f"Key({self.public})"

    @classmethod
    def made(cls, prefix: int) -> Key:
        return cls(bytes(nkeys.encode_seed(os.urandom(32), prefix)))

    @classmethod
    def load(cls, path: Path, prefix: int) -> Key:
        """The key in `path`, made at the first start (mode 0600)."""
        if not path.exists():
            write_secret(path, cls.made(prefix).seed)
        return cls(path.read_bytes().strip())

    def sign(self, raw: bytes) -> bytes:
        return bytes(self._pair.sign(raw))


def signed(  # noqa: PLR0913 - the parts of a JWT
    issuer: Key, subject: str, name: str, nats: Claims, now_s: int, ends_s: int | None = None
) -> str:
    """`ends_s`: Unix time from which the server takes the claims no more; None: never."""
    claims: dict[str, Any] = {
        "iat": now_s, "iss": issuer.public, "sub": subject, "name": name, "nats": nats,
    }  # fmt: skip
    if ends_s is not None:
        claims["exp"] = ends_s
    digest = hashlib.sha256(_json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
    text = f"{_b64(_json(_HEADER))}.{_b64(_json(claims))}"
    return f"{text}.{_b64(issuer.sign(text.encode()))}"


def account(
    *,
    jetstream: bool = False,
    exports: Sequence[Claims] = (),
    imports: Sequence[Claims] = (),
    limits: Claims | None = None,
) -> Claims:
    """Claims of an account. The system account must have no JetStream, or the server refuses."""
    stream = UNLIMITED if jetstream else 0
    return {
        "type": "account",
        "version": 2,
        "limits": {
            "subs": UNLIMITED, "data": UNLIMITED, "payload": UNLIMITED,
            "imports": UNLIMITED, "exports": UNLIMITED, "wildcards": True,
            "conn": UNLIMITED, "leaf": UNLIMITED,
            "mem_storage": stream, "disk_storage": stream, "streams": stream, "consumer": stream,
            **(limits or {}),
        },
        "default_permissions": {"pub": {}, "sub": {}},
        "exports": exports,
        "imports": imports,
    }  # fmt: skip


def user(publish: Sequence[str] = (), subscribe: Sequence[str] = ()) -> Claims:
    """Claims of a user; without subjects it may use all of its account's."""
    return {
        "type": "user", "version": 2,
        "pub": {"allow": publish} if publish else {},
        "sub": {"allow": subscribe} if subscribe else {},
        "subs": UNLIMITED, "data": UNLIMITED, "payload": UNLIMITED,
    }  # fmt: skip


def activation(kind: str, subject: str) -> Claims:
    """Leave to import a private export, signed by the exporting account."""
    return {"type": "activation", "version": 2, "kind": kind, "subject": subject}


def credentials(jwt: str, seed: str) -> str:
    """The text of a NATS credentials file."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def write_secret(path: Path, text: str) -> None:
    """Whole or not at all, readable by this account alone, on disk before it returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(path.name + ".new")
    with open(beside, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
