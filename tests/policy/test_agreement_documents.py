"""One file for people and machines, whose two halves cannot say two things."""

from __future__ import annotations

from datetime import time, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.model import (
    AgencyId,
    Agreement,
    AgreementId,
    Answering,
    Hours,
    IncidentId,
    Invalid,
    Point,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    Zone,
)
from farolito.model.agreement import Declaration
from farolito.policy import digest, parse_document, write_document
from farolito.policy.agreements.terms import PURPOSES, ROLES

from .agreed import FEDERAL, PUEBLO, terms
from .conftest import NOON

VALLEY = Zone("Valley of the river", (Point(35, -107), Point(35.0, -106.5), Point(36.25, -106.0)))
WHOLE = terms(
    zones=(VALLEY,),
    hours=(Hours(days=(0, 6), since=time(22), until=time(6)),),
    on_behalf_of=(PUEBLO,),
    declaration=Declaration("2026-7", "Chief Ortiz", NOON + timedelta(days=30)),
    supersedes=AgreementId(UUID(int=9)),
    text="For stolen cars.\n\n- And for nothing else: señal, ¿sí?\n",
)


def lists(of: Any, *, most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(list(of)), min_size=1, max_size=most, unique=True).map(tuple)


WORDS = st.text(
    st.characters(blacklist_categories=("C", "Zl", "Zp"), max_codepoint=0xFFFF), max_size=40
)
LINES = st.lists(WORDS.filter(lambda w: not w.lstrip().startswith(("#", "`", "~"))), max_size=4)
NAMES = WORDS.filter(lambda w: bool(w.strip()))
POINTS = st.builds(
    Point, lat=st.floats(-90, 90), lon=st.floats(-180, 180).filter(lambda lon: lon != 0)
)
ZONES = st.builds(Zone, NAMES, st.lists(POINTS, min_size=3, max_size=5).map(tuple))
CLOCKS = st.times().map(lambda t: t.replace(second=0, microsecond=0))
DRAWN = st.fixed_dictionaries(
    {
        "title": NAMES,
        "text": LINES.map("\n".join),
        "classes": st.dictionaries(st.sampled_from(ShareClass), st.sampled_from(Answering)).map(
            lambda classes: classes | {ShareClass.ALERT: Answering.FULL}
        ),
        "sharing": lists(Sharing),
        "purposes": lists(PURPOSES),
        "roles": lists(ROLES),
        "keep_days": st.integers(0, 365),
        "record_days": st.integers(1, 10_000),
        "zones": st.lists(ZONES, max_size=2, unique_by=lambda zone: zone.name).map(tuple),
        "hours": st.lists(
            st.builds(Hours, days=lists(range(7)), since=CLOCKS, until=CLOCKS), max_size=2
        ).map(tuple),
        "on_behalf_of": st.one_of(st.just(()), lists([PUEBLO, FEDERAL])),
    }
)


def test_a_document_is_read_as_it_was_written() -> None:
    document = write_document(WHOLE)
    assert parse_document(document) == WHOLE
    assert write_document(parse_document(document)) == document
    assert digest(document) == digest(write_document(WHOLE))
    assert len(digest(document)) == 32


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_terms_survive_their_document(data: st.DataObject) -> None:
    starts = NOON + timedelta(microseconds=data.draw(st.integers(0, 10**12)))
    term = timedelta(microseconds=data.draw(st.integers(1, 365 * 86_400 * 10**6)))
    whole = data.draw(DRAWN)
    agreement = terms(**(whole | {"starts": starts, "expires": starts + term}))
    assert parse_document(write_document(agreement)) == agreement


def test_the_sentences_tell_the_terms() -> None:
    document = write_document(WHOLE)
    for words in (
        "Where a plate was read: in full.",
        "Alerts that a person confirmed: only that there is something, and whom to call.",
        "People of county-so may ask: detective.",
        "Purposes: criminal investigation and missing person. For no other.",
        'Only what lies within "Valley of the river" (35.0000, -107.0000 to 36.2500, -106.0000).',
        "Only Mon Sun 22:00 to 06:00 of the next day, by the clock of city-pd.",
        "county-so deletes what it received after 7 days.",
        "county-so passes nothing on to anybody.",
        "Chief Ortiz signed the declaration 2026-7",
    ):
        assert words in document
    aid = terms(
        incident=IncidentId(UUID(int=4)),
        expires=NOON,
        starts=NOON - timedelta(hours=1),
        keep_days=0,
    )
    assert "For one incident alone: 00000000" in write_document(aid)
    assert "keeps nothing of it" in write_document(aid)


