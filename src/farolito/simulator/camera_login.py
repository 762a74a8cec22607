"""How a practice camera checks who asks: Digest by RFC 7616 with MD5 and qop=auth, as most do."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from farolito.model.camera import Login

REALM = "practice camera"
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


class DigestDoor:
    """One connection's door: its nonce is used on no other."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(16)

    @property
    def challenge(self) -> str:
        return f'Digest realm="{REALM}", qop="auth", algorithm=MD5, nonce="{self._nonce}"'

    def lets_in(self, method: str, header: str, login: Login) -> bool:
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "digest":
            return False
        said = {n.lower(): quoted or bare for n, quoted, bare in _PARAMETER.findall(text)}
        if said.get("username") != login.user or said.get("nonce") != self._nonce:
            return False
        first = _md5(f"{login.user}:{REALM}:{login.word}")
        second = _md5(f"{method}:{said.get('uri', '')}")
        middle = self._nonce
        if said.get("qop"):
            middle += f":{said.get('nc', '')}:{said.get('cnonce', '')}:{said['qop']}"
        wanted = _md5(f"{first}:{middle}:{second}")
        return hmac.compare_digest(wanted, said.get("response", "").lower())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
