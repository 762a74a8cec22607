"""What an adapter gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from farolito.model import Device, PlateRead, Rejected


class RejectedItem(msgspec.Struct, frozen=True):
    """One item of a message that was not taken in. `item` counts from 0, as the sender wrote them.

    `told_at` is the time that the item gave, where the time was what is wrong with it.
    """

    item: int
    reason: str
    says: str
    do: str = ""
    told_at: datetime | None = None


class Decoded(msgspec.Struct, frozen=True):
    """The reads of one message.

    `pictures`: bytes by their SHA-256 in hex, the name that the reads' pictures carry.
    `rejected`: items that did not go in. `dropped`: parts (a picture that is none) left
    out of reads that did go in.
    `heartbeat`: the message is in order, carries no read, and says that its source lives.
    """

    reads: tuple[PlateRead, ...] = ()
    pictures: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    heartbeat: bool = False
    rejected: tuple[RejectedItem, ...] = ()
    dropped: tuple[RejectedItem, ...] = ()


HEARTBEAT = Decoded(heartbeat=True)


class WrongTime(Rejected):
    """A time outside what we take in. `told_at` is the time that the message gave."""

    def __init__(self, reason: str, says: str, do: str, told_at: datetime) -> None:
        super().__init__(reason, says, do)
        self.told_at = told_at


class Adapter(Protocol):
    """A module that turns one wire format into reads. It looks at its arguments and nothing else:
    no clock, no disk, no network."""

    @property
    def NAME(self) -> str:  # noqa: N802 (a module's constant)
        """The format's word, as devices name it."""

    def decode(
        self, body: bytes, content_type: str, device: Device, received_at: datetime
    ) -> Decoded:
        """The message's reads. Raises Rejected, and nothing else whatever the bytes."""


def item_of(index: int, error: Rejected) -> RejectedItem:
    told_at = error.told_at if isinstance(error, WrongTime) else None
    return RejectedItem(index, error.reason, error.says, error.do, told_at)


def settle(
    reads: Sequence[PlateRead],
    errors: Sequence[tuple[int, Rejected]],
    pictures: Mapping[str, bytes],
    dropped: Sequence[RejectedItem] = (),
) -> Decoded:
    """The answer for a message of several items.

    A message whose only item is bad is bad itself: its sender gets the reason as its status.
    """
    if len(errors) == 1 and not reads:
        raise errors[0][1]
    rejected = tuple(item_of(index, error) for index, error in errors)
    return Decoded(tuple(reads), pictures, rejected=rejected, dropped=tuple(dropped))
