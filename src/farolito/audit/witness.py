"""The witness's side (c2sp.org/tlog-witness): look at a checkpoint of another government's log,
and cosign it only if it continues what was seen before. How the request travels is not known
here."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime

import msgspec

from farolito.audit.checkpoint import Checkpoint, decimal
from farolito.audit.note import Note, SigningKey, VerifierKey, base64_exactly
from farolito.audit.tree import EMPTY_ROOT, HASH_BYTES, is_prefix
from farolito.model import Invalid

PROOF_LINES_MAX = 63  # the standard's; a request with more is malformed
REQUEST_BYTES_MAX = 64 * 1024

_PLAIN = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"


class Seen(msgspec.Struct, frozen=True):
    """The latest checkpoint that was cosigned for a log."""

    size: int
    root: bytes


class Answer(msgspec.Struct, frozen=True):
    """What goes back: HTTP's status words are the standard's own."""

    status: int
    body: bytes = b""
    content_type: str = _PLAIN


class Witness:
    """Cosigns for the logs it knows.

    `seen` must have stored an item durably when setting it returns: the record comes before the
    cosignature, so that a witness that falls and rises never cosigns two histories. One call of
    `add_checkpoint` is one atomic step as long as calls come one after the other.
    """

    def __init__(
        self,
        key: SigningKey,
        logs: Mapping[str, Sequence[VerifierKey]],
        seen: MutableMapping[str, Seen],
    ) -> None:
        """`logs`: by origin, the keys that may sign its checkpoints."""
        self._key = key
        self._logs = logs
        self._seen = seen

    def add_checkpoint(self, request: bytes, at: datetime) -> Answer:
        told = asked(request, self._logs)
        if isinstance(told, Answer):
            return told
        new = told.checkpoint
        refused = refusal(told, self._seen.get(new.origin, Seen(0, EMPTY_ROOT)))
        if refused:
            return refused
        self._seen[new.origin] = Seen(new.size, new.root)
        return cosigned(self._key, told, at)


class Asked(msgspec.Struct, frozen=True):
    """A request whose checkpoint is signed by a log that is known. `key`: the log's that signed;
    `raw`: the checkpoint as it came."""

    old: int
    proof: Sequence[bytes]
    note: Note
    checkpoint: Checkpoint
    key: VerifierKey
    raw: bytes


def asked(request: bytes, logs: Mapping[str, Sequence[VerifierKey]]) -> Asked | Answer:
    """The request, or the answer to one that wants no look at what was seen before."""
    try:
        old, proof, note = parse_request(request)
        checkpoint = Checkpoint.parse(note)
    except Invalid as error:
        return Answer(400, f"{error}\n".encode())
    keys = logs.get(checkpoint.origin)
    if keys is None:
        return Answer(404, b"this log is not known here\n")
    signer = _signer(note, keys)
    if signer is None:
        return Answer(403, b"no signature of a trusted key\n")
    if old > checkpoint.size:
        return Answer(400, b"the old size is larger than the checkpoint's\n")
    return Asked(old, proof, note, checkpoint, signer, request.partition(b"\n\n")[2])


def refusal(told: Asked, seen: Seen) -> Answer | None:
    """Why a checkpoint is not cosigned by who has seen this one of its log; None: it is."""
    old, new = told.old, told.checkpoint
    conflict = Answer(409, f"{seen.size}\n".encode(), _SIZE)
    if old != seen.size:
        return conflict
    if old == new.size and seen.root != new.root:
        return conflict
    if not is_prefix(old, seen.root, new.size, new.root, told.proof):
        return Answer(422, b"the consistency proof does not verify\n")
    return None


def cosigned(key: SigningKey, told: Asked, at: datetime) -> Answer:
    """Only after the checkpoint is durably seen."""
    return Answer(200, key.cosign(told.note.text, int(at.timestamp())).encode())


def _signer(note: Note, keys: Sequence[VerifierKey]) -> VerifierKey | None:
    try:
        return next(iter(note.signed_by(keys)), None)
    except Invalid:
        return None


def write_request(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of an add-checkpoint request."""
    lines = [f"old {old}\n", *(_base64_line(hash_) for hash_ in proof), "\n"]
    return "".join(lines).encode() + checkpoint


def _base64_line(hash_: bytes) -> str:
    return b64encode(hash_).decode() + "\n"


def parse_request(request: bytes) -> tuple[int, list[bytes], Note]:
    """Old size, proof and checkpoint. Raises Invalid."""
    if len(request) > REQUEST_BYTES_MAX:
        raise Invalid("a request that is too long")
    head, blank, checkpoint = request.partition(b"\n\n")
    if not blank:
        raise Invalid("a request without its blank line")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Invalid("a request that is not text") from error
    if not lines[0].startswith("old ") or len(lines) - 1 > PROOF_LINES_MAX:
        raise Invalid("a request that does not begin with its old size, or has too many lines")
    proof = [base64_exactly(line) for line in lines[1:]]
    if any(len(hash_) != HASH_BYTES for hash_ in proof):
        raise Invalid("a proof line that is not 32 bytes")
    return decimal(lines[0].removeprefix("old ")), proof, Note.parse(checkpoint)
