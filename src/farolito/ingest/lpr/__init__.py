"""Plate readers, in: one wire format a file, bytes in, reads or a named rejection out.

In: the bytes of one message, its content type, the device whose key it came with, and when it
arrived. Out: `Decoded`: plate reads in our words, the pictures that came with them, single items
that were rejected; or `Rejected` for the message as a whole.
Never: a clock, a disk, a network (mqtt.py, which brings bytes, is the exception and knows no
format), a guess about what a device did not say, or an exception other than Rejected.

A new format is a file here, a word in FORMATS, and samples. docs/adding-an-adapter.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from farolito.ingest.lpr import (
    axis,
    farolito,
    flock,
    frigate,
    genetec_sharpv,
    hikvision,
    openalpr,
    platerecognizer,
    verkada,
)
from farolito.ingest.lpr.decoded import Adapter, Decoded, RejectedItem, WrongTime

_ADAPTERS: tuple[Adapter, ...] = (
    farolito,
    openalpr,
    platerecognizer,
    flock,
    hikvision,
    axis,
    genetec_sharpv,
    verkada,
    frigate,
)

FORMATS: Mapping[str, Adapter] = {adapter.NAME: adapter for adapter in _ADAPTERS}

__all__ = ["FORMATS", "Adapter", "Decoded", "RejectedItem", "WrongTime"]
