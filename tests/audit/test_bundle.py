from __future__ import annotations

import io
import tarfile
from base64 import b64encode
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.audit import SigningKey, Verdict, verify
from farolito.audit import archive as archive_
from farolito.audit.bundle import lines as joined
from farolito.audit.bundle import manifest_text, write
from farolito.audit.tree import leaf_hash
from farolito.audit.verify import PROBLEMS_MAX
from tests.audit.ledger_builders import LOG, SECOND_WITNESS, WITNESS, Log

LOG_OF_SEVEN = Log(7)
SMALL = LOG_OF_SEVEN.bundle()


def refused(raw: bytes) -> Verdict:
    verdict = verify(raw, LOG.verifier)
    assert not verdict.ok, "a changed bundle verified"
    assert verdict.problems
    return verdict


def repacked(change: Callable[[dict[str, bytes]], None], raw: bytes = SMALL) -> bytes:
    """The bundle with changed members and a manifest signed anew: what an insider can make."""
    members = dict(archive_.read(raw))
    change(members)
    others = [(name, content) for name, content in members.items() if name != "manifest"]
    count = members["entries.jsonl"].count(b"\n")
    size, first = (int(line.split()[1]) for line in members["range"].decode().split("\n")[1:3])
    text = manifest_text(size, first, count, others)
    members["manifest"] = f"{text}\n{LOG.sign(text)}".encode()
    return archive_.write(members.items())


@pytest.mark.parametrize(("first", "end"), [(0, 7), (0, 0), (3, 3), (2, 5), (6, 7), (0, 4), (4, 7)])
def test_a_range_verifies_against_the_whole_log_s_checkpoint(first: int, end: int) -> None:
    verdict = verify(LOG_OF_SEVEN.bundle(first, end), LOG.verifier)
    assert verdict.problems == ()
    assert verdict.ok
    assert (verdict.size, verdict.first, verdict.entries) == (7, first, end - first)
    assert verdict.witnesses == (WITNESS.verifier.name, SECOND_WITNESS.verifier.name)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_range_of_any_log_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 40))
    first = data.draw(st.integers(0, size))
    end = data.draw(st.integers(first, size))
    verdict = verify(Log(size).bundle(first, end), LOG.verifier)
    assert verdict.problems == ()
    assert verdict.ok


def test_every_byte_of_a_bundle_counts() -> None:
    """Exhaustive: each byte of a small bundle, changed in one bit."""
    raw = bytearray(Log(2).bundle(earlier=[]))
    for at in range(len(raw)):
        raw[at] ^= 1 << (at % 8)
        assert not verify(bytes(raw), LOG.verifier).ok, f"byte {at}"
        raw[at] ^= 1 << (at % 8)


@settings(deadline=None, max_examples=300)
@given(at=st.integers(0, len(SMALL) - 1), to=st.integers(0, 255))
def test_a_changed_byte_is_caught(at: int, to: int) -> None:
    changed = SMALL[:at] + bytes([to]) + SMALL[at + 1 :]
    assert changed == SMALL or refused(changed)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, len(SMALL) - 1))
def test_a_cut_file_is_caught(length: int) -> None:
    refused(SMALL[:length])


@settings(deadline=None, max_examples=100)
@given(st.integers(0, len(SMALL)), st.binary(min_size=1, max_size=600))
def test_bytes_put_in_are_caught(at: int, more: bytes) -> None:
    refused(SMALL[:at] + more + SMALL[at:])


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=3000))
def test_noise_never_crashes_the_verifier(raw: bytes) -> None:
    refused(raw)


MEMBERS = [name for name, _ in archive_.read(SMALL)]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(MEMBERS), st.binary(max_size=300))
def test_a_member_of_noise_never_crashes_the_verifier(name: str, noise: bytes) -> None:
    members = dict(archive_.read(SMALL))
    members[name] = noise
    refused(archive_.write(members.items()))


def test_a_deeply_nested_entry_is_a_problem_and_no_crash() -> None:
    nested = b"[" * 50_000

    def change(members: dict[str, bytes]) -> None:
        members["entries.jsonl"] = nested + b"\n"
        members["openings.jsonl"] = nested + b"\n"

    assert any("not JSON" in p for p in refused(repacked(change)).problems)


def _entry_lines(raw: bytes) -> list[bytes]:
    return dict(archive_.read(raw))["entries.jsonl"].split(b"\n")[:-1]


def _with_entries(lines: Sequence[bytes]) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["entries.jsonl"] = joined(lines)
        members["leaves"] = joined(b64encode(leaf_hash(line)) for line in lines)

    return change


