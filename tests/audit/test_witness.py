from __future__ import annotations

import pytest

from farolito.audit import Answer, Note, Seen, SigningKey, Witness
from farolito.audit.tree import consistency_ranges, hashes_of
from farolito.audit.witness import write_request
from tests.audit.ledger_builders import LOG, START, WITNESS, Log

ORIGIN = LOG.verifier.name


@pytest.fixture
def seen() -> dict[str, Seen]:
    return {}


@pytest.fixture
def witness(seen: dict[str, Seen]) -> Witness:
    return Witness(WITNESS, {ORIGIN: [LOG.verifier]}, seen)


def ask(witness: Witness, log: Log, old: int, size: int) -> Answer:
    proof = hashes_of(consistency_ranges(min(old, size), size), log.node)
    return witness.add_checkpoint(write_request(old, proof, log.checkpoint(size)), START)


def test_a_log_that_grows_is_cosigned_each_time(witness: Witness, seen: dict[str, Seen]) -> None:
    log = Log(9)
    for old, size in [(0, 4), (4, 4), (4, 9)]:
        answer = ask(witness, log, old, size)
        assert answer.status == 200
        cosigned = Note.parse(log.checkpoint(size) + answer.body)
        assert WITNESS.verifier in cosigned.signed_by([WITNESS.verifier])
        assert cosigned.signatures[-1].at_s == int(START.timestamp())
    assert seen[ORIGIN].size == 9


def test_an_unknown_log_is_not_found(seen: dict[str, Seen]) -> None:
    assert ask(Witness(WITNESS, {}, seen), Log(2), 0, 2).status == 404
    assert seen == {}


def test_a_checkpoint_without_a_trusted_signature_is_forbidden(seen: dict[str, Seen]) -> None:
    forger = SigningKey(ORIGIN, bytes(32))
    assert ask(Witness(WITNESS, {ORIGIN: [forger.verifier]}, seen), Log(2), 0, 2).status == 403
    assert seen == {}


def test_an_old_size_beyond_the_checkpoint_is_a_bad_request(witness: Witness) -> None:
    assert ask(witness, Log(5), 5, 3).status == 400


def test_an_old_size_that_is_not_the_latest_conflicts_and_tells_the_latest(
    witness: Witness,
) -> None:
    log = Log(9)
    ask(witness, log, 0, 5)
    answer = ask(witness, log, 3, 9)
    assert (answer.status, answer.body) == (409, b"5\n")
    assert answer.content_type == "text/x.tlog.size"


def test_another_root_at_the_same_size_conflicts(witness: Witness, seen: dict[str, Seen]) -> None:
    ask(witness, Log(5), 0, 5)
    before = dict(seen)
    assert ask(witness, Log(5, seed=70), 5, 5).status == 409
    assert seen == before


def test_a_rewritten_history_is_not_cosigned(witness: Witness, seen: dict[str, Seen]) -> None:
    ask(witness, Log(5), 0, 5)
    before = dict(seen)
    assert ask(witness, Log(9, seed=70), 5, 9).status == 422
    assert seen == before


def test_a_proof_from_nothing_must_be_empty(witness: Witness) -> None:
    log = Log(4)
    request = write_request(0, log.leaves[:1], log.checkpoint())
    assert witness.add_checkpoint(request, START).status == 422


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n" + Log(1).checkpoint(),
        b"new 0\n\n" + Log(1).checkpoint(),
        b"old 0\nAAAA\n\n" + Log(1).checkpoint(),
        b"old 0\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n",
        b"old 0\n\nno note",
        b"\xff\n\n",
        b"old 0\n\n" + b"x" * 70_000,
    ],
)
def test_a_malformed_request_is_a_bad_request(witness: Witness, request_: bytes) -> None:
    assert witness.add_checkpoint(request_, START).status == 400


def test_nothing_is_cosigned_before_it_is_recorded() -> None:
    class FullDisk(dict[str, Seen]):
        def __setitem__(self, origin: str, seen: Seen) -> None:
            raise OSError("no space left")

    witness = Witness(WITNESS, {ORIGIN: [LOG.verifier]}, FullDisk())
    with pytest.raises(OSError, match="no space"):
        ask(witness, Log(2), 0, 2)
