"""Checking a bundle offline: no database, no network, no trust in the one who handed it over.

Every byte of a bundle is bound twice. By the log's signature on the manifest, so that nothing can
be changed on the way; and, for entries and checkpoints, by the tree's root in a checkpoint that
witnesses of other governments have cosigned, so that the log itself cannot change them either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from farolito.audit import archive
from farolito.audit.bundle import (
    FIXED_MEMBERS,
    RANGE_LINE,
    README,
    IndexedOpening,
    manifest_text,
)
from farolito.audit.checkpoint import Checkpoint, decimal
from farolito.audit.entry import Opening, commitment_in, read
from farolito.audit.note import COSIGNS, SIGNS_TEXT, Note, VerifierKey, base64_exactly
from farolito.audit.panel import Panel
from farolito.audit.tree import HASH_BYTES, Frontier, leaf_hash, nodes_of
from farolito.model import Invalid

PROBLEMS_MAX = 50  # told one by one; the rest is counted


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`size` and `root` (base64) are what the log signed; `witnesses` cosigned just that.

    `problems` is empty exactly when `ok`. `notes` say what the reader must still see to.
    """

    ok: bool
    size: int
    root: str
    witnesses: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    first: int = 0
    entries: int = 0


class _Findings:
    """Collects, so that one damage does not hide the next."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._untold = 0

    def problem(self, says: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(says)
        else:
            self._untold += 1

    def all(self) -> tuple[str, ...]:
        more = [f"and {self._untold} more"] if self._untold else []
        return (*self.problems, *more)


class _Bundle(msgspec.Struct, frozen=True):
    """A bundle taken apart; nothing in it is believed yet."""

    members: dict[str, bytes]
    order: tuple[str, ...]

    @classmethod
    def parse(cls, raw: bytes) -> _Bundle:
        listed = archive.read(raw)
        members = dict(listed)
        order = tuple(name for name, _ in listed)
        earlier = [name for name in order if name.startswith("checkpoints/")]
        if order != (*FIXED_MEMBERS[:5], *earlier, *FIXED_MEMBERS[5:]):
            raise Invalid("the bundle's members are not the ones it must have, in their order")
        if len(members) != len(order):
            raise Invalid("the bundle has a member twice")
        return cls(members, order)

    def lines(self, name: str) -> list[bytes]:
        raw = self.members[name]
        if raw and not raw.endswith(b"\n"):
            raise Invalid(f"{name} does not end its last line")
        return raw.split(b"\n")[:-1]

    def text_lines(self, name: str) -> list[str]:
        try:
            return [line.decode("ascii") for line in self.lines(name)]
        except UnicodeDecodeError as error:
            raise Invalid(f"{name} is not plain text") from error


class _Range(msgspec.Struct, frozen=True):
    size: int
    first: int
    end: int
    left: tuple[bytes, ...]
    right: tuple[bytes, ...]

    @classmethod
    def parse(cls, told: Sequence[str]) -> _Range:
        if len(told) < 4 or told[0] != RANGE_LINE:
            raise Invalid("range does not say which entries it joins")
        names = ("size ", "first ", "end ")
        if not all(line.startswith(name) for line, name in zip(told[1:4], names, strict=True)):
            raise Invalid("range does not say which entries it joins")
        size, first, end = (decimal(line.split(" ", 1)[1]) for line in told[1:4])
        if not first <= end <= size:
            raise Invalid("range is not within the log")
        hashes = tuple(base64_exactly(line) for line in told[4:])
        before = first.bit_count()
        wrong = [hash_ for hash_ in hashes if len(hash_) != HASH_BYTES]
        if wrong or len(hashes) != before + len(nodes_of(end, size)):
            raise Invalid("range has not the hashes that join it to the root")
        return cls(size, first, end, hashes[:before], hashes[before:])


def verify(
    bundle: bytes,
    key: VerifierKey | None = None,
    witnesses: Sequence[VerifierKey] = (),
    panel: Panel | None = None,
) -> Verdict:
    """Check a bundle. Never raises: whatever is wrong with the file stands in `problems`.

    `key`: the log's published key; without it the bundle's own is taken and a note says so.
    `witnesses`: cosignatures the reader insists on; others are named but not insisted on.
    `panel`: of these enough must have cosigned.
    """
    findings = _Findings()
    try:
        parsed = _Bundle.parse(bundle)
        log_key = _log_key(parsed, key, findings)
        span = _Range.parse(parsed.text_lines("range"))
    except Invalid as error:
        findings.problem(str(error))
        return _verdict(findings)
    checkpoint, cosigners = _head(parsed, log_key, witnesses, findings)
    lacking = panel.problem(cosigners) if panel and checkpoint else None
    if lacking:
        findings.problem(f"the checkpoint: {lacking}")
    _check_manifest(parsed, span, log_key, findings)
    if checkpoint and checkpoint.size != span.size:
        findings.problem("range and checkpoint speak of logs of different size")
    elif checkpoint:
        _check_entries(parsed, span, checkpoint, log_key, findings)
    return _verdict(findings, checkpoint, [witness.name for witness in cosigners], span)


def entries_of(bundle: bytes) -> list[bytes]:
    """The entries of a bundle that verified."""
    return _Bundle.parse(bundle).lines("entries.jsonl")


def checkpoints_of(bundle: bytes) -> list[bytes]:
    """The checkpoints in a bundle that verified, the smallest first."""
    parsed = _Bundle.parse(bundle)
    earlier = [parsed.members[name] for name in parsed.order if name.startswith("checkpoints/")]
    return [*earlier, parsed.members["checkpoint"]]


def _verdict(
    findings: _Findings,
    checkpoint: Checkpoint | None = None,
    cosigners: Sequence[str] = (),
    span: _Range | None = None,
) -> Verdict:
    problems = findings.all()
    return Verdict(
        ok=not problems and checkpoint is not None,
        size=checkpoint.size if checkpoint else 0,
        root=checkpoint.text.split("\n")[2] if checkpoint else "",
        witnesses=tuple(cosigners),
        problems=problems,
        notes=tuple(findings.notes),
        first=span.first if span else 0,
        entries=span.end - span.first if span else 0,
    )


def _log_key(parsed: _Bundle, key: VerifierKey | None, findings: _Findings) -> VerifierKey:
    told = parsed.text_lines("log.key")
    own = VerifierKey.parse(told[0]) if len(told) == 1 else None
    if own is None or own.type != SIGNS_TEXT:
        raise Invalid("log.key is not one log's verifier key")
    if key is None:
        findings.notes.append(
            "key taken from the bundle itself: compare its fingerprint "
            f"{own.fingerprint} with the one that {own.name} publishes, or pass --key"
        )
        return own
    if own != key:
        findings.problem(f"the bundle names the key {own}, not the one that was given")
    return key


def _head(
    parsed: _Bundle, key: VerifierKey, wanted: Sequence[VerifierKey], findings: _Findings
) -> tuple[Checkpoint | None, list[VerifierKey]]:
    """The signed head of the log, and who cosigned it."""
    try:
        listed = [VerifierKey.parse(line) for line in parsed.text_lines("witness.keys")]
        if any(w.type != COSIGNS for w in listed) or len(set(listed)) != len(listed):
            raise Invalid("witness.keys holds a key that is no witness's, or one twice")
        note = Note.parse(parsed.members["checkpoint"])
        checkpoint, cosigners = _signed_checkpoint(note, key, listed)
    except Invalid as error:
        findings.problem(f"the checkpoint: {error}")
        return None, []
    for witness in wanted:
        if witness not in cosigners:
            findings.problem(f"the witness {witness.name} did not cosign this checkpoint")
    for witness in cosigners:
        at = next(s.at_s for s in note.signatures if s.is_by(witness))
        trust = "given" if witness in wanted else f"from the bundle: {witness.fingerprint}"
        findings.notes.append(f"{witness.name} cosigned at {_time(at)} (its key is {trust})")
    if not cosigners:
        findings.notes.append("no witness cosigned: only the log itself vouches for its history")
    return checkpoint, cosigners


def _time(at_s: int) -> str:
    try:
        return datetime.fromtimestamp(at_s, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{at_s} s after 1970"


def _signed_checkpoint(
    note: Note, key: VerifierKey, witnesses: Sequence[VerifierKey]
) -> tuple[Checkpoint, list[VerifierKey]]:
    """Stricter than the standard: in a bundle every line under a checkpoint must be accounted
    for, or a changed name would pass for an unknown witness's."""
    checkpoint = Checkpoint.parse(note)
    signers = note.signed_by([key, *witnesses])
    if key not in signers or checkpoint.origin != key.name:
        raise Invalid("it is not signed by the log's key")
    if checkpoint.text != note.text:
        raise Invalid("it says more than origin, size and root")
    if len(signers) != len(note.signatures):
        raise Invalid("it carries a signature that is nobody's listed in the bundle, or one twice")
    return checkpoint, [signer for signer in signers if signer != key]


