"""Bytes of a file as text, in the encoding that it declares or that somebody wrote down for it."""

from __future__ import annotations

import codecs
import re

from farolito.model import Rejected

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# The encodings that a file may declare for itself: no codec that is more than a table of letters.
_READ = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii",
    "iso-8859-1": "latin-1", "latin-1": "latin-1", "latin1": "latin-1",
    "windows-1252": "cp1252", "cp1252": "cp1252", "utf-16": "utf-16",
    "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
_SPOKEN = {"cp1252": "windows-1252", "latin-1": "latin-1", "ascii": "ascii"}


def decoded_text(body: bytes, encoding: str, *, is_xml: bool = False) -> str:
    """The text. The file's own mark (BOM) counts most, then `encoding`, then what an XML file
    declares, then UTF-8.

    Raises Rejected `encoding`, which says which byte does not fit and what to write.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return _text(body[len(bom) :], name, len(bom))
    name = encoding or (_declared(body) if is_xml else "") or "utf-8"
    return _text(body, name, 0)


def _declared(body: bytes) -> str:
    found = _DECLARED.match(body[:200])
    if found is None:
        return ""
    name = found[1].decode("ascii").lower()
    if name not in _READ:
        do = "write encoding: windows-1252 (or another) in the mapping, or let the CAD write UTF-8"
        raise Rejected("encoding", f"the file says it is in {name!r}, which is not read", do)
    return _READ[name]


def _text(body: bytes, name: str, before: int) -> str:
    try:
        return body.decode(name)
    except UnicodeDecodeError as error:
        at = error.start
        line = body.count(b"\n", 0, at) + 1
        spoken = _SPOKEN.get(name, name.upper())
        cut = at >= len(body) - 3 and name.startswith("utf")
        if (cut and "end of data" in error.reason) or error.reason == "truncated data":
            says = "the file stops inside a letter"
            raise Rejected("truncated", says, "write it whole, then give it its name") from error
        says = f"byte {at + before + 1} (line {line}) is {body[at]:#04x}, which is no {spoken}"
        other = "utf-8" if name in _SPOKEN else "windows-1252"
        do = f"write encoding: {other} in the mapping, or let the CAD write UTF-8"
        if before:
            do = f"the file's own mark says {spoken}: let the CAD write all of it so"
        raise Rejected("encoding", says, do) from error
