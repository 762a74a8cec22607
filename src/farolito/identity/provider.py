"""What the claims of an agency's identity provider mean here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from farolito.model import Refused, Role
from farolito.model.provider import CERTIFICATIONS, Provider

NAME_CHARACTERS_MAX = 100
UNIT_CHARACTERS_MAX = 20
_YES = frozenset({"true", "1"})


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of a person, as it counts here. `role`: None where it says none."""

    name: str
    role: Role | None
    unit: str | None
    certifications: tuple[str, ...]


def claimed(provider: Provider, claims: Mapping[str, Any]) -> Claimed:
    """Raises Refused for who lacks a certification, or whose role means nothing here."""
    names = {**CERTIFICATIONS, **provider.certifications}
    has = tuple(sorted(one for one, claim in names.items() if _is_yes(claims.get(claim))))
    lacking = [one for one in provider.require if one not in has]
    if lacking:
        raise Refused(
            "certification",
            f"your provider does not say that you are certified: {', '.join(lacking)}",
            "renew it, and ask your administrator",
        )
    return Claimed(
        name=_text(claims.get(provider.name_claim), NAME_CHARACTERS_MAX) or "",
        role=_role(provider, claims.get(provider.role_claim)) if provider.roles else None,
        unit=_text(claims.get(provider.unit_claim), UNIT_CHARACTERS_MAX),
        certifications=has,
    )


def _role(provider: Provider, value: Any) -> Role:
    told = {str(one) for one in value} if isinstance(value, list) else {str(value)}
    for name, role in provider.roles.items():
        if name in told:
            return role
    raise Refused("no_role", "your provider gives you no role here", "ask your administrator")


def _is_yes(value: Any) -> bool:
    return value is True or (isinstance(value, str | int) and str(value).lower() in _YES)


def _text(value: Any, most: int) -> str | None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return None
    return value.strip()[:most]
