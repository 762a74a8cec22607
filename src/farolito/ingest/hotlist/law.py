"""Categories that the law of the list's agency forbids it to use."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_STANDS_ALONE_MAX = 5  # characters; so short a name ("ice") is part of other words ("police")


class ForbiddenCategories(msgspec.Struct, frozen=True):
    """`names` as the state pack has them ("immigration"), `law` as people say it.

    A mapping may call a category what it likes; so the list's own word, its reason and the name
    it got are all looked at, and `Immigration Violator` renamed `wanted_person` stays forbidden.
    """

    names: frozenset[str]
    law: str = ""

    def forbids(self, *texts: str) -> bool:
        search = _any_of(self.names).search
        for text in texts:  # noqa: SIM110  (asked of every row; any() takes three times as long)
            if search(text):
                return True
        return False


@lru_cache(maxsize=64)
def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    """Any of the names, however spaced and spelt: IMMIGRATION_VIOLATOR, Immigration-Violator."""
    found = []
    for name in sorted(names):
        letters = [c for c in name if c.isalnum()]
        if not letters:
            continue
        spelt = r"[\W_]*".join(letters)
        is_short = len(letters) <= _STANDS_ALONE_MAX
        found.append(rf"(?<![^\W_]){spelt}(?![^\W_])" if is_short else spelt)
    return re.compile("|".join(found) or r"(?!)", re.IGNORECASE)
