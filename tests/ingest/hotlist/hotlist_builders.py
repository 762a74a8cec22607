"""Builders of what does not matter to a test of hot lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from farolito.ingest.hotlist import ForbiddenCategories, Mapping, Parsed, load_mapping, parse
from farolito.model import AgencyId, HotList, ListId

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
LAW = ForbiddenCategories(frozenset({"immigration"}), "New Mexico")


def a_list(folded: bool = False) -> HotList:
    return HotList(
        list_id=ListId("city"),
        agency=AgencyId("sandoval-pd"),
        name="City list",
        stale_after=timedelta(hours=24),
        dead_after=timedelta(hours=48),
        folded=folded,
    )


def a_mapping(**words: object) -> Mapping:
    """Comma, header, and the columns that the tests speak of; `words` replace words of it."""
    return load_mapping(
        {
            "columns": {"plate": "PLATE", "state": "ST", "category": "TYPE", "case": "CASE"},
            "dates": {"zone": "America/Denver"},
            "defaults": {"source_agency": "NM0010100", "confirm_with": "505-555-0100"},
            **words,
        }
    )


def read_list(
    data: str | bytes,
    mapping: Mapping | None = None,
    *,
    folded: bool = False,
    law: ForbiddenCategories = LAW,
    now: datetime = NOW,
) -> Parsed:
    body = data.encode() if isinstance(data, str) else data
    return parse(body, mapping or a_mapping(), a_list(folded), law, now)


def plates(parsed: Parsed) -> list[str]:
    return [entry.plate for entry in parsed.entries]


def reasons(parsed: Parsed) -> list[tuple[int, str]]:
    """Line and reason of every bad row."""
    return [(row.line, row.reason) for row in parsed.bad]