def test_times_of_another_zone_are_the_same_terms() -> None:
    local = timezone(timedelta(hours=-7))
    elsewhere = terms(starts=WHOLE.starts.astimezone(local))
    assert write_document(elsewhere) == write_document(terms())


@pytest.mark.parametrize(
    ("told", "instead", "says"),
    [
        ("after 7 days", "after 2 days", "line 15 of the document is not what its terms"),
        ("keep_days = 7", "keep_days = 300", "line 15 of the document is not what its terms"),
        ("passes nothing on", "may pass it on", "is not what its terms"),
        ("keep_days = 7\n", "keep_days = 7\nsuper_user = true\n", "unknown field `super_user`"),
        ("keep_days = 7\n", "keep_days = 7\n# a remark\n", "is not what its terms"),
        ("keep_days = 7\n", "keep_days =\n", "at line 41"),
        ("keep_days = 7\n", 'keep_days = "7"\n', "keep_days"),
        ("hop_limit = 0", "hop_limit = 1", "hop_limit"),
        ('"Valley of the river"\nring', '"Valley of the river"\nowner = "me"\nring', "not what"),
        ('alert = "pointer"', 'face = "full"', "face"),
        ('roles = ["detective"]', 'roles = ["auditor"]', "auditor"),
        ('["criminal_investigation", ', '["immigration_enforcement", ', "immigration_enforcement"),
        ("farolito agreement 1", "farolito agreement 2", "format"),
        ("## The terms, for machines", "## Terms", "no agreement's document"),
        ("# Plate reads and alerts\n", "# Nothing much\n", "line 1 of the document"),
    ],
)
def test_a_document_that_was_edited_is_refused(told: str, instead: str, says: str) -> None:
    document = write_document(WHOLE)
    assert told in document
    with pytest.raises(Invalid, match=says) as refused:
        parse_document(document.replace(told, instead))
    assert refused.value.do


def test_nothing_may_stand_after_the_terms_or_be_missing() -> None:
    document = write_document(WHOLE)
    for wrong in (document + "\n", document + document, document[:-1], document[5:], "", "# x"):
        with pytest.raises(Invalid):
            parse_document(wrong)
    for end in range(0, len(document), 7):
        with pytest.raises(Invalid):
            parse_document(document[:end])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"title": "Two\nlines"}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 200}, "title"),
        ({"title": "abc\u202edef"}, "title"),
        ({"text": "a\n## What is agreed\n\n- Nothing is shared."}, "begins with #"),
        ({"text": "a\n   ```toml\nkeep_days = 0"}, "begins with `"),
        ({"text": "a\x1b[8mhidden"}, "text"),
        ({"text": "x" * 30_000}, "text"),
        ({"zones": (VALLEY, VALLEY)}, "two zones"),
        ({"zones": (Zone("a\tb", VALLEY.ring),)}, "zone"),
        ({"roles": (Role.AUDITOR,)}, "auditor"),
        ({"roles": (Role.DETECTIVE, Role.DETECTIVE)}, "roles"),
        ({"purposes": (Purpose.PERSONAL,)}, "personal"),
        ({"purposes": (Purpose.ADMINISTRATION,)}, "administration"),
        ({"grantee": AgencyId("a\nb")}, "agency"),
        ({"hours": (Hours(days=(0,), since=time(9, 0, 1), until=time(10)),)}, "hour"),
        ({"classes": {ShareClass.PLATE_READ: Answering.FULL}, "sharing": (Sharing.FOLLOW,)}, "ask"),
    ],
)
def test_what_people_could_not_read_or_mean_is_not_written(
    changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        write_document(terms(**changed))


def test_noise_is_refused_and_never_falls() -> None:
    document = write_document(WHOLE)
    for place in range(0, len(document), 3):
        for letter in ("\x00", "9", "\n", '"', "é"):
            altered = document[:place] + letter + document[place + 1 :]
            if altered != document:
                try:
                    read: Agreement | None = parse_document(altered)
                except Invalid:
                    continue
                # What is taken says in its sentences what its terms say: the signers' own words.
                assert read is not None
                assert read != WHOLE
                assert write_document(read) == altered


def test_a_time_without_a_zone_is_no_term() -> None:
    document = write_document(terms()).replace("+00:00", "")
    with pytest.raises(Invalid):
        parse_document(document)
