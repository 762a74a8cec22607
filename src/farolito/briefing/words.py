"""The catalogues: every sentence of a brief by its key, in each language that somebody wrote.

A catalogue is a flat JSON file, `{"key": "text with {name}"}`, named by its language: `en.json`.
English and Spanish come with the package; an agency or nation puts its own files, or single
sentences that it wants said differently, in a folder that it owns. What a file does not have is
said in the language it names as its base ("language.base"), else in English.

Never: a sentence that lost a fact. A text that leaves out a name its English has, or has one of
its own, is not used, and `problems` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import msgspec

from farolito.model import Phrase, Rejected

FILE_BYTES_MAX = 1_000_000  # a larger file is no catalogue: refused
FILES_MAX = 64  # further files of the folder are not read, and named
TEXT_CHARACTERS_MAX = 500
OWN_BASE = "en"  # the language that has every key
NAME_KEY, BASE_KEY = "language", "language.base"  # its own name; what it falls back to

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NAME = re.compile(r"\{(\w+)\}")

Catalogue = Mapping[str, str]


class Words:
    """Read once. A file that cannot be used is named in `problems` and changes nothing."""

    def __init__(self, own: Iterable[tuple[str, Catalogue]] = ()) -> None:
        self.problems: list[Rejected] = []
        self._words = {name: _packaged(name) for name in ("en", "es")}
        told = dict(own)
        for language in sorted(told, key=lambda name: (_base_of(told[name]) in told, name)):
            self._take(language, told[language])

    @classmethod
    def load(cls, folder: Path | None = None) -> Words:
        """The packaged languages, and those of a folder (which need not be there)."""
        problems: list[Rejected] = []
        own: list[tuple[str, Catalogue]] = []
        paths = sorted(folder.glob("*.json")) if folder is not None and folder.is_dir() else []
        for path in paths[:FILES_MAX]:
            try:
                own.append((path.stem, read_catalogue(path)))
            except Rejected as why:
                problems.append(why)
        if len(paths) > FILES_MAX:
            more = f"{len(paths) - FILES_MAX} catalogues more than {FILES_MAX}"
            problems.append(Rejected("too_many_catalogues", more, "remove what is not needed"))
        words = cls(own)
        words.problems[:0] = problems
        return words

    @property
    def languages(self) -> Sequence[str]:
        """BCP 47 tags: "en", "es", "nv"."""
        return list(self._words)

    def catalogue(self, language: str) -> Catalogue:
        """Every key's text. A language nobody wrote is said in its plain form, else in English."""
        plain = language.split("-", 1)[0]
        return self._words.get(language) or self._words.get(plain) or self._words[OWN_BASE]

    def say(self, phrase: Phrase, language: str) -> str:
        """The sentence: with an argument `n`, `key.one` or `key.other` where there are such.

        An argument "@key" is said in the language too. Raises KeyError for a key or an argument
        that is missing: we made the phrase, so we are wrong.
        """
        words = self.catalogue(language)

        def value(found: re.Match[str]) -> str:
            arg = phrase.args[found[1]]
            if isinstance(arg, str) and arg.startswith("@"):
                return words.get(arg[1:], arg)
            return str(arg)

        return _NAME.sub(value, _template(words, phrase))

    def say_all(self, phrases: Iterable[Phrase], language: str) -> str:
        return " ".join(self.say(phrase, language) for phrase in phrases)

    def _take(self, language: str, told: Catalogue) -> None:
        if not _LANGUAGE.fullmatch(language):
            self._refuse(language, "not_a_language", f"{language}.json", "name it nv.json, es.json")
            return
        base = self._words.get(language) or self._words.get(_base_of(told)) or self.catalogue("en")
        english = self._words[OWN_BASE]
        taken = dict(base)
        for key, text in told.items():
            why = _why_not(key, text, english)
            if why is None:
                taken[key] = text
            elif key != BASE_KEY:
                self._refuse(language, *why)
        if NAME_KEY not in told and language not in self._words:
            taken[NAME_KEY] = language
        self._words[language] = taken

    def _refuse(self, language: str, reason: str, what: str, do: str) -> None:
        self.problems.append(Rejected(reason, f"catalogue {language}: {what}", do))


def read_catalogue(path: Path) -> Catalogue:
    """A file's sentences. Raises Rejected where it is no flat JSON of texts."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise Rejected("too_large", f"{path.name} is no catalogue", "one text for each key")
        body = path.read_bytes()
        return msgspec.json.decode(body, type=dict[str, str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Rejected(
            "unreadable_catalogue",
            f"catalogue {path.name}: {why}",
            'write {"key": "text"} in UTF-8, as in en.json',
        ) from why


def _template(words: Catalogue, phrase: Phrase) -> str:
    n = phrase.args.get("n")
    if n is not None:
        counted = words.get(f"{phrase.key}.{'one' if n == 1 else 'other'}")
        if counted is not None:
            return counted
    return words[phrase.key]


def _packaged(language: str) -> Catalogue:
    body = (files("farolito.briefing") / "words" / f"{language}.json").read_bytes()
    return msgspec.json.decode(body, type=dict[str, str])


def _base_of(told: Catalogue) -> str:
    return told.get(BASE_KEY, OWN_BASE)


def _why_not(key: str, text: str, english: Catalogue) -> tuple[str, str, str] | None:
    """Why a text cannot stand for its key: (reason, what is wrong, what to do)."""
    if key not in english:
        return "unknown_key", f"{key} is no sentence of ours", "see the keys of en.json"
    if not text.strip() or len(text) > TEXT_CHARACTERS_MAX:
        return "no_text", f"{key} is empty or too long", "leave the key out to keep the base's text"
    here, there = set(_NAME.findall(text)), set(_NAME.findall(english[key]))
    # "One minute" need not say the number.
    spare = {"n"} if key.endswith(".one") else set()
    if here - there - spare or there - here - spare:
        wanted = " ".join(sorted(f"{{{name}}}" for name in there)) or "none"
        return "other_names", f"{key} must say the facts of its English: {wanted}", "add or remove"
    return None
