"""What is read to the officer: short, whole, plates letter by letter."""

from __future__ import annotations

from uuid import uuid4

import msgspec
import pytest

from farolito.briefing import Around, Spot, Words, compose, spelled, spoken
from farolito.briefing.change import differences, same_meaning
from farolito.briefing.known import Known
from farolito.briefing.spoken import WORDS_MAX
from farolito.model import Brief, BriefId, CallVehicle, HazardKind, LineKind, Phrase
from tests.briefing.briefing_builders import (
    AGENCY,
    CAR,
    NOW,
    SAID,
    alert,
    call,
    fact,
    flag,
    going,
    incident,
    known,
)

SPOT = Spot(street="Central Ave", cross="2nd St", from_cross_m=60, from_cross="east", side="north")


def brief(told: Known, **more: object) -> Brief:
    body = Brief(
        brief_id=BriefId(uuid4()), agency=AGENCY, unit=CAR, version=1, composed_at=NOW,
        lines=compose(told, SAID, "en"), change="New brief.",
    )  # fmt: skip
    return msgspec.structs.replace(body, **more)


FULL = known(
    call(
        hazards=(flag("long gun in the house"), flag("in the yard", kind=HazardKind.DOG)),
        vehicles=(CallVehicle(says="white F-150", plate="ABC123"),),
        going=going("east on Central", 90),
        people="two men, one of them with a bandana over the face and a long dark coat",
    ),
    around=Around(spot=SPOT, eta_s=200),
)


def test_plates_are_spelled_as_us_police_do() -> None:
    assert spelled("ABC123") == "Adam Boy Charles 1 2 3"
    said = spoken(brief(known(alerts=(alert("GHT7"),))), SAID, "en", moving=False)
    assert "NM George Henry Tom 7: plate confirmed." in said


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("moving", [True, False])
def test_a_brief_is_said_in_twelve_seconds(language: str, moving: bool) -> None:
    said = spoken(brief(FULL), SAID, language, moving=moving)
    assert len(said.split()) <= WORDS_MAX
    assert said.startswith("2A14. P1 ")
    assert said.endswith(SAID.say(Phrase("change.more"), language)), "what was left out is said"


def test_in_motion_only_what_where_and_hazards_are_said() -> None:
    said = spoken(brief(FULL), SAID, "en", moving=True)
    assert said.startswith("2A14. P1 shots fired.")
    assert "Weapon: long gun in the house." in said
    for elsewhere in ("F-150", "Adam", "east on Central", "Nobody else", "picture"):
        assert elsewhere not in said


def test_no_sentence_is_cut() -> None:
    said = spoken(brief(FULL), SAID, "en", moving=True)
    told = said.removeprefix("2A14. ").removesuffix(" More on the card.")
    for one in ("P1 shots fired.", "201 Central Ave NW.", "Weapon: long gun in the house."):
        assert one in told
    assert told.endswith(".")


def test_a_later_version_is_said_as_its_difference() -> None:
    before = compose(FULL, SAID, "en")
    facts = (fact(LineKind.HAZARDS, "he is on the roof"),)
    after = compose(
        known(*FULL.calls, around=FULL.around, incident=incident(FULL.calls, facts=facts)),
        SAID, "en",
    )  # fmt: skip
    change = differences(before, after)
    second = brief(FULL, version=2, lines=after, change_phrases=change)
    for moving in (True, False):
        said = spoken(second, SAID, "en", moving=moving)
        assert said == "2A14. Update: Ana Ortiz: he is on the roof."


def test_a_recall_is_said_before_anything_else() -> None:
    red = brief(known(alerts=(alert(),)), recalled=True, recall_reason="recovered", version=2)
    said = spoken(red, SAID, "en", moving=True)
    assert said == "2A14. Recalled: recovered. Do not act on this plate."


def test_a_change_that_is_only_minutes_is_none() -> None:
    before = compose(FULL, SAID, "en")
    nearer = known(*FULL.calls, around=Around(spot=SPOT, eta_s=20))
    after = compose(nearer, SAID, "en")
    assert before != after
    assert same_meaning(before, after)
    assert differences(before, after) == ()


def test_a_nations_own_words_are_spoken_too() -> None:
    words = Words([("xx", {"spoken.unit": "<{unit}>", "change.more": "…"})])
    assert spoken(brief(FULL), words, "xx", moving=True).startswith("<2A14> P1 shots fired.")
