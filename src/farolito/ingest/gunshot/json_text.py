"""JSON from sensors and vendors, and the named rejections for what is none."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from farolito.model import Rejected

BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")


def json_value(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    """Raises Rejected: `truncated`, `malformed_json`, `wrong_shape`, `too_deep`."""
    try:
        return decoder.decode(body)
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
        return Rejected("wrong_shape", says, "see docs/sensor-protocol.md")
    if "truncated" in says:
        return Rejected("truncated", "the JSON stops before its end", "send it again")
    return Rejected("malformed_json", says, "send JSON")
