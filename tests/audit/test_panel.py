from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farolito.audit import SigningKey, verify
from farolito.audit.note import COSIGNS
from farolito.audit.panel import Panel
from farolito.cli.audit import app
from farolito.model import FarolitoError, Invalid
from tests.audit.ledger_builders import LOG, SECOND_WITNESS, WITNESS, Log

FILE = f"""# published by the state's auditor
{LOG.verifier} city
{WITNESS.verifier} tribal
{SECOND_WITNESS.verifier} county
"""


def problems(text: str = FILE, least: int = 2, witnesses: tuple[SigningKey, ...] = ()) -> list[str]:
    log = Log(3)
    raw = log.bundle(checkpoint=log.checkpoint(witnesses=witnesses),
                     witnesses=[w.verifier for w in witnesses], earlier=[])  # fmt: skip
    return list(verify(raw, LOG.verifier, panel=Panel.parse(text, least)).problems)


def test_two_witnesses_one_of_another_government_suffice() -> None:
    assert problems(witnesses=(WITNESS, SECOND_WITNESS)) == []


def test_one_witness_does_not_suffice() -> None:
    assert problems(witnesses=(WITNESS,)) == [
        "the checkpoint: 1 of the witnesses that you named cosigned it; 2 must have"
    ]


def test_two_witnesses_of_the_log_s_own_government_do_not_suffice() -> None:
    text = FILE.replace(" tribal", " city").replace(" county", " city")
    assert problems(text, witnesses=(WITNESS, SECOND_WITNESS)) == [
        "the checkpoint: no witness of another government than city cosigned it"
    ]


def test_a_witness_of_whom_the_file_knows_nothing_counts_for_nothing() -> None:
    """Whoever makes a log can make a hundred witnesses for it."""
    stranger = SigningKey("stranger/witness", bytes(range(9, 41)), COSIGNS)
    assert "1 of the witnesses" in problems(witnesses=(WITNESS, stranger))[0]


def test_more_may_be_asked_for() -> None:
    assert "3 must have" in problems(least=3, witnesses=(WITNESS, SECOND_WITNESS))[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{WITNESS.verifier} tribal\n",
        f"{LOG.verifier}\n{WITNESS.verifier} tribal\n",
        f"{LOG.verifier} city\n{LOG.verifier} city\n",
        f"{LOG.verifier} city\nnonsense tribal\n",
    ],
)
def test_a_file_that_names_no_ledger_or_no_government_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Panel.parse(text)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["verify", *map(str, words)])


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    path = tmp_path / "witnesses"
    path.write_text(FILE)
    return path


def test_the_command_takes_the_file_and_the_ledger_s_key_from_it(
    panel: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_bytes(Log(5).bundle())
    assert run(bundle, "--witness", panel, "--json").exit_code == 0
    alone = Log(5)
    bundle.write_bytes(alone.bundle(checkpoint=alone.checkpoint(), witnesses=[], earlier=[]))
    result = run(bundle, "--witness", panel, "--json")
    assert result.exit_code == 1
    assert "2 must have" in json.loads(result.stdout)["problems"][0]


def test_a_file_and_a_key_of_two_ledgers_are_refused(panel: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_bytes(Log(5).bundle())
    other = SigningKey(LOG.verifier.name, bytes(32)).verifier
    result = run(bundle, "--witness", panel, "--key", str(other))
    assert isinstance(result.exception, FarolitoError)
