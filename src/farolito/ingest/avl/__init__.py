"""Where units are: one wire format a file, bytes in, positions or a named rejection out.

In: bytes at the door with a device's key (`FORMATS`), TAK connections, GPS modems, feeds, brokers.
Out: UnitPosition values with a place, the source's own time and ours, handed to a `Hear`; what was
not taken in to a `Tell`, by reason. Sources that we open are run by `ingest.run.keep_running`.
Never: a history of a unit's ways (only the newest position is kept), a guess of a position, a
sender taken for a unit that no table, proof or known call sign makes of it.
"""

from collections.abc import Mapping

from farolito.ingest.avl import farolito
from farolito.ingest.avl.farolito import Adapter, Heard, RejectedPosition

FORMATS: Mapping[str, Adapter] = {farolito.NAME: farolito}
# Every word that a source of positions is counted under, those without a door included.
NAMES = frozenset({*FORMATS, "tak", "nmea", "taip", "gtfs", "mqtt"})

__all__ = ["FORMATS", "NAMES", "Adapter", "Heard", "RejectedPosition"]
