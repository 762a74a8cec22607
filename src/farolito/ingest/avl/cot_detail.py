"""What stands in an event's `<detail>`: kept as text, and in protobuf partly in fields.

Version 1 of the TAK protocol carries six elements in fields of their own (contact, group, …), but
only where such a field holds all the element says; everything else stays XML. Where a sender
brings an element both ways, the XML counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from farolito.ingest import xml
from farolito.ingest.xml import Element

# What XML cannot carry becomes the replacement character; what quotes and reads otherwise, its
# reference.
_TEXT: dict[int, str] = {code: "\ufffd" for code in range(32) if code not in {9, 10, 13}}
_TEXT |= {0xFFFE: "\ufffd", 0xFFFF: "\ufffd", 38: "&amp;", 60: "&lt;", 62: "&gt;", 13: "&#13;"}
_ATTRIBUTE = _TEXT | {34: "&quot;", 39: "&apos;", 9: "&#9;", 10: "&#10;"}

_detail_opens = re.compile(r"<detail\s*(/?)>").search
_says_encoding = re.compile(rb"""<\?xml[^>]*encoding=['"]([\w-]+)""").match
_OURS = frozenset({b"utf-8", b"utf8", b"us-ascii"})

# Element → its attributes in the protobuf message, and its name there. The element is carried in
# fields only with all of `needed` and nothing beside `known`.
_CONTACT, _GROUP = "contact", "__group"
_FIELD = {
    _CONTACT: "contact",
    _GROUP: "group",
    "precisionlocation": "precisionLocation",
    "status": "status",
    "takv": "takv",
    "track": "track",
}
_KNOWN = {
    _CONTACT: ("callsign", "endpoint"),
    _GROUP: ("name", "role"),
    "precisionlocation": ("geopointsrc", "altsrc"),
    "status": ("battery",),
    "takv": ("device", "platform", "os", "version"),
    "track": ("speed", "course"),
}
_TYPED_TAG = {
    name: re.compile(rf"""<{name}(?:\s+\w+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*(?:/>|>\s*</{name}\s*>)""")
    for name in _FIELD
}
_TAG_BEGINS = {name: re.compile(rf"<{name}(?=[\s/>])") for name in _FIELD}
_BATTERY_MAX = 2**32 - 1


def attribute(text: str) -> str:
    """Text as it may stand between double quotes."""
    return text.translate(_ATTRIBUTE)


def element(name: str, said: Mapping[str, str | None], inside: str = "", text: str = "") -> str:
    """One element; None leaves an attribute out. `inside` is XML already, `text` is not."""
    told = "".join(f' {k}="{attribute(v)}"' for k, v in said.items() if v is not None)
    body = text.translate(_TEXT) + inside
    return f"<{name}{told}>{body}</{name}>" if body else f"<{name}{told}/>"


def inner_detail(message: bytes, root: Element) -> str:
    """The XML inside the event's `<detail>`, as it was written wherever that is safe to cut."""
    details = list(root.every("detail"))
    if not details:
        return ""
    cut = _cut_out(message) if len(details) == 1 and not details[0].attributes else None
    if cut is not None:
        return cut
    return "".join(_text(detail) + "".join(map(_write, detail.children)) for detail in details)


def _cut_out(message: bytes) -> str | None:
    """None for what only a parser can cut: comments, CDATA, nested details, other encodings."""
    encoding = _says_encoding(message)
    if b"<!" in message or message.count(b"<?") > 1 or message.count(b"</detail") > 1:
        return None
    if encoding is not None and encoding[1].lower() not in _OURS:
        return None
    try:
        text = message.decode()
    except UnicodeDecodeError:
        return None
    opens = _detail_opens(text)
    if opens is None or "xmlns" in text[: opens.start()]:
        return None
    return "" if opens[1] else text[opens.end() : text.rfind("</detail")].strip()


def _write(told: Element) -> str:
    inside = "".join(map(_write, told.children))
    return element(told.name, told.attributes, inside, told.text)


def _text(told: Element) -> str:
    return told.text.translate(_TEXT)


def typed_xml(detail: Any) -> str:
    """The detail of a protobuf event as XML. Raises Rejected where its XML part is not XML."""
    untyped: str = detail.xmlDetail.strip()
    given: frozenset[str] = frozenset()
    if untyped:
        given = frozenset(child.name for child in _tree(untyped).children)
    written = []
    for name, field in _FIELD.items():
        if name in given or not detail.HasField(field):
            continue
        told = getattr(detail, field)
        values = ((key, getattr(told, key)) for key in _KNOWN[name])
        written.append(element(name, {key: str(value) for key, value in values if value != ""}))
    return "".join(written) + untyped


def split_typed(text: str, detail: Any) -> None:
    """Fill a protobuf detail: what its fields hold goes there, the rest stays XML."""
    if not text:
        return
    tree = _tree(text)
    for name in _FIELD:
        told = tree.find(name)
        if told is None or "<!" in text or len(_TAG_BEGINS[name].findall(text)) != 1:
            continue
        tag = _TYPED_TAG[name].search(text)
        if tag is not None and _fill(name, told.attributes, detail):
            text = text[: tag.start()] + text[tag.end() :]
    detail.xmlDetail = text


def _fill(name: str, said: Mapping[str, str], detail: Any) -> bool:
    """Whether the fields hold all that the element says."""
    known = _KNOWN[name]
    needed = known[:1] if name == _CONTACT else known
    if not all(map(said.get, needed)) or not said.keys() <= set(known) or not all(said.values()):
        return False
    values: dict[str, str | int | float] = dict(said)
    try:
        if name == "status":
            if not said["battery"].isdecimal() or int(said["battery"]) > _BATTERY_MAX:
                return False
            values = {"battery": int(said["battery"])}
        if name == "track":
            values = {key: float(value) for key, value in said.items()}
            if not all(map(math.isfinite, map(float, said.values()))):
                return False
    except ValueError:
        return False
    field = getattr(detail, _FIELD[name])
    field.SetInParent()
    for key, value in values.items():
        setattr(field, key, value)
    return True


def _tree(text: str) -> Element:
    return xml.parse(f"<detail>{text}</detail>".encode("utf-8", "replace"))
