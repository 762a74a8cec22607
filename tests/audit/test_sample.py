from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farolito.audit import Note
from farolito.audit.sample import draw, drawn_by, seed_of
from farolito.cli.audit import app
from farolito.model import FarolitoError, Invalid
from tests.audit.ledger_builders import SECOND_WITNESS, WITNESS, Log


def test_the_draw_is_what_docs_say() -> None:
    """Anybody can do it with a dozen lines of any language; these are they."""
    checkpoint = Log(40).checkpoint()
    text = checkpoint.decode().rpartition("\n\n")[0] + "\n"
    seed = sha256(b"farolito-sample/v1\n" + text.encode()).digest()
    expected: set[int] = set()
    k = 0
    while len(expected) < 5:
        number = int.from_bytes(sha256(seed + k.to_bytes(8, "big")).digest()[:8], "big")
        expected.add(number % 30)  # 2^64 mod 30 leaves 16 numbers of 2^64 out: none of these
        k += 1
    assert draw(seed_of(Note.parse(checkpoint)), 0, 30, 5) == sorted(expected)


def test_every_entry_is_as_likely_as_any_other() -> None:
    drawn = Counter(i for n in range(2_000) for i in draw(n.to_bytes(4, "big"), 10, 20, 3))
    assert sorted(drawn) == list(range(10, 20))
    assert all(500 < count < 700 for count in drawn.values()), drawn


def test_different_entries_are_drawn_each_once() -> None:
    assert draw(b"x", 0, 50, 49) == sorted(set(draw(b"x", 0, 50, 49)))
    assert draw(b"x", 3, 6, 3) == draw(b"x", 3, 6, 99) == [3, 4, 5]
    assert draw(b"x", 3, 3, 1) == []
    with pytest.raises(Invalid):
        draw(b"x", 3, 2, 1)


def test_the_first_checkpoint_after_the_entries_draws_them() -> None:
    log = Log(40)
    notes = [log.checkpoint(size) for size in (40, 10, 31, 30)]
    assert drawn_by(notes, 0, 30, 4) == (
        31,
        draw(seed_of(Note.parse(log.checkpoint(31))), 0, 30, 4),
    )
    with pytest.raises(Invalid, match="signed the next"):
        drawn_by(notes, 0, 40, 4)


def test_a_witness_s_cosignature_draws_what_the_log_could_not_choose() -> None:
    note = Note.parse(Log(40).checkpoint(witnesses=[WITNESS]))
    assert seed_of(note, WITNESS.verifier) != seed_of(note)
    with pytest.raises(Invalid, match="did not cosign"):
        seed_of(note, SECOND_WITNESS.verifier)


def test_the_command_draws_from_a_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_bytes(Log(20).bundle())

    def run(*words: str) -> tuple[int, str, BaseException | None]:
        result = CliRunner().invoke(app, ["sample", str(bundle), *words])
        return result.exit_code, result.stdout, result.exception

    status, out, _ = run("--before", "12", "--count", "4", "--json")
    told = json.loads(out)
    assert (status, told["drawn_by"], len(told["entries"])) == (0, 13, 4)
    assert run("--before", "12", "--count", "4")[1].split() == [str(i) for i in told["entries"]]
    assert json.loads(run("--before", "12", "--by", str(WITNESS.verifier), "--json")[1])["entries"]
    assert isinstance(run("--before", "20")[2], FarolitoError)
    bundle.write_bytes(bundle.read_bytes().replace(b'"count":3', b'"count":4'))
    assert run("--before", "12")[0] == 1
