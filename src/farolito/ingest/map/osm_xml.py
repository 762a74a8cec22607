"""OpenStreetMap XML (`.osm`, `.osm.bz2`, `.osm.gz`), read as a stream.

For a city. A county or more is better read as PBF, which is ten times smaller and quicker.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, ParseError

import shapely
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from farolito.geo import LatLon
from farolito.ingest.map.features import Features, Progress, Ring
from farolito.ingest.map.osm import SOURCE, is_wanted, take_line, take_point, take_rings
from farolito.model.errors import Rejected

XML_BYTES_MAX = 4 << 30  # unpacked; more is refused as `too_large`
NODES_MAX = 30_000_000  # positions kept in memory, about 150 bytes each; more is `too_large`
_TOLD_EVERY = 50_000  # elements between two words of progress

_Tags = dict[str, str]


def read_osm_xml(path: Path, features: Features, progress: Progress) -> None:
    """Adds the file's streets and shapes. Raises Rejected: truncated, unreadable, too_large."""
    reading = _Reading(features, progress, path.name)
    try:
        with _open(path) as stream:
            reading.read(cast("IO[bytes]", _Limited(stream)))
    except EOFError as error:
        raise Rejected(
            "truncated",
            f"{path.name} ends in the middle of its compressed data",
            "download it again and compare its size or checksum",
        ) from error
    except (OSError, zlib.error) as error:
        raise Rejected(
            "unreadable", f"{path.name}: {error}", "check that it is the whole file"
        ) from error
    except DefusedXmlException as error:
        raise Rejected(
            "unsafe_xml",
            f"{path.name} declares a DTD or entities, which no OpenStreetMap file does",
            "take the extract from its publisher",
        ) from error
    except ParseError as error:
        is_cut = any(words in str(error) for words in ("no element found", "unclosed token"))
        reason = "truncated" if is_cut else "unreadable"
        raise Rejected(
            reason, f"{path.name} is not whole XML: {error}", "download it again"
        ) from error
    features.sources.append(SOURCE)


class _Reading:
    """Nodes come first in every OSM file, then ways, then relations: each needs those before."""

    def __init__(self, features: Features, progress: Progress, name: str) -> None:
        self._features = features
        self._progress = progress
        self._name = name
        self._nodes: dict[int, LatLon] = {}
        self._ways: dict[int, tuple[LatLon, ...]] = {}

    def read(self, stream: IO[bytes]) -> None:
        root: Element | None = None
        done = 0
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            if root is None:
                root = element
                self._check_root(root)
            if event != "end" or element.tag not in {"node", "way", "relation"}:
                continue
            self._take(element)
            root.clear()
            done += 1
            if done % _TOLD_EVERY == 0:
                self._progress(f"reading {self._name}", done, 0)

    def _check_root(self, root: Element) -> None:
        if root.tag != "osm":
            raise Rejected(
                "unreadable",
                f"{self._name} is XML, but its root is <{root.tag[:40]}>, not <osm>",
                "give an OpenStreetMap extract",
            )

    def _take(self, element: Element) -> None:
        try:
            match element.tag:
                case "node":
                    self._take_node(element)
                case "way":
                    self._take_way(element)
                case "relation":
                    self._take_relation(element)
        except (KeyError, ValueError):
            self._features.skipped[f"{element.tag} with a missing or wrong number"] += 1

    def _take_node(self, element: Element) -> None:
        at = float(element.attrib["lat"]), float(element.attrib["lon"])
        if not (-90 <= at[0] <= 90 and -180 <= at[1] <= 180):
            raise ValueError
        if len(self._nodes) >= NODES_MAX:
            raise Rejected(
                "too_large",
                f"more than {NODES_MAX:,} nodes in {self._name}",
                "use the .osm.pbf of the same extract, or cut it to your county",
                413,
            )
        self._nodes[int(element.attrib["id"])] = at
        if len(element):
            take_point(self._features, _tags(element), at)

    def _take_way(self, element: Element) -> None:
        tags = _tags(element)
        refs = [int(nd.attrib["ref"]) for nd in element.iterfind("nd")]
        runs = list(self._runs(refs))
        whole = len(runs) == 1 and len(runs[0]) == len(refs)
        if whole:
            self._ways[int(element.attrib["id"])] = runs[0]
        if "highway" in tags:
            for line in runs:
                take_line(self._features, tags, line)
        if whole and refs[0] == refs[-1] and is_wanted(tags):
            take_rings(self._features, tags, runs)

    def _runs(self, refs: list[int]) -> Iterator[tuple[LatLon, ...]]:
        """A way's parts inside the extract: nodes beyond its edge are not in the file."""
        run: list[LatLon] = []
        for ref in refs:
            at = self._nodes.get(ref)
            if at is not None:
                run.append(at)
                continue
            if len(run) > 1:
                yield tuple(run)
            run = []
        if len(run) > 1:
            yield tuple(run)

    def _take_relation(self, element: Element) -> None:
        tags = _tags(element)
        if tags.get("type") not in {"multipolygon", "boundary"} or not is_wanted(tags):
            return
        members = [m for m in element.iterfind("member") if m.get("type") == "way"]
        outer = [self._ways.get(int(m.attrib["ref"])) for m in members if m.get("role") != "inner"]
        lines = [line for line in outer if line is not None]
        if len(lines) < len(outer):
            self._features.skipped["area that reaches beyond the extract"] += 1
            return
        take_rings(self._features, tags, _rings(lines))


def _rings(lines: list[tuple[LatLon, ...]]) -> list[Ring]:
    """Outer rings from member ways in any order and direction."""
    polygons = shapely.get_parts(shapely.polygonize([shapely.LineString(li) for li in lines]))
    return [tuple((y, x) for y, x in polygon.exterior.coords) for polygon in polygons]


def _tags(element: Element) -> Mapping[str, str]:
    return {tag.attrib["k"]: tag.attrib["v"] for tag in element.iterfind("tag")}


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".bz2":
        return cast("IO[bytes]", bz2.open(path))
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


class _Limited:
    """Reads no more than XML_BYTES_MAX: a small packed file can hold a very large one."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = XML_BYTES_MAX

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise Rejected(
                "too_large",
                f"more than {XML_BYTES_MAX >> 30} GiB of XML",
                "use the .osm.pbf of the same extract, or cut it to your county",
                413,
            )
        return chunk
