"""A wall of pictures as a person laid it out."""

from __future__ import annotations

from typing import Annotated

import msgspec

from farolito.model.ids import CameraId

COLUMNS_MAX = 12
TILES_MAX = 64


class Tile(msgspec.Struct, frozen=True):
    camera_id: CameraId


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """Row by row; None where nothing stands."""

    columns: Annotated[int, msgspec.Meta(ge=1, le=COLUMNS_MAX)]
    tiles: Annotated[tuple[Tile | None, ...], msgspec.Meta(max_length=TILES_MAX)]
