from __future__ import annotations

import pytest

from farolito.audit import Checkpoint, Note, Proof, SigningKey, VerifierKey
from farolito.audit.tree import hashes_of, inclusion_ranges
from farolito.model import Invalid
from tests.audit.ledger_builders import LOG, WITNESS, Log

# The key and signed message of the note format's first implementation (golang.org/x/mod).
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
MESSAGE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
)
SALVATORE = (
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMou"
    "FSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def test_the_known_note_verifies_under_its_key() -> None:
    key = VerifierKey.parse(NEUMANN)
    assert Note.parse(MESSAGE.encode()).signed_by([key]) == [key]


def test_a_changed_note_is_refused() -> None:
    key = VerifierKey.parse(NEUMANN)
    with pytest.raises(Invalid, match="false signature"):
        Note.parse(MESSAGE.replace("answer", "Answer").encode()).signed_by([key])


def test_text_and_signatures_part_at_the_last_blank_line() -> None:
    note = Note.parse(SALVATORE.encode())
    assert note.text.endswith("\n\ned è subito sera.\n")
    assert [s.name for s in note.signatures] == ["quasimodo.example/salvatore"]


def test_unknown_keys_say_nothing() -> None:
    assert Note.parse(SALVATORE.encode()).signed_by([VerifierKey.parse(NEUMANN)]) == []


@pytest.mark.parametrize(
    "text",
    [
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("Peter", "Paul"),
        NEUMANN[:-1] + "X",
        "PeterNeumann+c74f20a3",
        "a+b+",
        "",
    ],
)
def test_a_damaged_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no signatures\n",
        b"text\n\n",
        b"text\n\n- dash AAAA\n",
        b"tab\there\n\n" + "— a AAAAAAA=\n".encode(),
        b"\xff\n\n" + "— a AAAAAAA=\n".encode(),
        "text\n\n— two names AAAAAAA=\n".encode(),
        "text\n\n— name AAAAAAB=\n".encode(),  # base64 with spare bits set
    ],
)
def test_what_is_no_note_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        Note.parse(raw)


def test_a_signing_key_survives_its_text_and_does_not_print_its_secret() -> None:
    again = SigningKey.from_secret_text(LOG.secret_text())
    assert again.verifier == LOG.verifier
    assert LOG.secret_text()[-20:] not in repr(LOG)


def test_a_cosignature_binds_its_time() -> None:
    raw = Log(3).checkpoint(witnesses=[WITNESS])
    note = Note.parse(raw)
    assert set(note.signed_by([LOG.verifier, WITNESS.verifier])) == {LOG.verifier, WITNESS.verifier}
    cosigned = note.signatures[1]
    later = (cosigned.at_s + 1).to_bytes(8, "big") + cosigned.signature[8:]
    assert WITNESS.verifier.signed(note.text, cosigned.signature)
    assert not WITNESS.verifier.signed(note.text, later)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n1\nAAAA\n",
        "origin\n٣\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)
def test_a_note_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Checkpoint.parse(Note(text, ()))


def test_a_proof_file_holds_for_its_entry_alone() -> None:
    log = Log(11)
    hashes = tuple(hashes_of(inclusion_ranges(6, 11), log.node))
    raw = Proof(6, hashes, log.checkpoint(witnesses=[WITNESS])).encode()
    proof = Proof.parse(raw)
    assert proof.encode() == raw
    assert proof.problems(log.entries[6], LOG.verifier, [WITNESS.verifier]) == []
    assert proof.problems(log.entries[5], LOG.verifier) != []
    assert Proof(6, hashes, log.checkpoint()).problems(
        log.entries[6], LOG.verifier, [WITNESS.verifier]
    ) == ["pueblo.example/witness did not cosign"]


def test_extra_in_a_proof_file_is_passed_over() -> None:
    raw = Proof(0, (), Log(1).checkpoint()).encode()
    with_extra = raw.replace(b"index", b"extra AAAA\nindex", 1)
    assert Proof.parse(with_extra) == Proof.parse(raw)
