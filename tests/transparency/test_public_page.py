"""What strangers get: the figures with both rates, in two languages, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from html import unescape
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import msgspec
import pytest

from farolito.model import ShotOutcome, SoundKind
from farolito.transparency import PublicShots, public_figures
from farolito.transparency.shot_page import html_of
from farolito.transparency.shot_words import LANGUAGES, WORDS
from tests.desk.city import START, City, spot
from tests.desk.gunfire import Ears, clip, shot
from tests.transparency.made_up import SINCE, Case, record

YEAR = {
    "agency", "since", "until", "smallest_shown", "all", "by_zone", "by_hour", "by_kind",
}  # fmt: skip
TOTAL = {
    "alerts", "confirmed", "unfounded", "unknown", "open", "misses", "confirmed_of_all",
    "precision", "found",
}  # fmt: skip
ROW = {"name", "alerts", "confirmed", "misses", "confirmed_of_all", "found"}


def a_year() -> list[Case]:
    """60 alerts in two zones: 20 casings, 10 fireworks, 20 unknown, 10 open."""
    outcomes = (
        [ShotOutcome.CASINGS] * 20 + [ShotOutcome.FIREWORKS] * 10 + [ShotOutcome.UNKNOWN] * 20
        + [None] * 10
    )  # fmt: skip
    return [
        Case(SINCE + timedelta(days=n, hours=n % 2), "ab"[n % 2] * 2, outcome=outcome)
        for n, outcome in enumerate(outcomes)
    ]


def page(language: str = "en") -> str:
    misses = [(SINCE + timedelta(days=n, hours=n % 2), "ab"[n % 2] * 2) for n in range(20)]
    return html_of(public_figures(record(a_year(), misses), "City Police"), UTC, language)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html.split("</head>")[1])))


class Nesting(HTMLParser):
    """Holds a document to closing what it opens."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_confirmed_share_and_the_known_misses_stand_together() -> None:
    says = text_of(page())
    assert "Alerts confirmed by evidence 33 % 95 % interval 23 %–46 %" in says
    assert "Known shootings that had an alert 50 % 95 % interval 35 %–65 %" in says
    assert "Unknown: looked into, and not found out 20" in says
    assert "Misses: known shootings without such an alert 20" in says
    assert "confirmed alerts among those confirmed or unfounded" in says


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_and_brings_no_script(language: str) -> None:
    html = page(language)
    reader = Nesting()
    reader.feed(html)
    assert reader.open == []
    assert {"script", "img", "link", "iframe", "form"}.isdisjoint(reader.tags)
    assert "http://" not in html
    assert "https://" not in html
    assert f'<html lang="{language}">' in html
    assert "prefers-color-scheme:dark" in html
    assert reader.tags.count("h1") == 1


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["es"].keys()
    numbers = [re.findall(r"\d+", text_of(page(language))) for language in LANGUAGES]
    assert numbers[0] == numbers[1]


def test_a_zone_named_by_a_joker_is_only_text() -> None:
    cases = [Case(SINCE, "<script>alert(1)</script>") for _ in range(9)]
    html = html_of(public_figures(record(cases), "A & B <Police>"), UTC, "en")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "A &amp; B &lt;Police&gt;" in html


@pytest.fixture
def ears(city: City) -> Ears:
    return Ears(city)


async def a_week(ears: Ears) -> list[str]:
    """Alerts with sound, reviews, notes, outcomes and a miss; answers what must stay inside."""
    for n in range(8):
        at = START - timedelta(days=3, minutes=5 * n)
        alert = await ears.heard(shot(500 + 150 * n, at=at), f"boot1:{n}")
        await ears.desk.attach(alert.alert_id, [clip("ear-1", at)])
        alert = await ears.reviewed(alert, SoundKind.GUNSHOT, ["ear-1"])
        note = "by the green door"
        await ears.desk.outcome(ears.ask(), alert.alert_id, ShotOutcome.CASINGS, note)
    missed = START - timedelta(days=2)
    await ears.desk.miss(ears.ask(), missed, spot(50, 60), ShotOutcome.VIDEO, 3, "secret-note")
    place = alert.shot.place
    return [
        str(alert.alert_id), str(alert.shot.shot_id), str(ears.city.operator.person_id), "Rivera",
        "ear-1", "boot1", "green door", "secret-note", str(place.lat), str(place.lon),
        f"{place.lat:.3f}", f"{place.lon:.3f}", "a" * 64, f"{alert.shot.discharged_at:%Y-%m-%dT%H}",
    ]  # fmt: skip


async def test_nothing_leaves_but_figures(ears: Ears) -> None:
    inside = await a_week(ears)
    public = PublicShots(ears.desk, "City Police", UTC, ears.city.clock)
    kind, content = await public.page("json")
    assert kind == "application/json"
    told = msgspec.json.decode(content)
    assert set(told) == YEAR
    assert set(told["all"]) == TOTAL
    assert all(set(row) == ROW for row in (*told["by_zone"], *told["by_hour"]))
    assert all(set(row) == {"name", "alerts"} for row in told["by_kind"])
    assert {row["name"] for row in told["by_zone"]} == {"east", "west"}
    for which in ("json", *LANGUAGES):
        said = (await public.page(which))[1].decode()
        assert [word for word in inside if word in said] == []


async def test_a_thousand_strangers_are_one_entry_a_minute(ears: Ears) -> None:
    await a_week(ears)
    public = PublicShots(ears.desk, "City Police", UTC, ears.city.clock)
    size = ears.city.ledger.status().size
    answers = {(await public.page("json"))[1] for _ in range(50)}
    assert len(answers) == 1
    assert ears.city.ledger.status().size == size + 1
    said = await ears.city.ledger.open_field(size, "query")
    assert said == "publish figures of shots 2025-11-23 to 2026-11-23"
    ears.city.later(61)
    await public.page("en")
    assert ears.city.ledger.status().size == size + 2


async def test_a_shot_of_today_is_published_tomorrow(ears: Ears) -> None:
    """In the agency's own time, in which the day ends seven hours after that of the sensors."""
    denver = ZoneInfo("America/Denver")
    public = PublicShots(ears.desk, "City Police", denver, ears.city.clock)
    for n in range(6):
        alert = await ears.heard(shot(500 + 150 * n, at=START - timedelta(hours=1)), f"boot1:{n}")
        await ears.reviewed(alert)
    before = msgspec.json.decode((await public.page("json"))[1])
    ears.city.later(24 * 3600)
    after = msgspec.json.decode((await public.page("json"))[1])
    assert (before["all"]["alerts"], after["all"]["alerts"]) == ("<5", 6)
    assert before["until"] == "2026-11-23T00:00:00-07:00"
