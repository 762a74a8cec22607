"""C2PA in a clip: a signed manifest inside the file, which any C2PA tool can check.

The library is told to keep off the network and to make no thumbnails: a thumbnail of an original
inside a redacted file would undo the redaction.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import c2pa
import msgspec

from farolito.media.evidence_keys import EvidenceKeys
from farolito.model import FarolitoError

LABEL = "org.farolito.evidence"
MEDIA_TYPE = "video/mp4"
CAPTURED = c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE


class NotSigned(FarolitoError):
    """The library would not sign a clip, or what it signed does not check out."""


class Credentials(msgspec.Struct, frozen=True):
    """What a file says of itself. `state`: `trusted` (signed by the given authority), `valid`
    (intact, by a signer nobody vouched for), `invalid` or `none`. `problems`: the library's words
    (`assertion.bmffHash.mismatch`). `evidence`: our own assertion."""

    state: str
    problems: tuple[str, ...] = ()
    signer: str = ""
    evidence: Mapping[str, Any] | None = None


def sign(  # noqa: PLR0913 - a file, what it is, who signs
    source: Path,
    out: Path,
    title: str,
    evidence: Mapping[str, Any],
    keys: EvidenceKeys,
    parent: Path | None = None,
) -> None:
    """Write `source` with its manifest to `out`, which must not be there. Blocking: 0.2 s for a
    clip of 30 s. `parent`: the file that this one was made from. Raises NotSigned."""
    told = {
        "claim_generator_info": [{"name": "Farolito"}],
        "title": title,
        "format": MEDIA_TYPE,
        "assertions": [{"label": LABEL, "data": dict(evidence)}],
    }
    try:
        with _context(keys.anchor) as context, c2pa.Builder(told, context=context) as builder:
            if parent is None:
                builder.set_intent(c2pa.C2paBuilderIntent.CREATE, CAPTURED)
            else:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                with parent.open("rb") as original:
                    ingredient = {"title": parent.name, "relationship": "parentOf"}
                    builder.add_ingredient(ingredient, MEDIA_TYPE, original)
                builder.add_action({"action": "c2pa.edited", "description": "parts were hidden"})
            alg = c2pa.C2paSigningAlg.ES256
            with (
                c2pa.Signer.from_callback(keys.sign, alg, keys.chain) as signer,
                source.open("rb") as raw,
                out.open("x+b") as signed,
            ):
                builder.sign(signer, MEDIA_TYPE, raw, signed)
    except c2pa.C2paError as error:
        raise NotSigned(f"a clip could not be signed: {error}", "see the node's log") from error
    found = check(out, keys.anchor)
    if found.state != "trusted":
        raise NotSigned(f"a signed clip does not check out: {', '.join(found.problems)}")


def check(file: Path | bytes, anchor: str | None = None) -> Credentials:
    """What the file's manifest says, checked offline. `anchor`: the authority to trust, PEM."""
    try:
        return _credentials(read(file, anchor))
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error) or "no JUMBF" in str(error):
            return Credentials("none")
        return Credentials("invalid", (str(error)[:300],))


def read(file: Path | bytes, anchor: str | None = None) -> dict[str, Any]:
    """Every manifest in the file as the library tells it. Raises C2paError."""
    with (
        io.BytesIO(file) if isinstance(file, bytes) else file.open("rb") as raw,
        _context(anchor) as context,
        c2pa.Reader(MEDIA_TYPE, raw, context=context) as reader,
    ):
        told: dict[str, Any] = json.loads(reader.json())
        return told


def _context(anchor: str | None) -> c2pa.Context:
    return c2pa.Context.from_dict(
        {
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
            "core": {"allowed_network_hosts": []},
            "builder": {"thumbnail": {"enabled": False}},
            "trust": {"user_anchors": anchor} if anchor else {},
        }
    )


def _credentials(told: Mapping[str, Any]) -> Credentials:
    active = told.get("manifests", {}).get(told.get("active_manifest"), {})
    evidence = next(
        (a.get("data") for a in active.get("assertions", ()) if a.get("label") == LABEL), None
    )
    signature = active.get("signature_info", {})
    results = told.get("validation_results", {}).get("activeManifest", {})
    return Credentials(
        str(told.get("validation_state", "Invalid")).lower(),
        tuple(one.get("code", "") for one in results.get("failure", ())),
        f"{signature.get('issuer', '')}: {signature.get('common_name', '')}",
        evidence,
    )
