"""`farolito agreement verify`, and the terms of the page as `draft` sends them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from farolito.cli.agreement import _terms
from farolito.cli.main import app
from farolito.console.routes.agreements import NewTerms
from farolito.federation.signatures import File
from farolito.identity import fingerprint
from farolito.model import Role
from farolito.policy import parse_document, write_document
from tests.federation.agreeing import Desk
from tests.federation.neighbours import Neighbours

PAGE = Path(__file__).resolve().parents[2] / "docs" / "agreements.md"


@pytest.fixture
async def saved(neighbours: Neighbours, tmp_path: Path) -> tuple[Desk, Path]:
    city = Desk(neighbours.city)
    signed = await city.in_force(neighbours.sheriff)
    chief = city.ask(city.side.person(Role.SUPERVISOR))
    answer = await city.desk.file(chief, signed.agreement.agreement_id)
    file = tmp_path / "plates.farolito-agreement"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(answer.value)))
    return city, file


def verify(file: Path, *options: str) -> tuple[int, str]:
    """Exit status and all that was said, line breaks apart."""
    done = CliRunner().invoke(app, ["agreement", "verify", str(file), *options])
    return done.exit_code, " ".join(done.output.split())


async def test_a_saved_agreement_is_checked_without_a_node(saved: tuple[Desk, Path]) -> None:
    city, file = saved
    key = city.side.card.key
    status, said = verify(file, "--key", key)
    assert status == 0, said
    assert "city-pd gives, county-so receives" in said
    assert "signed by Ana Ortiz" in said
    assert fingerprint(key) in said
    status, said = verify(file)
    assert (status, "cannot vouch" in said) == (0, True)


async def test_what_was_changed_after_signing_is_found(saved: tuple[Desk, Path]) -> None:
    city, file = saved
    right = file.read_bytes()
    found = msgspec.json.decode(right, type=File)
    terms = msgspec.structs.replace(found.signed.agreement, keep_days=365)
    longer = msgspec.structs.replace(found.signed, agreement=terms, document=write_document(terms))
    for wrong, word in (
        (right.replace(b"after 7 days", b"after 9 days"), "cannot be read"),
        (msgspec.json.encode(msgspec.structs.replace(found, signed=longer)), "did not sign it"),
        (right.replace(b"Ana Ortiz", b"Ann Other"), "did not sign it"),
        (b"{}", "no saved agreement"),
        (b"\xff\x00", "no saved agreement"),
    ):
        assert wrong != right
        file.write_bytes(wrong)
        status, said = verify(file, "--key", city.side.card.key)
        assert (status, word in said) == (1, True), said
    file.write_bytes(right)
    status, said = verify(file, "--key", "0" * 64)
    assert (status, "another key" in said) == (1, True)


def test_the_terms_on_the_page_are_terms(neighbours: Neighbours, tmp_path: Path) -> None:
    [toml] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "terms.toml"
    file.write_text(toml)
    city = Desk(neighbours.city)
    told = msgspec.convert(_terms(file), NewTerms)
    agreement = told.agreement(city.terms(neighbours.sheriff).agreement_id, city.side.agency_id)
    assert parse_document(write_document(agreement)) == agreement
    assert agreement.expires - agreement.starts < timedelta(days=365)
