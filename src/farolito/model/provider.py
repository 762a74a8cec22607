"""An agency's own identity provider, as the configuration has it.

Names of attributes follow GFIPM Metadata 2.0, which NIEF keeps (nief.org/attribute-registry): a
provider of that federation sends `gfipm:2.0:user:NCICCertificationIndicator` and the like, whose
values are "true", "false", "1" or "0".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from farolito.model.person import Role

# What a provider may sign with: a shared secret ("HS256") or nothing ("none") never counts.
ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"})
CERTIFICATIONS: Mapping[str, str] = {
    "ncic": "gfipm:2.0:user:NCICCertificationIndicator",
    "28cfr": "gfipm:2.0:user:28CFRCertificationIndicator",
    "ncic_history": "gfipm:2.0:user:NCICCriminalHistoryPrivilegeIndicator",
    "ncic_hotfile": "gfipm:2.0:user:NCICHotfilePrivilegeIndicator",
    "ndex": "gfipm:2.0:user:NDExPrivilegeIndicator",
    "sworn": "gfipm:2.0:user:SwornLawEnforcementOfficerIndicator",
    "public_safety": "gfipm:2.0:user:PublicSafetyOfficerIndicator",
}
# Who keeps people and rules is invited by a person, and signs in with a passkey.
_NEVER_BY_CLAIM = frozenset({Role.SYSTEM, Role.AGENCY_ADMIN, Role.OVERSIGHT, Role.CAMERA_OWNER})
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_HERE = r"(?:localhost|127\.0\.0\.1|\[::1\])"
_SAFE = re.compile(rf"https://[^/?#\s@:]+|http://{_HERE}(?::\d+)?(?:[/?#]|$)", re.IGNORECASE)


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[oidc]]: people sign in by this identity provider (OpenID Connect, code flow with PKCE)."""

    id: str  # in addresses: letters, digits and "-"
    name: str  # on the button of the sign-in page
    issuer: str  # exactly as its tokens say it, https
    client_id: str
    secret_file: str  # the client's secret, in a file that only the node's account reads
    scopes: tuple[str, ...] = ("openid", "profile")
    # How we know that two factors were shown: one of these `acr`, or one of these `amr`. One of
    # the two lists must be told; without it nobody comes in by this provider.
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    max_age_minutes: int = 15  # it asks its person again where they signed in longer ago
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256")
    userinfo: bool = False  # it keeps claims out of its ID tokens: ask for them
    # "invited": only who has used an invitation here together with a sign-in there. "rule": also
    # whoever has a role by `roles`.
    admits: str = "invited"
    name_claim: str = "name"
    unit_claim: str = ""
    role_claim: str = ""
    roles: Mapping[str, Role] = {}  # what stands in `role_claim`, and the role here it gives
    # Certifications without which nobody comes in, by the names of CERTIFICATIONS; and the names
    # of claims where they are other than GFIPM's.
    require: tuple[str, ...] = ()
    certifications: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise ValueError(f"[[oidc]] {self.id}: {wrong}")

    def _wrong(self) -> str | None:
        unknown = set(self.require) - {*CERTIFICATIONS, *self.certifications}
        checks = (
            (_ID.fullmatch(self.id), "id: small letters, digits and -"),
            (is_safe(self.issuer), "issuer: an https address"),
            ("openid" in self.scopes, 'scopes: "openid" among them'),
            (self.acr or self.amr, "acr or amr: what tells that two factors were shown"),
            (1 <= self.max_age_minutes <= 720, "max_age_minutes: 1 to 720"),
            (self.algorithms and set(self.algorithms) <= ALGORITHMS, "algorithms: asymmetric ones"),
            (self.admits in {"invited", "rule"}, 'admits: "invited" or "rule"'),
            (bool(self.roles) == bool(self.role_claim), "role_claim and roles go together"),
            (self.admits == "invited" or self.roles, 'admits = "rule" wants roles'),
            (not _NEVER_BY_CLAIM & set(self.roles.values()), "roles: this role is invited only"),
            (not unknown, f"require: unknown {', '.join(sorted(unknown))}"),
        )
        return next((says for is_right, says in checks if not is_right), None)


def is_safe(address: str) -> bool:
    """https, or this machine itself, where a test's provider stands."""
    return _SAFE.match(address) is not None
