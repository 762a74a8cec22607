"""Tokens that were shown: each opens once, and none after its minute."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Literal

from farolito.media.token import OPENS_WITHIN_S, Grant, NoToken, read
from farolito.model import CameraId, FarolitoError

USED_MAX = 100_000  # tokens that the gate made within one minute; past it none is taken

S = 1_000_000  # µs

Reason = Literal["forged", "expired", "replayed", "other_camera"]


class TokenTurnedAway(FarolitoError):
    """A token that opens nothing here. `grant`: what it says, where it is ours at all."""

    def __init__(self, reason: Reason, grant: Grant | None = None) -> None:
        super().__init__(_SAYS[reason], "open the camera again")
        self.reason = reason
        self.grant = grant


_SAYS: dict[Reason, str] = {
    "forged": "this is no permission to look",
    "expired": "this permission to look is too old",
    "replayed": "this permission to look was used before",
    "other_camera": "this permission to look is for another camera",
}


class Grants:
    """What was shown is remembered as what it says, not as it was written: the same token can be
    written in more than one way."""

    def __init__(self, now_us: int) -> None:
        self._secret = b""
        self._since_us = now_us  # what was used or cut before, nobody here knows
        self._used: OrderedDict[Grant, int] = OrderedDict()  # to when it is forgotten, µs
        self._cut: dict[int | CameraId, int] = {}  # when, µs

    def prove_by(self, secret: bytes) -> None:
        self._secret = secret

    def take(self, token: str, now_us: int) -> Grant:
        """The grant of a token that is shown for the first time. Raises TokenTurnedAway."""
        if not self._secret:
            raise TokenTurnedAway("forged")
        try:
            grant = read(self._secret, token, now_us)
        except NoToken as error:
            raise TokenTurnedAway("expired" if error.says == "expired" else "forged") from error
        too_old = now_us > grant.made_us + OPENS_WITHIN_S * S or grant.made_us < self._since_us
        if too_old or self._is_cut(grant):
            raise TokenTurnedAway("expired", grant)
        self._forget(now_us)
        if grant in self._used or len(self._used) >= USED_MAX:
            raise TokenTurnedAway("replayed", grant)
        self._used[grant] = grant.made_us + (OPENS_WITHIN_S + 1) * S
        return grant

    def cut(self, permits: Collection[int], cameras: Collection[CameraId], now_us: int) -> None:
        """What was made of these before now opens nothing any more."""
        kept_us = now_us - (OPENS_WITHIN_S + 1) * S
        self._cut = {what: at_us for what, at_us in self._cut.items() if at_us > kept_us}
        self._cut |= dict.fromkeys((*permits, *cameras), now_us)

    def _is_cut(self, grant: Grant) -> bool:
        return grant.permit in self._cut or grant.made_us <= self._cut.get(grant.camera_id, -1)

    def _forget(self, now_us: int) -> None:
        while self._used:
            grant, until_us = next(iter(self._used.items()))
            if until_us >= now_us:
                return
            del self._used[grant]


def is_for(grant: Grant, other: Grant, camera_id: CameraId) -> bool:
    """Does `other` go on with what `grant` began?"""
    return other.person == grant.person and other.camera_id == camera_id
