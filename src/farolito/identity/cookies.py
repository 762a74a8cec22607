"""How a session's token travels: one cookie that scripts and other sites cannot use."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from farolito.model import Invalid

COOKIE_HEADER_MAX = 8192  # characters; a longer header is nobody's
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class CookieJar(msgspec.Struct, frozen=True):
    """`name` holds the port, since browsers share cookies between two nodes on one machine."""

    name: str
    secure: bool

    def set(self, token: str, age_s: int) -> str:
        """The value of a Set-Cookie header."""
        secure = "; Secure" if self.secure else ""
        return f"{self.name}={token}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"

    def passing(self, what: str, value: str, age_s: int) -> str:
        """A cookie for the way to another site and back: lax, since the browser comes from there,
        and of no use but for that way. An empty value takes it back."""
        secure = "; Secure" if self.secure else ""
        return (
            f"{self.name}-{what}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}"
        )

    def passed(self, what: str, cookie: str) -> str | None:
        """What such a cookie holds, from a Cookie header."""
        return (
            CookieJar(f"{self.name}-{what}", self.secure).token(cookie) if "=" in cookie else None
        )

    def clear(self) -> str:
        return self.set("", 0)

    def token(self, cookie: str) -> str | None:
        """The token from a Cookie header, from a Set-Cookie value, or as it is."""
        if len(cookie) > COOKIE_HEADER_MAX:
            return None
        if "=" not in cookie:
            return cookie.strip() or None
        for part in cookie.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.name:
                return value or None
        return None


def cookie_jar(origins: Sequence[str]) -> CookieJar:
    """The cookie for a site. `__Host-` and Secure wherever there is TLS.

    Plain HTTP is taken from this machine alone, where not every browser keeps a Secure cookie.
    Raises Invalid for an origin that is neither.
    """
    if not origins:
        raise Invalid("no origin", "name the address people open, https://…")
    parts = [urlsplit(o) for o in origins]
    for origin, part in zip(origins, parts, strict=True):
        local = part.scheme == "http" and part.hostname in _LOOPBACK
        if not local and part.scheme != "https":
            raise Invalid(f"origin {origin} is not https", "put TLS before it")
    secure = all(p.scheme == "https" for p in parts)
    port = parts[0].port
    name = f"farolito-{port}" if port else "farolito"
    return CookieJar(f"__Host-{name}" if secure else name, secure)
