"""Files to one StreetMap: each by the reader its name asks for, then one network of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from farolito.geo import StreetMap
from farolito.ingest.map.features import Box, Features, Progress, no_progress
from farolito.ingest.map.mapping import load_profiles
from farolito.ingest.map.network import build_network
from farolito.ingest.map.osm_pbf import read_osm_pbf
from farolito.ingest.map.osm_xml import read_osm_xml
from farolito.ingest.map.table import read_table
from farolito.model.errors import Rejected

_XML_ENDINGS = (".osm", ".osm.bz2", ".osm.gz", ".osm.xml")


class Imported(msgspec.Struct, frozen=True):
    """The map, and what was left out of it: reason → how many."""

    street_map: StreetMap
    skipped: Mapping[str, int]


def read_map(
    paths: Sequence[Path],
    name: str,
    mapping: Path | None = None,
    box: Box | None = None,
    progress: Progress = no_progress,
) -> Imported:
    """One map of all files. Raises Rejected with what to do; nothing is written."""
    profiles = load_profiles(mapping)
    features = Features(box)
    for path in paths:
        if not path.is_file():
            raise Rejected("no_file", f"there is no file {path.name}", "check the path", 404)
        if path.name.lower().endswith(_XML_ENDINGS):
            read_osm_xml(path, features, progress)
        elif path.suffix.lower() == ".pbf":
            read_osm_pbf(path, features, progress)
        else:
            read_table(path, profiles, features, progress)
    if not features.streets:
        raise Rejected(
            "no_roads",
            f"no street line in {', '.join(path.name for path in paths)}",
            "add a file with streets (OpenStreetMap, Census roads, centre lines)"
            + (", or check --box" if box is not None else ""),
        )
    progress("joining streets", 0, 0)
    nodes, segments = build_network(features.streets)
    street_map = StreetMap(
        name=name,
        source="; ".join(dict.fromkeys(features.sources)),
        nodes=nodes,
        segments=segments,
        areas=tuple(features.areas),
        buildings=tuple(features.buildings),
        landmarks=tuple(features.landmarks),
    )
    return Imported(street_map, dict(sorted(features.skipped.items())))
