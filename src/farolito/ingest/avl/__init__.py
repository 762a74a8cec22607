"""Where units are: one wire format a file, bytes in, positions or a named rejection out.

In: bytes with a device's key. Out: Unit values with a place and the time it was measured.
Never: a history of a unit's ways (only the newest position is kept), a guess of a position.
"""

from collections.abc import Mapping

from farolito.ingest.avl import farolito
from farolito.ingest.avl.farolito import Adapter

FORMATS: Mapping[str, Adapter] = {farolito.NAME: farolito}

__all__ = ["FORMATS", "Adapter"]
