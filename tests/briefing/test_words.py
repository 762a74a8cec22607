"""The catalogues: two whole languages, and any other that a nation or an agency owns."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import farolito.briefing
from farolito.briefing import Words, compose
from farolito.model import AnswerKind, CallKind, HazardKind, Outcome, Phrase, SoundKind, UnitStatus
from tests.briefing.briefing_builders import call, flag, known

PHRASES = Path(__file__).parent / "phrases.json"
SOURCE = Path(farolito.briefing.__file__).parent
NAMES = re.compile(r"\{(\w+)\}")
WINDS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")


def owned(folder: Path, tag: str, /, **texts: str) -> Words:
    """The words with one file of a nation's own beside them."""
    path = folder / f"{tag}.json"
    path.write_text(json.dumps({k.replace("__", "."): t for k, t in texts.items()}), "utf-8")
    return Words.load(folder)


def test_english_and_spanish_have_the_same_keys_with_the_same_names() -> None:
    words = Words()
    english, spanish = words.catalogue("en"), words.catalogue("es")
    assert list(english) == list(spanish)
    for key in english:
        assert set(NAMES.findall(english[key])) == set(NAMES.findall(spanish[key])), key
        assert spanish[key].strip()
    assert (english["language"], spanish["language"]) == ("English", "Español")
    assert not words.problems


def test_every_value_of_a_closed_list_has_its_word() -> None:
    english = Words().catalogue("en")
    for prefix, values in (
        ("kind", CallKind), ("flag", HazardKind), ("outcome", Outcome), ("month", range(1, 13)),
        ("compass", WINDS), ("sound", SoundKind),
    ):  # fmt: skip
        for value in values:
            assert f"{prefix}.{value}" in english
    for status in (UnitStatus.ASSIGNED, UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE):
        assert f"with_you.{status}" in english
    assert len(AnswerKind) == 4


def test_every_sentence_in_the_code_is_in_the_catalogue_and_the_other_way_round() -> None:
    code = "".join(path.read_text("utf-8") for path in SOURCE.glob("*.py"))
    english = Words().catalogue("en")
    spoken = {key for key in re.findall(r'"@?([a-z_]+\.[a-z_]+)"', code) if "." in key}
    named = {key for key in spoken if key.split(".")[0] in {k.split(".")[0] for k in english}}
    made = (
        "kind.", "flag.", "outcome.", "sound.", "month.", "compass.", "with_you.", "where.cross",
        "where.street_side", "picture.", "change.c", "language",
    )  # fmt: skip
    for key in named - {"language.base"}:
        assert key in english or f"{key}.one" in english, key
    unused = {
        key.removesuffix(".one").removesuffix(".other")
        for key in english
        if not key.startswith(made)
    } - named - {"fact", "text"}  # fmt: skip
    assert not unused


def test_a_phrase_reads_the_same_on_every_screen() -> None:
    """The screens' own tests read this file too."""
    words = Words()
    cases: list[dict[str, Any]] = json.loads(PHRASES.read_text("utf-8"))
    for case in cases:
        told = Phrase(case["phrase"]["key"], case["phrase"]["args"])
        assert words.say(told, case["language"]) == case["says"]


def test_a_nation_says_briefs_in_its_own_language_and_the_rest_in_its_base(tmp_path: Path) -> None:
    words = owned(
        tmp_path, "tew", language="Invented Tewa", language__base="es",
        what__call="{kind} :: P{level}", kind__shots_fired="pu'u",
    )  # fmt: skip
    assert words.languages == ["en", "es", "tew"]
    assert words.catalogue("tew")["language"] == "Invented Tewa"
    lines = compose(known(call(hazards=(flag("x"),))), words, "tew")
    assert lines[0].says == "pu'u :: P1"
    assert lines[2].says.startswith("Arma: x (CAD premise file, 14 de octubre de 2025).")
    assert not words.problems


def test_an_agency_says_single_sentences_differently(tmp_path: Path) -> None:
    words = owned(tmp_path, "en", change__new="Heads up.")
    assert words.say(Phrase("change.new"), "en") == "Heads up."
    assert words.say(Phrase("change.none"), "en") == "No change."
    assert words.catalogue("en")["language"] == "English"


def test_a_dialect_without_a_file_is_said_in_its_language(tmp_path: Path) -> None:
    words = owned(tmp_path, "es-MX", change__new="Aviso.")
    assert words.say(Phrase("change.new"), "es-MX") == "Aviso."
    assert words.say(Phrase("change.new"), "es-NI") == "Aviso nuevo."
    assert words.say(Phrase("change.new"), "qu") == "New brief."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("P{level}.", "other_names"),  # it would lose what happened
        ("{kind} {level} {who}", "other_names"),
        ("", "no_text"),
        ("x" * 501, "no_text"),
    ],
)
def test_a_sentence_that_would_lose_a_fact_is_not_used_and_is_named(
    tmp_path: Path, text: str, reason: str
) -> None:
    words = owned(tmp_path, "es", what__call=text)
    assert words.say(Phrase("what.call", {"level": 1, "kind": "x"}), "es") == "P1 x."
    assert [p.reason for p in words.problems] == [reason]
    assert "what.call" in words.problems[0].says


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("es.json", b"{", "unreadable_catalogue"),
        ("es.json", b'{"a": {"b": 1}}', "unreadable_catalogue"),
        ("es.json", b'{"change.new": "\xff"}', "unreadable_catalogue"),
        ("es.json", b" " * 1_000_001, "too_large"),
        ("es.json", b'{"no.such": "x"}', "unknown_key"),
        ("my words.json", b"{}", "not_a_language"),
    ],
)
def test_a_file_that_is_no_catalogue_is_named_and_changes_nothing(
    tmp_path: Path, name: str, body: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(body)
    words = Words.load(tmp_path)
    assert [p.reason for p in words.problems] == [reason]
    assert words.languages == ["en", "es"]
    assert words.say(Phrase("change.new"), "es") == "Aviso nuevo."


def test_a_folder_that_is_not_there_is_none() -> None:
    assert Words.load(Path("nowhere")).languages == ["en", "es"]


def test_one_and_several_are_told_apart_by_n() -> None:
    words = Words()
    says = [words.say(Phrase("last_seen.times", {"n": n}), "en") for n in (2, 3)]
    assert says == ["Seen 2 times.", "Seen 3 times."]
    one, two = (words.say(Phrase("hazards.more", {"n": n}), "en") for n in (1, 2))
    assert (one, two) == ("And one more flag.", "And 2 more flags.")
