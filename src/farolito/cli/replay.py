"""`farolito replay DIR`: recorded vendor messages through the real doors.

Which format a recording is in shows by which adapter can read it. Each format gets a device of its
own, marked as a recording: only such a device may say when a message arrived at first, since the
times in it lie long ago.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.cli.readers import register
from farolito.ingest.lpr import FORMATS, WrongTime
from farolito.model import AgencyId, Device, DeviceId, FarolitoError, Rejected

SUFFIXES = frozenset({".json", ".xml", ".ndjson", ".bin"})
FILES_MAX = 100_000
SETTLE_S_MAX = 60.0


def replay(
    directory: Path,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Send every recorded message under DIRECTORY to the running node."""
    files = sorted(f for f in directory.rglob("*") if f.is_file())[:FILES_MAX]
    if not files:
        raise FarolitoError(f"no recorded message in {directory}", "name a folder of messages")
    before = _health(node, token_file)
    told = _Told(node, token_file)
    for file in files:
        told.take(file)
        if not as_json:
            typer.echo(told.lines[-1])
    _settle(node, token_file)
    alerts = _health(node, token_file)["alerts_raised"] - before["alerts_raised"]
    if as_json:
        typer.echo(json.dumps({
            "accepted": told.accepted, "rejected": told.rejected,
            "by_format": told.by_format, "alerts": alerts,
        }))  # fmt: skip
    else:
        typer.echo(f"{told.accepted} accepted, {told.rejected} rejected, {alerts} alerts")


class _Told:
    """What became of the recordings, by format."""

    def __init__(self, node: str, token_file: Path | None) -> None:
        self._node = node
        self._token_file = token_file
        self._keys: dict[str, str] = {}
        self.accepted = self.rejected = 0
        self.by_format: dict[str, dict[str, int]] = {}
        self.lines: list[str] = []

    def take(self, file: Path) -> None:
        body = file.read_bytes()
        listed = _hot_list(file, body)
        if listed is not None:
            self._import(file, body, listed)
            return
        format_, arrived = _recognise(file, body)
        if format_ is None:
            self._count("unknown", 0, 1, f"{file.name}: no adapter reads it")
            return
        answer = httpx.post(
            f"{self._node}/ingest/lpr/{format_}",
            content=body,
            headers={
                "Authorization": f"Bearer {self._key(format_)}",
                "Content-Type": _content_type(file, body),
                "X-Farolito-Received-At": arrived.isoformat(),
            },
            timeout=30,
        )
        said: dict[str, Any] = answer.json()
        accepted = int(said.get("accepted", 0))
        rejected = len(said.get("rejected", ())) if answer.is_success else 1
        what = said.get("says") or f"{accepted} read{'s' if accepted != 1 else ''}"
        self._count(format_, accepted, rejected, f"{file.name}: {format_}: {what}")

    def _import(self, file: Path, body: bytes, ready: str) -> None:
        path = f"/api/admin/lists/replay-{ready}/import"
        told = {"file": base64.b64encode(body).decode(), "ready": ready, "name": f"Replay {ready}"}
        try:
            done = ask("POST", self._node, path, self._token_file, told)["imported"]
        except FarolitoError as error:
            self._count(f"hotlist/{ready}", 0, 1, f"{file.name}: {error}")
            return
        rows = done["added"] + done["changed"] + done["unchanged"]
        self._count(
            f"hotlist/{ready}", rows, done["bad_count"], f"{file.name}: hot list, {rows} rows"
        )

    def _key(self, format_: str) -> str:
        if format_ not in self._keys:
            device = _recorder(format_)
            self._keys[format_] = register(device, self._node, self._token_file)
        return self._keys[format_]

    def _count(self, format_: str, accepted: int, rejected: int, line: str) -> None:
        tally = self.by_format.setdefault(format_, {"accepted": 0, "rejected": 0})
        tally["accepted"] += accepted
        tally["rejected"] += rejected
        self.accepted += accepted
        self.rejected += rejected
        self.lines.append(line)


def _recorder(format_: str) -> Device:
    return Device(
        device_id=DeviceId(f"replay-{format_.replace('_', '-')}"),
        agency=AgencyId("own"),
        kind="plate_reader",
        name=f"Recording ({format_})",
        format=format_,
        is_recording=True,
    )


def _recognise(file: Path, body: bytes) -> tuple[str | None, datetime]:
    """The adapter that reads it, and when it may have arrived: the time in the message itself."""
    now = datetime.now(UTC)
    for format_ in _likeliest_first(file):
        device = _recorder(format_)
        try:
            FORMATS[format_].decode(body, _content_type(file, body), device, now)
        except WrongTime as told:
            return format_, min(told.told_at.astimezone(UTC), now)
        except Rejected as why:
            if why.reason in {"masked_plate", "no_plate"}:
                return format_, now
            continue
        return format_, now
    return None, now


def _likeliest_first(file: Path) -> Iterator[str]:
    named = [name for name in FORMATS if file.name.startswith(name.split("_")[0])]
    yield from named
    yield from (name for name in FORMATS if name not in named)


def _hot_list(file: Path, body: bytes) -> str | None:
    """The ready mapping for a file that is a hot list, by what stands in it."""
    if file.suffix == ".csv":
        return "genetec"
    if file.suffix == ".json" and b'"entries"' in body[:2000] and b'"reason"' in body[:4000]:
        return "flock"
    return None


def _content_type(file: Path, body: bytes) -> str:
    if file.suffix == ".xml":
        return "application/xml"
    if file.suffix == ".ndjson":
        return "application/x-ndjson"
    if body.startswith(b"--"):
        boundary = body.split(b"\r\n", 1)[0].removeprefix(b"--").decode("ascii", "replace")
        return f"multipart/form-data; boundary={boundary}"
    return "application/json"


def _health(node: str, token_file: Path | None) -> dict[str, Any]:
    queues = ask("GET", node, "/api/admin/health", token_file)["queues"]
    return dict(queues[0])


def _settle(node: str, token_file: Path | None) -> None:
    """Wait until what was accepted is recorded and matched."""
    end = time.monotonic() + SETTLE_S_MAX
    while _health(node, token_file)["waiting"] and time.monotonic() < end:
        time.sleep(0.1)