@pytest.mark.parametrize(("first", "end"), [(0, 7), (2, 6)])
def test_an_insider_with_the_log_s_key_cannot_change_a_cosigned_history(
    first: int, end: int
) -> None:
    """Leaf hashes and manifest are made anew; only the cosigned root stands against it."""
    raw = LOG_OF_SEVEN.bundle(first, end, earlier=[], openings=[])
    lines = _entry_lines(raw)
    stranger = Log(1, seed=99).entries[0]
    changed: list[list[bytes]] = []
    for at in range(len(lines)):
        changed.append([*lines[:at], *lines[at + 1 :]])
        changed.append([*lines[:at], stranger, *lines[at + 1 :]])
        changed.append([*lines[:at], stranger, *lines[at:]])
        changed.append([*lines[:at], lines[at], *lines[at:]])
        changed += [
            [*lines[:at], lines[other], *lines[at + 1 : other], lines[at], *lines[other + 1 :]]
            for other in range(at + 1, len(lines))
        ]
    changed.append([*lines, stranger])
    for edited in changed:
        refused(repacked(_with_entries(edited), raw))


def test_an_entry_changed_on_the_way_is_named() -> None:
    def change(members: dict[str, bytes]) -> None:
        members["entries.jsonl"] = members["entries.jsonl"].replace(b'"count":4', b'"count":5')

    assert "entry 4 does not fit its hash" in refused(repacked(change)).problems


@pytest.mark.parametrize("line", range(4, 7))
def test_a_changed_hash_of_the_range_is_caught_though_the_manifest_fits(line: int) -> None:
    raw = LOG_OF_SEVEN.bundle(3, 5)

    def change(members: dict[str, bytes]) -> None:
        told = members["range"].split(b"\n")
        told[line] = bytes([told[line][0] ^ 1]) + told[line][1:]
        members["range"] = b"\n".join(told)

    refused(repacked(change, raw))


def test_an_earlier_checkpoint_of_another_history_is_caught() -> None:
    other = Log(7, seed=50)
    earlier = [(4, other.checkpoint(4))]
    verdict = refused(LOG_OF_SEVEN.bundle(earlier=earlier))
    assert verdict.problems == ("the checkpoint of size 4 is of another history",)


def test_an_earlier_checkpoint_outside_the_range_is_caught() -> None:
    raw = LOG_OF_SEVEN.bundle(0, 3, earlier=[(5, LOG_OF_SEVEN.checkpoint(5))])
    assert refused(raw).problems == ("the checkpoint of size 5 lies outside this range",)


def test_checkpoints_out_of_order_are_caught() -> None:
    earlier = [(5, LOG_OF_SEVEN.checkpoint(5)), (4, LOG_OF_SEVEN.checkpoint(4))]
    refused(LOG_OF_SEVEN.bundle(earlier=earlier))


def test_a_cosignature_in_an_unlisted_name_is_caught() -> None:
    stranger = LOG_OF_SEVEN.checkpoint(witnesses=[WITNESS, SECOND_WITNESS])
    refused(LOG_OF_SEVEN.bundle(checkpoint=stranger, witnesses=[WITNESS.verifier]))


def test_a_bundle_of_another_log_is_caught() -> None:
    forger = SigningKey(LOG.verifier.name, bytes(32))
    forged = write(LOG_OF_SEVEN.contents(), forger)
    refused(forged)


def test_without_a_key_the_reader_is_told_to_compare_the_fingerprint() -> None:
    verdict = verify(SMALL)
    assert verdict.ok
    assert any(LOG.verifier.fingerprint in note for note in verdict.notes)
    assert not any("taken from the bundle" in note for note in verify(SMALL, LOG.verifier).notes)


def test_a_witness_that_the_reader_insists_on_must_have_cosigned() -> None:
    alone = LOG_OF_SEVEN.bundle(checkpoint=LOG_OF_SEVEN.checkpoint(), witnesses=[], earlier=[])
    assert verify(alone, LOG.verifier).ok
    assert not verify(alone, LOG.verifier, [WITNESS.verifier]).ok
    assert verify(SMALL, LOG.verifier, [WITNESS.verifier]).ok


def test_an_opening_that_does_not_fit_is_caught_though_the_manifest_fits() -> None:
    def change(members: dict[str, bytes]) -> None:
        members["openings.jsonl"] = members["openings.jsonl"].replace(b"BKX291", b"BKX297", 1)

    problems = refused(repacked(change)).problems
    assert problems == ("the opening of 'query' in entry 0 does not fit it",)


def test_a_bundle_without_openings_verifies_and_tells_no_personal_value() -> None:
    raw = LOG_OF_SEVEN.bundle(openings=[])
    assert verify(raw, LOG.verifier).ok
    assert all(value not in raw for value in (b"Ana Ortiz", b"BKX291", b"26-1187"))


def test_any_tar_program_opens_a_bundle() -> None:
    with tarfile.open(fileobj=io.BytesIO(SMALL)) as opened:
        names = opened.getnames()
        entries = opened.extractfile("entries.jsonl")
        assert entries is not None
        assert entries.read().split(b"\n")[:-1] == LOG_OF_SEVEN.entries
    assert names == MEMBERS


def test_many_problems_are_counted_and_not_all_told() -> None:
    raw = Log(200).bundle(earlier=[], openings=[])

    def change(members: dict[str, bytes]) -> None:
        members["entries.jsonl"] = members["entries.jsonl"].replace(
            b'"act":"read"', b'"act":"live"'
        )

    problems = refused(repacked(change, raw)).problems
    assert len(problems) == PROBLEMS_MAX + 1
    assert problems[-1].startswith("and ")