def _check_manifest(parsed: _Bundle, span: _Range, key: VerifierKey, findings: _Findings) -> None:
    others = [(name, parsed.members[name]) for name in parsed.order if name != "manifest"]
    try:
        note = Note.parse(parsed.members["manifest"])
        if note.signed_by([key]) != [key] or len(note.signatures) != 1:
            raise Invalid("it is not signed by the log's key, and by it alone")
    except Invalid as error:
        findings.problem(f"the manifest: {error}")
        return
    expected = manifest_text(span.size, span.first, span.end - span.first, others)
    told = note.text.split("\n")
    changed = [line for line in expected.split("\n") if line not in told]
    for line in changed:
        findings.problem(f"{line.rsplit(' ', 1)[-1]} is not as the log signed it")
    if note.text != expected and not changed:
        findings.problem("the manifest speaks of more than this bundle")
    if parsed.members["README.txt"] != README:
        findings.notes.append("README.txt is of another version of Farolito")


def _check_entries(
    parsed: _Bundle, span: _Range, head: Checkpoint, key: VerifierKey, findings: _Findings
) -> None:
    try:
        entries = parsed.lines("entries.jsonl")
        leaves = [base64_exactly(line) for line in parsed.text_lines("leaves")]
        earlier = _earlier(parsed, key)
    except Invalid as error:
        findings.problem(str(error))
        return
    if len(entries) != span.end - span.first or len(leaves) != len(entries):
        findings.problem(
            f"range speaks of {span.end - span.first} entries; "
            f"there are {len(entries)}, and {len(leaves)} leaf hashes"
        )
    _check_leaves(entries, leaves, span.first, findings)
    frontier = Frontier(span.first, span.left)
    _check_earlier(frontier, earlier, findings)
    for entry in entries:
        frontier.append(leaf_hash(entry))
        _check_earlier(frontier, earlier, findings)
    for size in earlier:
        findings.problem(f"the checkpoint of size {size} lies outside this range")
    if _joined_root(frontier, span) != head.root:
        findings.problem("the entries do not lead to the root that the log signed")
    _check_openings(parsed, entries, span.first, findings)


