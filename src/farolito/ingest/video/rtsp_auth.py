"""How a camera's login is shown to it: Basic, and Digest (RFC 7616, and RFC 2069 as some speak)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

from farolito.model import Login

CHALLENGES_MAX = 8
HEADER_CHARACTERS_MAX = 2048  # the rest is not read
_SCHEME = re.compile(r"(?:^|,)\s*(basic|digest)\s+", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Challenge(NamedTuple):
    """What a camera asks. `algorithm` without "-sess", which is `is_session`."""

    scheme: str
    realm: str
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = "MD5"
    is_session: bool = False
    has_qop: bool = False
    is_stale: bool = False


def best_challenge(headers: Sequence[str]) -> Challenge | None:
    """The strongest that we can answer: Digest with SHA-256, with MD5, Basic."""
    found = [one for header in headers[:CHALLENGES_MAX] for one in _challenges(header)]
    order = {("digest", "SHA-256"): 0, ("digest", "MD5"): 1}
    found.sort(key=lambda one: order.get((one.scheme, one.algorithm), 2))
    return found[0] if found else None


def _challenges(header: str) -> list[Challenge]:
    header = header[:HEADER_CHARACTERS_MAX]
    bare = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), header)  # a realm may say "Basic"
    begins = list(_SCHEME.finditer(bare))[:CHALLENGES_MAX]
    ends = [begin.start() for begin in begins[1:]] + [len(header)]
    read = (
        _challenge(begin[1].lower(), header[begin.end() : end])
        for begin, end in zip(begins, ends, strict=False)
    )
    return [one for one in read if one is not None]


def _challenge(scheme: str, text: str) -> Challenge | None:
    said = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
        for name, quoted, bare in _PARAMETER.findall(text)
    }
    if not all(value.isprintable() for value in said.values()):
        return None
    if scheme == "basic":
        return Challenge("basic", said.get("realm", ""))
    algorithm, _, session = said.get("algorithm", "MD5").upper().partition("-SESS")
    qops = {one.strip().lower() for one in said.get("qop", "").split(",")} - {""}
    is_session = "-SESS" in said.get("algorithm", "").upper() and not session
    if algorithm not in _HASHES or "nonce" not in said or (qops and "auth" not in qops):
        return None
    return Challenge(
        "digest",
        said.get("realm", ""),
        said["nonce"],
        said.get("opaque"),
        algorithm,
        is_session,
        bool(qops),
        said.get("stale", "").lower() == "true",
    )


class Answers:
    """Answers one challenge for as long as it holds, counting (nc) as RFC 7616 wants."""

    def __init__(
        self,
        challenge: Challenge,
        login: Login,
        cnonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._challenge = challenge
        self._login = login
        self._cnonce = cnonce()
        self._count = 0

    def header(self, method: str, uri: str) -> str:
        """The value of `Authorization`. `uri` exactly as it stands in the request line."""
        asked, login = self._challenge, self._login
        if asked.scheme == "basic":
            both = f"{login.user}:{login.word}".encode()
            return f"Basic {base64.b64encode(both).decode()}"
        self._count += 1
        count = f"{self._count:08x}"
        secret = self._hash(f"{login.user}:{asked.realm}:{login.word}")
        if asked.is_session:
            secret = self._hash(f"{secret}:{asked.nonce}:{self._cnonce}")
        middle = f"{asked.nonce}:{count}:{self._cnonce}:auth" if asked.has_qop else asked.nonce
        response = self._hash(f"{secret}:{middle}:{self._hash(f'{method}:{uri}')}")
        parts = [
            f"username={_quoted(login.user)}",
            f"realm={_quoted(asked.realm)}",
            f"nonce={_quoted(asked.nonce)}",
            f"uri={_quoted(uri)}",
            f'response="{response}"',
        ]
        if asked.algorithm != "MD5" or asked.is_session:
            parts.append(f"algorithm={asked.algorithm}{'-sess' if asked.is_session else ''}")
        if asked.opaque is not None:
            parts.append(f"opaque={_quoted(asked.opaque)}")
        if asked.has_qop:
            parts.append(f"qop=auth, nc={count}")
        if asked.has_qop or asked.is_session:
            parts.append(f'cnonce="{self._cnonce}"')
        return f"Digest {', '.join(parts)}"

    def _hash(self, text: str) -> str:
        made = _HASHES[self._challenge.algorithm](text.encode(), usedforsecurity=False)
        return made.hexdigest()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
