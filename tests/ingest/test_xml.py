"""XML can do nothing but be read."""

from __future__ import annotations

import pytest

from farolito.ingest import xml
from farolito.model import Rejected

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<lolz>&b;</lolz>"""


def reason(body: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        xml.parse(body)
    return caught.value.reason


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        BOMB.decode().replace('<?xml version="1.0"?>', "").encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "http://nowhere.invalid/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/hostname">]><a>&f;</a>',
        b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/hostname'>%p;]><a/>",
        b"<!DOCTYPE a><a/>",
    ],
)
def test_a_doctype_ends_the_parse_whatever_it_holds(body: bytes) -> None:
    assert reason(body) == "forbidden_xml"


@pytest.mark.parametrize("body", [b"", b"  ", b"<a>", b"<a><b", b"<a><b></b>", b"<a>\xc3"])
def test_xml_that_stops_early_is_truncated(body: bytes) -> None:
    assert reason(body) == "truncated"


@pytest.mark.parametrize(
    "body",
    [b"{}", b"<a></b>", b"<a>&b;</a>", b"<a/><a/>", b"<?xml version='1.0' encoding='x'?><a/>"],
)
def test_what_is_no_xml_is_malformed(body: bytes) -> None:
    assert reason(body) == "malformed_xml"


def test_nesting_and_size_have_limits() -> None:
    assert reason(b"<a>" * (xml.DEPTH_MAX + 1)) == "too_deep"
    assert reason(b"<a>" + b"<b/>" * xml.ELEMENTS_MAX + b"</a>") == "too_many"
    assert reason(b" " * (xml.XML_BYTES_MAX + 1)) == "too_large"


def test_names_are_told_without_namespace_and_prefix() -> None:
    root = xml.parse(b'<x:a xmlns:x="urn:x"><y:b> 1 <!-- c --></y:b><b>2</b></x:a>')
    assert root.name == "a"
    assert root.told("b") == "1"
    assert [child.text for child in root.every("b")] == ["1", "2"]
    assert root.told("c") is None
    assert root.find("b", "c") is None
