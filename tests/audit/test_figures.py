from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from farolito.audit import Checkpoint, Note, Proof, archive, seal
from farolito.audit.figures import Figure, Figures, Tally, pack, parse, time_of
from farolito.audit.panel import Panel
from farolito.audit.tree import hashes_of, inclusion_ranges
from farolito.audit.verify_figures import is_figures, verify_figures
from farolito.cli.audit import app
from farolito.model import Act, AgencyId, Invalid, Purpose, Role, Thing
from tests.audit.ledger_builders import (
    CITY,
    LOG,
    SECOND_WITNESS,
    START,
    WITNESS,
    Log,
    chance,
    entry,
)

SHERIFF = AgencyId("county-so")
SEARCHES = {"act": "read", "thing": "plate_read"}


class Counted(Log):
    """A ledger of searches whose last entry fixes the figures over all before it."""

    def __init__(self, **changes: Any) -> None:
        kinds: list[dict[str, Any]] = [
            *[{"purpose": Purpose.CRIMINAL_INVESTIGATION}] * 7,
            *[{"purpose": Purpose.MISSING_PERSON, "agency": SHERIFF}] * 6,
            {"decision": "refusal", "reason": "immigration"},
            {"thing": Thing.ALERT, "at": START - timedelta(days=400)},
        ]
        raw = [seal(entry(**kind), chance(n)).raw for n, kind in enumerate(kinds)]
        tally = Tally(time_of(START), time_of(START + timedelta(days=365)))
        tally.add(raw)
        own = {**SEARCHES, "decision": "permit"}
        fields: dict[str, Any] = {
            "agency": CITY,
            "since": time_of(START),
            "until": time_of(START + timedelta(days=365)),
            "first": 0,
            "end": len(raw),
            "figures": (
                Figure("searches", own, tally.value(own)),
                Figure("searches of others", {**own, "agency": SHERIFF}, 6),
                Figure("records opened", own, tally.value(own, "count"), "count"),
                Figure("refused", {"decision": "refusal"}, None),
                Figure("urgent", {**own, "purpose": ("missing_person", "officer_safety")}, 6),
            ),
            "told": {"plate readers": 12},
        }
        self.figures = Figures(**{**fields, **changes})
        self.document = self.figures.document()
        fixing = entry(
            act=Act.EXPORT, thing=Thing.REPORT, actor_role=Role.SUPERVISOR,
            fixes=sha256(self.document).hexdigest(),
        )  # fmt: skip
        self.entries = [*raw, seal(fixing, chance(99)).raw]
        self.openings = [()] * len(self.entries)

    def file(self) -> bytes:
        index, size = len(self.entries) - 1, len(self.entries)
        witnesses = [WITNESS, SECOND_WITNESS]
        hashes = tuple(hashes_of(inclusion_ranges(index, size), self.node))
        proof = Proof(index, hashes, self.checkpoint(witnesses=witnesses)).encode()
        keys = [witness.verifier for witness in witnesses]
        return pack(self.document, self.entries[index], proof, LOG.verifier, keys)


COUNTED = Counted()
FILE = COUNTED.file()
PANEL = Panel.parse(
    f"{LOG.verifier} city\n{WITNESS.verifier} tribal\n{SECOND_WITNESS.verifier} county\n"
)


def test_figures_prove_themselves_and_can_be_counted_anew() -> None:
    verdict = verify_figures(FILE, LOG.verifier, panel=PANEL, bundles=[COUNTED.bundle()])
    assert verdict.problems == ()
    assert verdict.recounted == 4, "all but the one withheld"
    assert verdict.witnesses == (WITNESS.verifier.name, SECOND_WITNESS.verifier.name)
    assert verdict.figures is not None
    assert [f.value for f in verdict.figures.figures] == [13, 6, 39, None, 6]


def test_the_ledger_may_come_in_pieces() -> None:
    pieces = [COUNTED.bundle(9, 16), COUNTED.bundle(0, 5), COUNTED.bundle(4, 11)]
    assert verify_figures(FILE, LOG.verifier, bundles=pieces).recounted == 4
    lacking = verify_figures(FILE, LOG.verifier, bundles=pieces[:2])
    assert lacking.problems == ("the bundles do not hold the entries 5 to 14",)


def test_a_false_figure_is_named_though_the_ledger_fixed_it() -> None:
    wrong = Figure("searches", {**SEARCHES, "decision": "permit"}, 12)
    liar = Counted(figures=(wrong, Figure("refused", {"decision": "refusal"}, 1)))
    assert verify_figures(liar.file(), LOG.verifier).ok, "nobody has counted"
    verdict = verify_figures(liar.file(), LOG.verifier, bundles=[liar.bundle()])
    assert verdict.problems == ("searches is 13 in the entries, not 12",)


