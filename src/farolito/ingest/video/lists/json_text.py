"""JSON of lists: read once, walked by dotted paths, its values as texts."""

from __future__ import annotations

from typing import Any

import msgspec

from farolito.ingest.video.entry import RowFault
from farolito.model import Rejected

FILE_BYTES_MAX = 64 * 1024 * 1024  # a larger list is rejected whole, status 413
_BOM = b"\xef\xbb\xbf"


def json_whole(body: bytes) -> Any:
    """Raises Rejected: `too_large`, `truncated`, `too_deep`, `malformed_json`."""
    if len(body) > FILE_BYTES_MAX:
        do = f"send at most {FILE_BYTES_MAX} bytes"
        raise Rejected("too_large", f"the list has {len(body)} bytes", do, 413)
    try:
        return msgspec.json.decode(body.removeprefix(_BOM))
    except RecursionError as error:
        raise Rejected("too_deep", "JSON nested too deep", "send the list itself") from error
    except UnicodeDecodeError as error:
        raise Rejected("malformed_json", "text that is not UTF-8", "send UTF-8") from error
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            raise Rejected(
                "truncated", "the list stops before its end", "fetch it again"
            ) from error
        do = "fetch the list as JSON; a page that says why not is no list"
        raise Rejected("malformed_json", f"the list is no JSON: {error}", do) from error


def at_path(value: Any, path: str) -> Any:
    """What stands at `a.b.0.c`, None where nothing does. A key with a dot in it is found whole."""
    if isinstance(value, dict) and path in value:
        return value[path]
    for word in path.split("."):
        if isinstance(value, dict):
            value = value.get(word)
        elif isinstance(value, list) and word.isascii() and word.isdigit() and len(word) < 7:
            value = value[int(word)] if int(word) < len(value) else None
        else:
            return None
    return value


def items_at(whole: Any, path: str) -> list[Any]:
    """The rows of a list. Raises Rejected `no_rows`."""
    found = at_path(whole, path) if path else whole
    if not isinstance(found, list):
        says = f"there is no array of rows {f'at {path!r}' if path else 'in the list'}"
        raise Rejected("no_rows", says, "check that this is the whole list, in this format")
    return found


def text_of(value: Any, name: str = "a value") -> str:
    """A single value as text. Raises RowFault `not_text`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        # 141.0 is 141: a tool that writes numbers anew must not make new cameras.
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    raise RowFault("not_text", f"{name[:40]} is neither text nor number")


def text_at(row: Any, path: str) -> str:
    """Raises RowFault `not_text`."""
    return text_of(at_path(row, path), path)
