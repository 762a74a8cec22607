from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farolito.audit import SigningKey
from farolito.cli.audit import app
from farolito.model import FarolitoError
from tests.audit.ledger_builders import LOG, SECOND_WITNESS, WITNESS, Log


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "april.farolito-ledger"
    path.write_bytes(Log(5).bundle())
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["verify", *map(str, words)])


def test_a_good_bundle_is_told_in_one_json_document(bundle: Path) -> None:
    result = run(bundle, "--json", "--key", str(LOG.verifier))
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["ok"] is True
    assert told["size"] == 5
    assert told["problems"] == []
    assert told["witnesses"] == [WITNESS.verifier.name, SECOND_WITNESS.verifier.name]


def test_a_changed_bundle_ends_with_status_1(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes().replace(b'"count":3', b'"count":4'))
    result = run(bundle, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert "entry 3 does not fit its hash" in told["problems"]


def test_an_empty_file_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    result = run(tmp_path / "empty", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"]


def test_a_person_reads_what_to_compare(bundle: Path) -> None:
    result = run(bundle)
    assert result.exit_code == 0
    assert "OK: entries 0 to 4 of 5" in result.stdout
    assert LOG.verifier.fingerprint in result.stdout


def test_the_key_may_stand_in_a_file(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "log.key").write_text(f"{LOG.verifier}\n")
    assert run(bundle, "--key", tmp_path / "log.key").exit_code == 0


def test_another_log_s_key_does_not_pass(bundle: Path) -> None:
    other = SigningKey(LOG.verifier.name, bytes(32)).verifier
    assert run(bundle, "--key", str(other)).exit_code == 1


def test_a_witness_asked_for_must_have_cosigned(bundle: Path) -> None:
    absent = SigningKey("council.example/witness", bytes(32), 4).verifier
    assert run(bundle, "--witness", str(WITNESS.verifier)).exit_code == 0
    assert run(bundle, "--witness", str(absent)).exit_code == 1


def test_what_is_no_key_says_what_one_looks_like(bundle: Path) -> None:
    result = run(bundle, "--key", "nonsense")
    assert isinstance(result.exception, FarolitoError)
    assert "name+1a2b3c4d+" in result.exception.do
