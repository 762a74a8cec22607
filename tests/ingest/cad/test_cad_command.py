"""`farolito cad check` as somebody who writes no programs sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farolito.cli.cad import app
from farolito.model import Invalid, Rejected
from tests.ingest.cad.test_cad_mapping import EXAMPLES, FILES, SAMPLES

WIDE = {"COLUMNS": "200"}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_example_can_be_tried_as_its_first_lines_say(name: str) -> None:
    file = str(FILES / SAMPLES[name])
    result = CliRunner().invoke(app, ["check", str(EXAMPLES / f"{name}.yaml"), file], env=WIDE)
    assert result.exit_code == 0, result.output
    assert "2A14 en_route 2026-11-23 09:59" in result.output, "times as they are told"
    assert "calls read" in result.output


def test_flaws_and_rejected_records_are_told_with_what_to_do(tmp_path: Path) -> None:
    mapping, file = tmp_path / "m.yaml", tmp_path / "f.json"
    mapping.write_text("name: Test\nformat: json\nfields: {number: n, state: s}\n")
    file.write_text('[{"n": "26-1", "s": "[red]QX"}, {"s": "open"}]')
    result = CliRunner().invoke(app, ["check", str(mapping), str(file)], env=WIDE)
    assert "state '[red]QX' is not known" in result.output, "shown as it stands there"
    assert "a call without its event number" in result.output
    assert "Test: 1 calls read, 1 not taken in, 1 flaws" in result.output


def test_a_wrong_zone_is_seen_before_it_does_harm(tmp_path: Path) -> None:
    mapping, file = tmp_path / "m.yaml", tmp_path / "f.json"
    mapping.write_text("format: json\nfields: {number: n, sent_at: t}\ntimes: {zone: UTC}\n")
    file.write_text('{"n": "26-1", "t": "2999-01-01T00:00:00"}')
    result = CliRunner().invoke(app, ["check", str(mapping), str(file)], env=WIDE)
    assert "26-1 is doubtful: it was sent in the future: look at zone:" in result.output


def test_json_is_one_document(tmp_path: Path) -> None:
    arguments = [str(EXAMPLES / "xml-export.yaml"), str(FILES / "calls.xml"), "--json"]
    told = json.loads(CliRunner().invoke(app, ["check", *arguments]).output)
    assert (len(told["updates"]), told["others"]) == (2, 1)


def test_a_file_or_mapping_that_is_wrong_as_a_whole_is_told_in_words(tmp_path: Path) -> None:
    good, nowhere = str(EXAMPLES / "xml-export.yaml"), str(tmp_path / "nowhere.xml")
    result = CliRunner().invoke(app, ["check", good, nowhere])
    assert isinstance(result.exception, Invalid)
    result = CliRunner().invoke(app, ["check", good, str(FILES / "calls.csv")])
    assert isinstance(result.exception, Rejected)
    assert result.exit_code == 1
