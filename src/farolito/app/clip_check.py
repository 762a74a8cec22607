"""Checking a clip offline: no node, no network, no trust in the one who handed it over.

Four things must agree: the file's bytes, the C2PA manifest inside it, the manifest beside it under
the ledger's signature, and a ledger entry that fixed the latter's digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from farolito.audit import Checkpoint, Note, Proof, VerifierKey, archive
from farolito.audit import verify as verify_bundle
from farolito.audit.entry import read as read_entry
from farolito.media import content_credentials, evidence
from farolito.model import Invalid

NOT_PROVED = (
    "that the camera was honest: what it sent is what is kept, from the moment it reached the node",
    "the moment of the event beyond the two clocks that are told here and the order of the ledger",
)
FRAGMENTS_TOLD_MAX = 5


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`problems` is empty exactly when `ok`. `proved`, `not_proved`: in sentences; `notes`: what
    the reader must still see to. `evidence`: what the manifest says of the clip."""

    ok: bool
    proved: tuple[str, ...]
    not_proved: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    c2pa: str
    evidence: Mapping[str, Any] = {}


class _Findings:
    def __init__(self) -> None:
        self.proved: list[str] = []
        self.not_proved: list[str] = list(NOT_PROVED)
        self.problems: list[str] = []
        self.notes: list[str] = []


class _Manifest(msgspec.Struct, frozen=True):
    body: dict[str, Any]
    text: str
    signature: str
    entry: bytes | None
    proof: bytes | None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def check_clip(
    raw: bytes,
    document: bytes | None,
    *,
    anchor: str | None = None,
    key: VerifierKey | None = None,
    bundle: bytes | None = None,
) -> Verdict:
    """Never raises: whatever is wrong stands in `problems`. `anchor`: the agency's authority, PEM;
    `key`: the ledger's published key; `bundle`: a piece of the ledger."""
    found = _Findings()
    credentials = _check_c2pa(raw, anchor, found)
    body: dict[str, Any] = {}
    if document is None:
        found.not_proved.append("anything of the ledger: no manifest was given")
    else:
        try:
            manifest = _parse(document)
            body = manifest.body
            _check_file(raw, manifest, found)
            _check_inside(credentials, manifest, anchor, found)
            signer = _check_signature(manifest, key, found)
            _check_ledger(manifest, signer, bundle, found)
        except (Invalid, ValueError, KeyError, TypeError, AttributeError) as error:
            found.problems.append(f"the manifest: {error or type(error).__name__}")
    return Verdict(
        ok=not found.problems,
        proved=tuple(found.proved),
        not_proved=tuple(found.not_proved),
        problems=tuple(found.problems),
        notes=tuple(found.notes),
        c2pa=credentials.state,
        evidence={n: v for n, v in body.items() if n not in ("file", "checkpoint", "redaction")},
    )


def _check_c2pa(
    raw: bytes, anchor: str | None, found: _Findings
) -> content_credentials.Credentials:
    told = content_credentials.check(raw, anchor)
    match told.state:
        case "trusted":
            found.proved.append(f"C2PA: unchanged since {told.signer} signed it")
        case "valid":
            found.proved.append(f"C2PA: unchanged since somebody named {told.signer!r} signed it")
            says = "is not issued by the authority that was given" if anchor else "is not checked"
            (found.problems if anchor else found.not_proved).append(f"C2PA: the signer {says}")
        case "none":
            found.problems.append("C2PA: there is no manifest in the file")
        case _:
            codes = ", ".join(told.problems) or told.state
            found.problems.append(f"C2PA: the file is not as it was signed ({codes})")
    return told


def _parse(document: bytes) -> _Manifest:
    if len(document) > evidence.MANIFEST_BYTES_MAX:
        raise Invalid("it is longer than any manifest")
    told = json.loads(document)
    body = told["manifest"]
    if not isinstance(body, dict) or body.get("v") != 1:
        raise Invalid("it is of no version that is known here")
    entry, proof = told.get("entry"), told.get("proof")
    return _Manifest(
        body,
        evidence.text_of(body),
        str(told["signature"]),
        entry.encode() if isinstance(entry, str) else None,
        proof.encode() if isinstance(proof, str) else None,
    )


def _check_file(raw: bytes, manifest: _Manifest, found: _Findings) -> None:
    told = manifest.body["file"]
    if hashlib.sha256(raw).hexdigest() == told["sha256"]:
        found.proved.append("the file is, to the bit, the one that the manifest names")
        return
    found.problems.append("the file is not the one that the manifest names")
    try:
        now = [digest for _, digest in evidence.fragments_of(raw)]
    except Invalid as error:
        found.problems.append(f"the file: {error}")
        return
    was = [one["sha256"] for one in told["fragments"]]
    changed = [n for n, digest in enumerate(was) if digest not in now]
    for number in changed[:FRAGMENTS_TOLD_MAX]:
        ticks = told["fragments"][number]["ticks"]
        found.problems.append(f"the pictures from {ticks / 90_000:.1f} s on are not those kept")
    if was == now:
        found.notes.append("every picture is as it was kept; what changed lies around them")


