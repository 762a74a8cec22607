"""A tar file with one spelling: the same members always make the same bytes (POSIX.1-1988 ustar).

Any `tar` opens it. Ours reads only what ours writes, so that no byte of a file is without meaning:
a changed time stamp or padding byte is as visible as a changed entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from farolito.model import Invalid

BLOCK = 512
MEMBERS_MAX = 20_000
MEMBER_BYTES_MAX = 0o77777777777  # what the header's eleven octal digits hold

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,98}")
_END = bytes(2 * BLOCK)


def write(members: Iterable[tuple[str, bytes]]) -> bytes:
    parts = []
    for name, content in members:
        parts += [_header(name, len(content)), content, bytes(-len(content) % BLOCK)]
    return b"".join([*parts, _END])


def _header(name: str, size: int) -> bytes:
    assert _NAME.fullmatch(name), "our own names are plain"
    assert size <= MEMBER_BYTES_MAX, "bundles are bounded far below this"
    fields = [
        name.encode().ljust(100, b"\0"),
        b"0000444\0",  # mode: read only
        b"0000000\0" * 2,  # user and group
        b"%011o\0" % size,
        b"%011o\0" % 0,  # time
        b" " * 8,  # the sum's place, counted as spaces
        b"0" + bytes(100),  # a regular file, no link
        b"ustar\x0000" + bytes(64),
        b"0000000\0" * 2,  # device
        bytes(155 + 12),
    ]
    raw = b"".join(fields)
    return raw[:148] + b"%06o\0 " % sum(raw) + raw[156:]


def read(raw: bytes) -> list[tuple[str, bytes]]:
    """The members, in order. Raises Invalid for anything `write` would not have written."""
    members: list[tuple[str, bytes]] = []
    at = 0
    while raw[at : at + BLOCK].strip(b"\0"):
        if len(members) == MEMBERS_MAX:
            raise Invalid("an archive with too many members")
        name, size = _parse_header(raw[at : at + BLOCK])
        content = raw[at + BLOCK : at + BLOCK + size]
        padding = -size % BLOCK
        at += BLOCK + size + padding
        if len(content) != size or raw[at - padding : at] != bytes(padding):
            raise Invalid(f"an archive that is cut or padded wrongly at {name}")
        members.append((name, content))
    if raw[at:] != _END:
        raise Invalid("an archive that does not end as it should")
    return members


def _parse_header(header: bytes) -> tuple[str, int]:
    try:
        name = header[:100].rstrip(b"\0").decode("ascii")
        size = int(header[124:135], 8)
    except ValueError as error:
        raise Invalid("an archive with a damaged header") from error
    if not _NAME.fullmatch(name) or size < 0 or _header(name, size) != header:
        raise Invalid("an archive with a damaged header")
    return name, size
