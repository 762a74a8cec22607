"""`farolito hotlist` at the prompt: what it says, and what it refuses to send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farolito.cli.hotlist import app

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "hotlists"
LIST = """\
PLATE,STATE,TYPE,CASE NO,ENTERED,EXPIRES,MAKE,COLOR,YEAR,ENTERED BY
ABC-123,NM,SV,26-000123,03/14/2026 22:05,,HONDA,BLU,2015,NM0010100
AB?-123,NM,SV,26-000124,03/14/2026 22:05,,HONDA,BLU,2015,NM0010100
FORBID7,NM,Immigration,26-000125,03/14/2026 22:05,,,,,NM0010100
"""


def run(*words: str | Path, **env: str) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env=env)


@pytest.fixture
def list_file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    return path


def test_check_says_what_would_go_in_and_lists_bad_rows_by_line(list_file: Path) -> None:
    told = run("check", list_file, "--mapping", EXAMPLES / "comma-with-header.yaml")
    assert told.exit_code == 0
    assert "line 3: the plate holds a masked or unread character" in told.stdout
    assert "plate: ABC123" in told.stdout
    assert "FORBID7" not in told.stdout


def test_check_as_json_is_one_document_of_counts_without_plates(list_file: Path) -> None:
    told = run("check", list_file, "--mapping", EXAMPLES / "comma-with-header.yaml", "--json")
    document = json.loads(told.stdout)
    assert (document["rows"], document["good"], document["forbidden"]) == (3, 1, 1)
    assert document["bad"] == [
        {
            "line": 3, "reason": "masked_plate", "field": "plate",
            "says": "the plate holds a masked or unread character",
        }
    ]  # fmt: skip
    assert "ABC123" not in told.stdout


def test_check_takes_a_ready_mapping_by_name(tmp_path: Path) -> None:
    path = tmp_path / "genetec.csv"
    path.write_text("Stolen;NM;ABC123;2026-01-01;2027-01-01\n")
    assert "1  would go in" in run("check", path, "--mapping", "genetec").stdout


def test_a_mapping_that_does_not_fit_the_list_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("LIC,ST\nABC123,NM\n")
    told = run("check", path, "--mapping", EXAMPLES / "comma-with-header.yaml")
    assert told.exit_code == 1
    assert "the list has no column named 'PLATE'" in told.stderr
    assert "'LIC', 'ST'" in told.stderr


def test_a_law_nobody_wrote_down_is_refused(list_file: Path) -> None:
    told = run("check", list_file, "--mapping", "genetec", "--law", "us-xx")
    assert told.exit_code == 1
    assert "us-nm" in told.stderr


def test_the_token_never_travels_in_the_clear_to_another_machine(list_file: Path) -> None:
    told = run(
        "import", list_file, "--list", "state", "--mapping", EXAMPLES / "comma-with-header.yaml",
        "--node", "http://198.51.100.7:8700", "--token-file", list_file,
    )  # fmt: skip
    assert told.exit_code == 1
    assert "https://" in told.stderr


def test_a_node_that_is_not_there_is_told_with_what_to_do(list_file: Path) -> None:
    told = run("show", "--node", "http://127.0.0.1:1", "--token-file", list_file)
    assert told.exit_code == 1
    assert "farolito run" in told.stderr


def test_a_token_that_cannot_be_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    told = run("show", FAROLITO_ADMIN_TOKEN_FILE=str(tmp_path / "absent.token"))
    assert told.exit_code == 1
    assert "--token-file" in told.stderr
