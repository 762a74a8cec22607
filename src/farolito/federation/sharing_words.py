"""What crosses between two nodes that share, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from farolito.model import AgreementId, PlateRead, ShareClass, Shot, SoundClip
from farolito.model.shared import Telling

BATCH_MAX = 64  # things of one message
BATCH_BYTES_MAX = 512_000  # and all of them together, so that one message fits a bus


class What(StrEnum):
    ITEMS = "items"  # things, each with its version
    RECALL = "recall"  # things that are taken back: no agreement is needed to hear of it
    UNITS = "units"  # where units of joint incidents are now; worth a second
    HANDOVER = "handover"  # records that belong to the receiver, made on its land


class HandedRead(msgspec.Struct, frozen=True):
    """A plate read made on a nation's land, with its pictures by SHA-256."""

    read: PlateRead
    pictures: Mapping[str, bytes] = {}


class HandedShot(msgspec.Struct, frozen=True):
    """A located shot, as its maker's sensors told it: `track` is the maker's name of it.
    `sounds`: WAV bytes by the SHA-256 of the clips; they follow when the sensors sent them."""

    shot: Shot
    track: str
    clips: tuple[SoundClip, ...] = ()
    sounds: Mapping[str, bytes] = {}


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`receipt`: of the owner's entry about this very telling."""

    what: What
    share_class: ShareClass
    agreement_id: AgreementId | None = None
    receipt: str
    items: Annotated[tuple[Telling, ...], msgspec.Meta(max_length=BATCH_MAX)] = ()
    reads: Annotated[tuple[HandedRead, ...], msgspec.Meta(max_length=BATCH_MAX)] = ()
    shots: Annotated[tuple[HandedShot, ...], msgspec.Meta(max_length=BATCH_MAX)] = ()


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver's word that it has all of it, durably. `receipt`: of its own entry."""

    receipt: str
    new: int = 0


class AskPurge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Delete what you hold of ours: of this agreement, or all. `because`: a stable word."""

    agreement_id: AgreementId | None = None
    because: str
    receipt: str


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """How many things were deleted, when, and the entry that says so."""

    purged: int
    at: datetime
    receipt: str