def _check_inside(
    credentials: content_credentials.Credentials,
    manifest: _Manifest,
    anchor: str | None,
    found: _Findings,
) -> None:
    inside = credentials.evidence
    if inside is None:
        return
    different = [name for name, value in inside.items() if manifest.body.get(name) != value]
    if different:
        found.problems.append(f"inside and beside tell different things: {', '.join(different)}")
    else:
        found.proved.append("inside and beside the file the same is told of camera, case and time")
    if anchor:
        certificate = x509.load_pem_x509_certificate(anchor.encode())
        if certificate.fingerprint(hashes.SHA256()).hex() != manifest.body["c2pa"]["anchor_sha256"]:
            found.problems.append("the manifest names another authority than the one given")


def _check_signature(
    manifest: _Manifest, key: VerifierKey | None, found: _Findings
) -> VerifierKey | None:
    named = VerifierKey.parse(manifest.body["ledger"])
    if key is None:
        found.notes.append(
            f"key taken from the manifest itself: compare its fingerprint {named.fingerprint} "
            f"with the one that {named.name} publishes, or pass --key"
        )
    elif key != named:
        found.problems.append(f"the manifest names the key {named}, not the one that was given")
        return None
    try:
        note = Note.parse(f"{manifest.text}\n{manifest.signature}\n".encode())
        signed = note.signed_by([named]) == [named]
    except Invalid:
        signed = False
    if not signed:
        found.problems.append(f"the manifest is not signed by {named.name}")
        return None
    found.proved.append(f"the manifest is as {named.name} signed it")
    return named


def _check_ledger(
    manifest: _Manifest, key: VerifierKey | None, bundle: bytes | None, found: _Findings
) -> None:
    if key is None:
        return
    before = _checkpoint(manifest, key, found)
    if manifest.entry is not None and manifest.proof is not None:
        _check_entry(manifest, key, before, found)
    elif bundle is None:
        found.not_proved.append("that the ledger fixed this manifest: no entry or bundle was given")
    if bundle is not None:
        _check_bundle(manifest, bundle, key, found)


def _checkpoint(manifest: _Manifest, key: VerifierKey, found: _Findings) -> Checkpoint | None:
    """The ledger as it was just before the manifest was made."""
    note = Note.parse(manifest.body["checkpoint"].encode())
    if key not in note.signed_by([key]):
        found.problems.append("the checkpoint in the manifest is not the ledger's")
        return None
    checkpoint = Checkpoint.parse(note)
    found.proved.append(f"it was made after the ledger held {checkpoint.size} entries")
    return checkpoint


def _check_entry(
    manifest: _Manifest, key: VerifierKey, before: Checkpoint | None, found: _Findings
) -> None:
    entry, parsed = manifest.entry or b"", Proof.parse(manifest.proof or b"")
    wrong = parsed.problems(entry, key)
    body = read_entry(entry)
    if body.get("fixes") != manifest.digest:
        wrong.append("the entry fixes another thing than this manifest")
    if before is not None and parsed.index < before.size:
        wrong.append("the entry is older than the manifest that it is to fix")
    found.problems.extend(f"the ledger: {one}" for one in wrong)
    if not wrong:
        found.proved.append(
            f"entry {parsed.index} of the ledger, of {body.get('at')}, fixed this manifest"
        )


def _check_bundle(manifest: _Manifest, bundle: bytes, key: VerifierKey, found: _Findings) -> None:
    verdict = verify_bundle(bundle, key)
    if not verdict.ok:
        found.problems.extend(f"the bundle: {one}" for one in verdict.problems)
        return
    entries = _entries(bundle)
    fixing = [
        verdict.first + n
        for n, raw in enumerate(entries)
        if read_entry(raw).get("fixes") == manifest.digest
    ]
    if fixing:
        found.proved.append(f"the bundle holds entry {fixing[0]}, which fixed this manifest")
    else:
        found.problems.append("the bundle: no entry in it fixes this manifest")


def _entries(bundle: bytes) -> Sequence[bytes]:
    members = dict(archive.read(bundle))
    return members["entries.jsonl"].split(b"\n")[:-1]


def read_beside(file: Path, manifest: Path | None) -> bytes | None:
    """The manifest's document: the one named, or the one that lies beside the file."""
    beside = manifest or file.with_suffix(".json")
    if manifest is None and not beside.exists():
        return None
    return beside.read_bytes()


def key_of(text: str) -> VerifierKey:
    """Raises Invalid."""
    return VerifierKey.parse(text)
