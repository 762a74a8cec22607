"""Python's garbage collector, kept from walking what holds no cycles."""

from __future__ import annotations

import gc

NEW_OBJECTS_BEFORE_A_LOOK = 50_000


def spare_the_collector() -> None:
    """Reads come by the thousand and hold no cycles: looking for some cost half the ingest.

    Called once a process stands: what was made by then is not looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_BEFORE_A_LOOK, 20, 50)
