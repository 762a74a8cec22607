"""Street maps in: OpenStreetMap, Census TIGER and cities' own centre lines become a StreetMap.

In: files from disk. Out: one StreetMap, its vector tiles (`tiles.build`) and its own file
(`files.save`). Never: the network, a guess at a street that the source does not have, or
anything a rejected file left half done.
"""

from farolito.ingest.map.features import Box
from farolito.ingest.map.files import load, save
from farolito.ingest.map.read import Imported, read_map
from farolito.ingest.map.tiles import TileReport, build

__all__ = ["Box", "Imported", "TileReport", "build", "load", "read_map", "save"]
