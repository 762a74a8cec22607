"""JSON from dispatch systems, and the named rejections for what is none."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from farolito.model import Rejected

BODY_BYTES_MAX = 8 * 1024 * 1024  # a larger message is refused unread (413)
JSON_TYPES = ("application/json", "text/json")
_BOM = b"\xef\xbb\xbf"

T = TypeVar("T")

BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def json_type(content_type: str) -> None:
    """Any JSON, or nothing told. Raises Rejected `wrong_content_type` (415)."""
    bare = content_type.partition(";")[0].strip().lower()
    if bare and bare not in JSON_TYPES and not bare.endswith("+json"):
        says = "this format does not come in that content type"
        raise Rejected("wrong_content_type", says, "send application/json", status=415)


def json_value(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises Rejected: `truncated`, `malformed_json`, `wrong_shape`, `too_deep`, `too_large`."""
    if len(body) > BODY_BYTES_MAX:
        raise Rejected("too_large", f"a message of more than {BODY_BYTES_MAX} bytes", status=413)
    try:
        return decoder.decode(body.removeprefix(_BOM))
    except BAD_JSON as error:
        raise rejected_json(error) from error


def rejected_json(error: Exception) -> Rejected:
    """The named rejection for what msgspec says of bytes that it cannot decode."""
    if isinstance(error, RecursionError):
        return Rejected("too_deep", "JSON nested too deep", "send what the format describes")
    if isinstance(error, UnicodeDecodeError):
        return Rejected("malformed_json", "text that is not UTF-8", "send UTF-8")
    says = str(error)
    if isinstance(error, msgspec.ValidationError):
        return Rejected("wrong_shape", says, "see docs/formats/cad.md")
    if "truncated" in says:
        return Rejected("truncated", "the JSON stops before its end", "send it again")
    return Rejected("malformed_json", says, "send JSON")
