"""Lists of cameras that traffic departments publish, one format a file.

In: the bytes of a list. Out: rows in the words of `entry`, or the fault of a row; Rejected for the
list as a whole. Each format brings its owner (None: told by who imports) and terms.
Never: fetching it; a direction of the road taken for the camera's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from farolito.ingest.video.entry import Cells, RowFault
from farolito.ingest.video.lists import caltrans, nmroads, traveler_511
from farolito.model import OwnerKind


class ListFormat(Protocol):
    @property
    def NAME(self) -> str: ...  # noqa: N802 - a module's constant

    @property
    def OWNER(self) -> tuple[str, str, OwnerKind] | None: ...  # noqa: N802

    @property
    def TERMS(self) -> Mapping[str, str]: ...  # noqa: N802

    def rows(self, body: bytes) -> Iterator[tuple[int, Cells | RowFault]]: ...


FORMATS: dict[str, ListFormat] = {
    module.NAME: module for module in (nmroads, caltrans, traveler_511)
}