def test_entries_of_another_time_are_not_counted() -> None:
    tally = Tally(time_of(START), time_of(START + timedelta(seconds=1)))
    times = [START - timedelta(milliseconds=1), START, START + timedelta(seconds=1)]
    tally.add(seal(entry(at=at), chance(1)).raw for at in times)
    assert tally.value({}) == 1


def test_every_byte_of_a_file_of_figures_counts() -> None:
    raw = bytearray(FILE)
    for at in range(len(raw)):
        raw[at] ^= 1 << (at % 8)
        assert not verify_figures(bytes(raw), LOG.verifier, panel=PANEL).ok, f"byte {at}"
        raw[at] ^= 1 << (at % 8)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([name for name, _ in archive.read(FILE)]), st.binary(max_size=300))
def test_a_member_of_noise_never_crashes(name: str, noise: bytes) -> None:
    members = dict(archive.read(FILE))
    members[name] = noise
    assert not verify_figures(archive.write(members.items()), LOG.verifier).ok


def test_other_figures_under_the_same_proof_are_refused() -> None:
    better = msgspec.structs.replace(COUNTED.figures, told={"plate readers": 3}).document()
    members = dict(archive.read(FILE)) | {"figures.json": better}
    verdict = verify_figures(archive.write(members.items()), LOG.verifier)
    assert verdict.problems == ("the ledger's entry does not fix these figures",)
    with pytest.raises(Invalid, match="other figures"):
        pack(better, members["entry.json"], members["proof"], LOG.verifier)


def test_figures_cannot_speak_of_entries_after_them_or_of_another_agency() -> None:
    late = Counted(end=900).file()
    assert verify_figures(late, LOG.verifier).problems == (
        "the figures speak of entries that came after them",
    )
    assert not verify_figures(Counted(agency=SHERIFF).file(), LOG.verifier).ok


@pytest.mark.parametrize(
    "wrong",
    [
        {"figures": [{"name": "a", "where": {"user": "x"}, "value": 1, "adds": "entries"}]},
        {"figures": [{"name": "a", "where": {}, "value": 1.5, "adds": "entries"}]},
        {"figures": [{"name": "a", "where": {}, "value": 1, "adds": "ori"}]},
        {"figures": [{"name": "a", "where": {}, "value": 1, "adds": "entries"}] * 2},
        {"since": "2026"},
        {"first": 9, "end": 3},
        {"more": 1},
    ],
)
def test_what_is_no_document_of_figures_is_refused(wrong: dict[str, Any]) -> None:
    body = {**msgspec.to_builtins(COUNTED.figures), **wrong}
    raw = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(Invalid):
        parse(raw)


def test_pymerkle_comes_to_the_same_root_and_takes_the_proof() -> None:
    """An implementation that shares no line with ours."""
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for raw in COUNTED.entries:
        theirs.append_entry(raw)
    proof = Proof.parse(dict(archive.read(FILE))["proof"])
    checkpoint = Checkpoint.parse(Note.parse(proof.checkpoint))
    assert theirs.get_root(checkpoint.size) == checkpoint.root
    for old, new in [(3, 16), (8, 16), (15, 16)]:
        told = theirs.prove_consistency(old, new)
        pymerkle.verify_consistency(theirs.get_root(old), checkpoint.root, told)
    told = theirs.prove_inclusion(proof.index + 1, checkpoint.size)
    pymerkle.verify_inclusion(theirs.get_leaf(proof.index + 1), checkpoint.root, told)
    assert {hash_.hex() for hash_ in proof.hashes} <= set(told.serialize()["path"])


def test_the_command_tells_figures_from_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "year.farolito-figures").write_bytes(FILE)
    (tmp_path / "all.farolito-ledger").write_bytes(COUNTED.bundle())
    (tmp_path / "witnesses").write_text(
        f"{LOG.verifier} city\n{WITNESS.verifier} tribal\n{SECOND_WITNESS.verifier} county\n"
    )
    words = [str(tmp_path / "year.farolito-figures"), "--witness", str(tmp_path / "witnesses")]
    recount = ["--recount", str(tmp_path / "all.farolito-ledger")]
    result = CliRunner().invoke(app, ["verify", *words, *recount, "--json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], told["recounted"]) == (0, True, 4)
    assert (
        told["root"] == b64encode(Checkpoint.parse(Note.parse(COUNTED.checkpoint())).root).decode()
    )
    spoken = CliRunner().invoke(app, ["verify", *words])
    assert "searches: 13" in spoken.stdout
    assert "refused: withheld" in spoken.stdout
    assert is_figures(FILE)
    assert not is_figures(COUNTED.bundle())
