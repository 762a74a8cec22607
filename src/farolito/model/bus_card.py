"""What two nodes tell each other before a line of the bus can stand between them. No secret."""

from __future__ import annotations

import re

import msgspec

from farolito.model.errors import Invalid

PEM_CHARS_MAX = 4_000
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-f:]+\]"
_ADDRESS = re.compile(rf"(?:{_HOST}):(\d{{1,5}})")
_ACCOUNT = re.compile(r"A[A-Z2-7]{55}")
_USER = re.compile(r"U[A-Z2-7]{55}")
_PIN = re.compile(r"[0-9a-f]{64}")
_JWT = re.compile(r"[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{1,6000}\.[A-Za-z0-9_-]{1,200}")
_PEM = re.compile(
    r"-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n?"
)


class BusCard(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a line, as the other end needs it.

    `account`: public key of the account that stands for the reader on the writer's node. `user`:
    public key with which the writer comes to the reader. `ca_pem`: the writer's certificate
    authority, `pin` the SHA-256 (hexadecimal) of its line's key (SubjectPublicKeyInfo, DER), which
    stays when the certificate is renewed. Where the writer listens, `address` is its host:port and
    `user_jwt` the leave, signed by `account`, for the reader's own `user` to connect there.

    Every field ends in a server's configuration, so each is held to its exact form.
    """

    account: str
    user: str
    ca_pem: str
    pin: str
    address: str = ""
    user_jwt: str = ""

    def __post_init__(self) -> None:
        _fits(_ACCOUNT, self.account, "an account key")
        _fits(_USER, self.user, "a user key")
        _fits(_PIN, self.pin, "the SHA-256 of a key")
        if len(self.ca_pem) > PEM_CHARS_MAX:
            raise Invalid("a certificate that is too long", f"at most {PEM_CHARS_MAX} characters")
        _fits(_PEM, self.ca_pem, "one certificate in PEM")
        if self.user_jwt:
            _fits(_JWT, self.user_jwt, "a user's leave (JWT)")
        if self.address:
            check_address(self.address)


def check_address(address: str) -> None:
    """Raises Invalid where it is no host:port."""
    found = _ADDRESS.fullmatch(address)
    if not found or not 1 <= int(found[1]) <= 65_535:
        raise Invalid(f"address {address[:80]!r}", "write host:port, as rtcc.example.gov:7422")


def _fits(form: re.Pattern[str], text: str, what: str) -> None:
    if not form.fullmatch(text):
        raise Invalid(f"{text[:80]!r} is not {what}", "let the other node write its card again")
