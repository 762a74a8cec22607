"""XML from devices, parsed so that it can do nothing but be read.

No DTD, no entity of its own, no network: a document that brings a DOCTYPE is refused the moment
the parser meets it, before anything in it is expanded. Names are kept without namespace and
prefix, since recorders add prefixes and makers change namespaces between firmwares.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from farolito.model import Rejected

XML_BYTES_MAX = 8 * 1024 * 1024  # longer is refused before parsing
ELEMENTS_MAX = 10_000  # a reader's message has about 100; more is refused unless asked for
DEPTH_MAX = 32  # nesting; deeper is refused

# Expat's names for a document that stops before its end.
_CUT_SHORT = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


class Element:
    """A named element, its own text (trimmed) and its children, in order."""

    __slots__ = ("attributes", "children", "name", "pieces")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()

    def find(self, *path: str) -> Element | None:
        """The first child called `path[0]`, then its first child called `path[1]`, and so on."""
        here: Element | None = self
        for name in path:
            if here is None:
                return None
            here = next((child for child in here.children if child.name == name), None)
        return here

    def told(self, *path: str) -> str | None:
        """The text at `path`; None where it is absent or empty."""
        found = self.find(*path)
        return (found.text or None) if found is not None else None

    def every(self, name: str) -> Iterator[Element]:
        """All children called `name`."""
        return (child for child in self.children if child.name == name)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Builder:
    """Receives the parser's events, builds the tree, stops at the limits."""

    def __init__(self, elements_max: int) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        self.elements_max = elements_max

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > self.elements_max:
            raise Rejected("too_many", f"more than {self.elements_max} XML elements")
        if len(self.open) >= DEPTH_MAX:
            raise Rejected("too_deep", f"XML nested deeper than {DEPTH_MAX}")
        element = Element(_local(name), {_local(k): v for k, v in attributes.items()})
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _name: str) -> None:
        self.open.pop()

    def text(self, piece: str) -> None:
        if self.open:
            self.open[-1].pieces.append(piece)


def _forbid(*_: object) -> None:
    raise Rejected(
        "forbidden_xml", "the XML brings a DTD or an entity of its own", "send it without a DOCTYPE"
    )


def parse(body: bytes, elements_max: int = ELEMENTS_MAX) -> Element:
    """The root element of a document of at most so many.

    Raises Rejected: `truncated`, `malformed_xml`, `forbidden_xml`, `too_deep`, `too_many`,
    `too_large`.
    """
    if len(body) > XML_BYTES_MAX:
        raise Rejected("too_large", f"XML of more than {XML_BYTES_MAX} bytes", status=413)
    builder = _Builder(elements_max)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _forbid
    parser.EntityDeclHandler = _forbid
    parser.UnparsedEntityDeclHandler = _forbid
    parser.ExternalEntityRefHandler = _forbid  # type: ignore[assignment]
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        if error.code in _CUT_SHORT:
            raise Rejected("truncated", "the XML stops before its end", "send it again") from error
        says = f"no XML: {expat.ErrorString(error.code)}, line {error.lineno}"
        raise Rejected("malformed_xml", says) from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise Rejected("malformed_xml", "XML in an unknown encoding", "send UTF-8") from error
    if builder.root is None:
        raise Rejected("truncated", "no XML element in the message", "send it again")
    return builder.root