def _check_leaves(
    entries: Sequence[bytes], leaves: Sequence[bytes], first: int, findings: _Findings
) -> None:
    for index, (entry, leaf) in enumerate(zip(entries, leaves, strict=False), first):
        if leaf_hash(entry) != leaf:
            findings.problem(f"entry {index} does not fit its hash")
        try:
            read(entry)
        except Invalid as error:
            findings.problem(f"entry {index}: {error}")


def _earlier(parsed: _Bundle, key: VerifierKey) -> dict[int, Checkpoint]:
    """The earlier checkpoints by size, each signed; whether they fit is for the entries to say."""
    witnesses = [VerifierKey.parse(line) for line in parsed.text_lines("witness.keys")]
    found: dict[int, Checkpoint] = {}
    for name in parsed.order:
        if not name.startswith("checkpoints/"):
            continue
        try:
            size = decimal(name.removeprefix("checkpoints/"))
            checkpoint, _ = _signed_checkpoint(Note.parse(parsed.members[name]), key, witnesses)
        except Invalid as error:
            raise Invalid(f"{name}: {error}") from error
        if checkpoint.size != size or any(size <= other for other in found):
            raise Invalid(f"{name} is not in its place")
        found[size] = checkpoint
    return found


def _check_earlier(frontier: Frontier, earlier: dict[int, Checkpoint], findings: _Findings) -> None:
    checkpoint = earlier.pop(frontier.size, None)
    if checkpoint and checkpoint.root != frontier.root():
        findings.problem(f"the checkpoint of size {checkpoint.size} is of another history")


def _joined_root(frontier: Frontier, span: _Range) -> bytes | None:
    if frontier.size != span.end:
        return None
    nodes = nodes_of(span.end, span.size)
    for (level, _), hash_ in zip(nodes, span.right, strict=True):
        frontier.append(hash_, level)
    return frontier.root()


def _check_openings(
    parsed: _Bundle, entries: Sequence[bytes], first: int, findings: _Findings
) -> None:
    last = (-1, "")
    body: dict[str, Any] = {}
    try:
        for opened in _openings(parsed):
            at = (opened.index, opened.opening.field)
            if not first <= opened.index < first + len(entries) or at <= last:
                raise Invalid(f"the one of {at[1]!r} in entry {at[0]} is not in its place")
            if opened.index != last[0]:
                body = read(entries[opened.index - first])
            if commitment_in(body, opened.opening.field) != opened.opening.commitment:
                findings.problem(f"the opening of {at[1]!r} in entry {at[0]} does not fit it")
            last = at
    except Invalid as error:
        findings.problem(f"openings: {error}")


def _openings(parsed: _Bundle) -> Iterator[IndexedOpening]:
    for line in parsed.lines("openings.jsonl"):
        told = read(line)
        try:
            opening = Opening(told["field"], bytes.fromhex(told["salt"]), told["value"])
            opened = IndexedOpening(told["index"], opening)
            fits = isinstance(opening.value, str) and isinstance(opening.field, str)
            exact = fits and type(opened.index) is int and opened.line() == line
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid("a line that opens nothing") from error
        if not exact:
            raise Invalid("a line that opens nothing")
        yield opened
