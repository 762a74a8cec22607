"""Checking figures offline: that the ledger fixed them, and, with its entries, that they are so."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from farolito.audit import archive
from farolito.audit.checkpoint import Checkpoint
from farolito.audit.entry import read
from farolito.audit.figures import MEMBERS, README, Figures, Tally, parse
from farolito.audit.note import Note, VerifierKey
from farolito.audit.panel import Panel
from farolito.audit.proof import Proof
from farolito.audit.verify import Verdict, entries_of, verify
from farolito.model import Invalid


class FiguresVerdict(Verdict, frozen=True, kw_only=True):
    """`recounted`: how many figures were counted anew from entries, and agreed."""

    figures: Figures | None = None
    recounted: int = 0


def is_figures(raw: bytes) -> bool:
    """Whether a file says of itself that it holds figures."""
    try:
        return [name for name, _ in archive.read(raw)] == list(MEMBERS)
    except Invalid:
        return False


def verify_figures(
    raw: bytes,
    key: VerifierKey | None = None,
    witnesses: Sequence[VerifierKey] = (),
    panel: Panel | None = None,
    bundles: Sequence[bytes] = (),
) -> FiguresVerdict:
    """Never raises: whatever is wrong stands in `problems`. `bundles`: pieces of the ledger that
    together hold every entry that the figures speak of."""
    problems: list[str] = []
    notes: list[str] = []
    try:
        members = dict(archive.read(raw))
        if tuple(members) != MEMBERS:
            raise Invalid("the file's members are not those of figures")
        figures = parse(members["figures.json"])
        log = _log(members["log.key"], key, notes)
        proof = Proof.parse(members["proof"])
        checkpoint = Checkpoint.parse(Note.parse(proof.checkpoint))
        listed = _witnesses(members["witness.keys"])
        signers = Note.parse(proof.checkpoint).signed_by(listed)
        entry = read(members["entry.json"])
    except (Invalid, UnicodeDecodeError) as error:
        return FiguresVerdict(ok=False, size=0, root="", witnesses=(), problems=(str(error),))
    problems += proof.problems(members["entry.json"], log, witnesses)
    problems += _unfit(members, entry, figures, log, proof, listed)
    lacking = panel.problem(signers) if panel else None
    if lacking:
        problems.append(f"the checkpoint: {lacking}")
    if members["README.txt"] != README:
        problems.append("README.txt is not ours")
    if not signers:
        notes.append("no witness cosigned: only the log itself vouches for its history")
    recounted = 0
    if bundles:
        recounted = _recount(figures, bundles, log, problems)
    else:
        notes.append("not counted anew: give the ledger's entries with --recount")
    if figures.told:
        notes.append("what stands under `told` is said by the agency and shown by no entry")
    return FiguresVerdict(
        ok=not problems,
        size=checkpoint.size,
        root=checkpoint.text.split("\n")[2],
        witnesses=tuple(one.name for one in signers),
        problems=tuple(problems),
        notes=tuple(notes),
        first=figures.first,
        entries=figures.end - figures.first,
        figures=figures,
        recounted=0 if problems else recounted,
    )


def _witnesses(told: bytes) -> list[VerifierKey]:
    listed = [VerifierKey.parse(text) for text in told.decode().split("\n")[:-1]]
    if "".join(f"{key}\n" for key in listed).encode() != told:
        raise Invalid("witness.keys is not a list of keys")
    return listed


def _log(told: bytes, key: VerifierKey | None, notes: list[str]) -> VerifierKey:
    own = VerifierKey.parse(told.decode().removesuffix("\n"))
    if told != f"{own}\n".encode():
        raise Invalid("log.key is not one log's verifier key")
    if key is None:
        notes.append(
            f"key taken from the file itself: compare its fingerprint {own.fingerprint} with the"
            f" one that {own.name} publishes, or pass --key"
        )
    elif key != own:
        raise Invalid(f"the file names the key {own}, not the one that was given")
    return own


def _unfit(  # noqa: PLR0913 - the members, taken apart
    members: dict[str, bytes],
    entry: dict[str, Any],
    figures: Figures,
    log: VerifierKey,
    proof: Proof,
    listed: Sequence[VerifierKey],
) -> list[str]:
    """What does not belong together."""
    found = []
    if entry.get("fixes") != sha256(members["figures.json"]).hexdigest():
        found.append("the ledger's entry does not fix these figures")
    if entry.get("agency") != figures.agency:
        found.append("somebody of another agency fixed these figures")
    if log.name != f"farolito/{figures.agency}/ledger":
        found.append(f"the figures of {figures.agency} stand in the ledger {log.name}")
    if figures.end > proof.index:
        found.append("the figures speak of entries that came after them")
    note = Note.parse(proof.checkpoint)
    if any(not any(s.is_by(key) for key in (log, *listed)) for s in note.signatures):
        found.append("the checkpoint carries a signature that is nobody's listed in the file")
    unsigned = [key for key in listed if not any(s.is_by(key) for s in note.signatures)]
    if len(set(listed)) != len(listed) or unsigned:
        found.append("witness.keys names a witness that did not cosign")
    return found


def _recount(
    figures: Figures, bundles: Sequence[bytes], log: VerifierKey, problems: list[str]
) -> int:
    """Count again; how many figures agreed. What is withheld is not told."""
    tally = Tally(figures.since, figures.until)
    at = figures.first
    verdicts = [(verify(bundle, log), bundle) for bundle in bundles]
    for verdict, bundle in sorted(verdicts, key=lambda one: one[0].first):
        problems += [f"a bundle: {problem}" for problem in verdict.problems]
        if not verdict.ok or not verdict.first <= at < verdict.first + verdict.entries:
            continue
        end = min(figures.end, verdict.first + verdict.entries)
        tally.add(entries_of(bundle)[at - verdict.first : end - verdict.first])
        at = max(at, end)
    if at < figures.end:
        problems.append(f"the bundles do not hold the entries {at} to {figures.end - 1}")
        return 0
    agreed = 0
    for figure in figures.figures:
        counted = tally.value(figure.where, figure.adds)
        if figure.value is not None and figure.value != counted:
            problems.append(f"{figure.name} is {counted} in the entries, not {figure.value}")
        agreed += figure.value == counted
    return agreed
