"""The envelope of a message: its content type, its JSON, its parts."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from farolito.model import Rejected

BODY_BYTES_MAX = 8 * 1024 * 1024  # a larger message is refused unread (413)
PARTS_MAX = 16  # of a multipart message; more is refused
PART_HEADER_BYTES_MAX = 4096  # longer is refused
_BOUNDARY = re.compile(r'boundary="?([^\s";,]{1,200})"?', re.IGNORECASE)
_PARAMETER = re.compile(r'(?<![\w-])(name|filename)="?([^";\r\n]*)"?', re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"

JSON_TYPES = ("application/json", "text/json", "application/*+json")
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
XML_TYPES = ("application/xml", "text/xml", "application/*+xml")
MULTIPART_TYPES = ("multipart/form-data", "multipart/mixed", "multipart/related")

T = TypeVar("T")


def media_type(content_type: str, accepted: tuple[str, ...]) -> str:
    """The bare media type, or "" where the sender gave none (many cameras do not).

    Raises Rejected `wrong_content_type` (415) for one that the format does not speak.
    """
    bare = content_type.partition(";")[0].strip().lower()
    family, _, subtype = bare.partition("/")
    any_of_suffix = f"{family}/*+{subtype.rpartition('+')[2]}" if "+" in subtype else ""
    if bare and bare not in accepted and any_of_suffix not in accepted:
        says = "this format does not come in that content type"
        raise Rejected("wrong_content_type", says, f"send {accepted[0]}", status=415)
    return bare


def rejected_json(error: Exception) -> Rejected:
    """The named rejection for what msgspec says of bytes that it cannot decode."""
    if isinstance(error, RecursionError):
        return Rejected("too_deep", "JSON nested too deep", "send what the format describes")
    if isinstance(error, UnicodeDecodeError):
        return Rejected("malformed_json", "text that is not UTF-8", "send UTF-8")
    says = str(error)
    if isinstance(error, msgspec.ValidationError):
        return Rejected("wrong_shape", says, "see the format's description")
    if "truncated" in says:
        return Rejected("truncated", "the JSON stops before its end", "send it again")
    return Rejected("malformed_json", says, "send JSON")


BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def within_limit(body: bytes) -> None:
    """Raises Rejected `too_large` (413). The HTTP door refuses earlier; MQTT has no door."""
    if len(body) > BODY_BYTES_MAX:
        raise Rejected("too_large", f"a message of more than {BODY_BYTES_MAX} bytes", status=413)


def json_value(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises Rejected: `truncated`, `malformed_json`, `wrong_shape`, `too_deep`, `too_large`."""
    within_limit(body)
    try:
        return decoder.decode(body.removeprefix(_BOM))
    except BAD_JSON as error:
        raise rejected_json(error) from error


class Part(msgspec.Struct, frozen=True):
    """One part of a multipart message; `name` is its file name, or its field's name without one."""

    field: str
    name: str
    content: bytes


def parts(body: bytes, content_type: str) -> list[Part]:
    """The parts of a multipart body (RFC 2046 section 5.1), read from memory.

    Part content types are not looked at: cameras send JPEG as octet-stream. Raises Rejected:
    `malformed_multipart`, `truncated`, `too_many`, `too_large`.
    """
    within_limit(body)
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Rejected("malformed_multipart", "a multipart message without boundary", status=400)
    delimiter = b"\r\n--" + found[1].encode("utf-8", "replace")
    chunks = (b"\r\n" + body).split(delimiter, PARTS_MAX + 2)
    made: list[Part] = []
    for chunk in chunks[1:]:
        if chunk.startswith(b"--"):
            return made
        if len(made) >= PARTS_MAX:
            raise Rejected("too_many", f"more than {PARTS_MAX} parts in the message")
        made.append(_part(chunk))
    raise Rejected("truncated", "the multipart message stops before its end", "send it again")


def _part(chunk: bytes) -> Part:
    header, blank, content = chunk.partition(b"\r\n\r\n")
    if not blank or len(header) > PART_HEADER_BYTES_MAX:
        raise Rejected("malformed_multipart", "a part without header, or with an endless one")
    told = {
        key.lower(): value
        for key, value in _PARAMETER.findall(header.decode("utf-8", "replace"))
        if value
    }
    field = told.get("name", "")
    return Part(field, told.get("filename", field), content)
