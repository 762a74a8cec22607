"""What the app hands to the console of sign-ins by a provider, proofs, and people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farolito.gate import Answer, Ask
from farolito.identity import Elsewhere, Proving
from farolito.model import PersonId
from farolito.model.suspension import Because

Shown = Mapping[str, Any]


@dataclass(frozen=True)
class People:
    """`view`: who there is; `suspend` and `restore`: here and at every partner. `crewed`: a person
    came by a provider that says their unit."""

    elsewhere: Elsewhere
    proving: Proving
    view: Callable[[Ask], Awaitable[Answer[Sequence[Shown]]]]
    suspend: Callable[[Ask, PersonId, Because], Awaitable[Answer[Shown]]]
    restore: Callable[[Ask, PersonId], Awaitable[Answer[Shown]]]
