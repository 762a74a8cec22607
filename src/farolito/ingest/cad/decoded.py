"""What an adapter gives back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from farolito.model import CallUpdate, Device, Rejected


class RejectedRecord(msgspec.Struct, frozen=True):
    """One record of a message that was not taken in, or has a flaw. `item` counts from 0."""

    item: int
    reason: str
    says: str
    do: str = ""


class Decoded(msgspec.Struct, frozen=True):
    """The calls' updates of one message, in the order in which they were written.

    `rejected`: records that did not go in. `flaws`: what was wrong with a message that did.
    `others`: records of agencies that the mapping does not take, counted only.
    `heartbeat`: the message is in order, tells of no call, and says that its source lives.
    """

    updates: tuple[CallUpdate, ...] = ()
    rejected: tuple[RejectedRecord, ...] = ()
    flaws: tuple[RejectedRecord, ...] = ()
    others: int = 0
    heartbeat: bool = False


HEARTBEAT = Decoded(heartbeat=True)


class Adapter(Protocol):
    """A module that turns one wire format into updates. It looks at its arguments and nothing
    else: no clock, no disk, no network."""

    @property
    def NAME(self) -> str:  # noqa: N802 (a module's constant)
        """The format's word, as devices name it."""

    def decode(
        self, body: bytes, content_type: str, device: Device, received_at: datetime
    ) -> Decoded:
        """The message's updates. Raises Rejected, and nothing else whatever the bytes."""


def settle(
    updates: Sequence[CallUpdate], errors: Sequence[tuple[int, Rejected]], others: int = 0
) -> Decoded:
    """The answer for a message of several records: a bad one takes only itself.

    A message whose only record is bad is bad itself: its sender gets the reason as its status.
    """
    if len(errors) == 1 and not updates and not others:
        raise errors[0][1]
    rejected = tuple(RejectedRecord(at, why.reason, why.says, why.do) for at, why in errors)
    return Decoded(tuple(updates), rejected, others=others)
