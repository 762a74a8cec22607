"""Categories that the law of the list's agency forbids it to use."""

from __future__ import annotations

import re

import msgspec

_BREAKS = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[A-Z])")
_WORD_OF_ITS_OWN_MAX = 5  # a shorter name ("ice") must stand alone: it is part of "police"
_REMEMBERED_MAX = 100_000


class ForbiddenCategories(msgspec.Struct, frozen=True):
    """`names` as the state pack has them ("immigration"), `law` as people say it.

    A mapping may call a category what it likes; so the list's own word, its reason and the name
    it got are all looked at, and `Immigration Violator` renamed `wanted_person` stays forbidden.
    """

    names: frozenset[str]
    law: str = ""

    def forbids(self, *texts: str) -> bool:
        return any(self._names(text) for text in texts)

    def _names(self, text: str) -> bool:
        words = [w for w in _BREAKS.split(_spaced(text)) if w]
        alone, joined = f" {' '.join(words)} ", "".join(words)
        for name in self.names:
            parts = [w for w in _BREAKS.split(_spaced(name)) if w]
            together = "".join(parts)
            if not together:
                continue
            if f" {' '.join(parts)} " in alone:
                return True
            if len(together) > _WORD_OF_ITS_OWN_MAX and together in joined:
                return True
        return False


def _spaced(text: str) -> str:
    """`ImmigrationViolator` as two words, in lower case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).casefold()
