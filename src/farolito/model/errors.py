"""The named errors of the product.

The world being wrong (bad bytes, no permit, a stale list) is expected and has one of these
names; our being wrong is an assertion and falls.
"""

from __future__ import annotations


class FarolitoError(Exception):
    """Something a person can act on: `says` what happened, `do` what to do next."""

    def __init__(self, says: str, do: str = "") -> None:
        super().__init__(f"{says}; {do}" if do else says)
        self.says = says
        self.do = do


class Invalid(FarolitoError, ValueError):
    """A value that cannot be what it claims to be. Raised when a noun is made."""


class Away(FarolitoError):
    """A part of the node that is not there at the moment, and comes back by itself."""


class Rejected(FarolitoError):
    """A message from outside that we do not take in.

    `reason` is a stable word (`truncated`, `masked_plate`, `future_time`, …): rejections are
    counted by it. `status` is the HTTP status the sender gets.
    """

    def __init__(self, reason: str, says: str, do: str = "", status: int = 422) -> None:
        super().__init__(says, do)
        self.reason = reason
        self.status = status


class Refused(FarolitoError):
    """The gate says no. `reason` is a stable word, `permit` the ledger entry of the refusal."""

    def __init__(self, reason: str, says: str, do: str = "", permit: int | None = None) -> None:
        super().__init__(says, do)
        self.reason = reason
        self.permit = permit
