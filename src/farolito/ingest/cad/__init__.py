"""Dispatch systems (CAD), in: what a message or file says of calls, as CallUpdate values.

In: messages at the door, files in a watched folder, events of an EIDO subscription, each with the
device whose calls they are. Out: `Decoded`: updates in our words, single records that were
rejected; or `Rejected` for the message as a whole. Doing stands apart from decoding: door.py,
folder.py and conveyance.py bring bytes and know no format; they acknowledge only what `take` says
is durable.
Never: a call merged or correlated (that is the desk's), a place guessed, a record that vanishes
without being named and counted.

A new format is a file here, a word in FORMATS, and samples. A CAD that writes files needs none of
that: a mapping file says what its fields mean (docs/formats/cad.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from farolito.ingest.cad import cloudevents, eido, farolito
from farolito.ingest.cad.decoded import Adapter, Decoded, RejectedRecord

_ADAPTERS: tuple[Adapter, ...] = (farolito, eido, cloudevents)

FORMATS: Mapping[str, Adapter] = {adapter.NAME: adapter for adapter in _ADAPTERS}

__all__ = ["FORMATS", "Adapter", "Decoded", "RejectedRecord"]
