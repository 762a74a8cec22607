"""What the app hands to the console of partners, joining and hosted agencies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from farolito.gate import Answer, Ask
from farolito.model import AgencyId

Shown = Mapping[str, Any]


@dataclass(frozen=True)
class Partners:
    """`own`: who this agency is, with the fingerprint of its key. `invite`: the code and when it
    ends, for partners that reach our web at an address. `take`: what a stranger's node brought to
    the open route; the answer. `host`: a new hosted agency, as it was told; `retire`: stop one for
    good, its folder. The partners they answer are as a screen shows them."""

    own: Callable[[], Shown]
    view: Callable[[Ask], Awaitable[Answer[Shown]]]
    invite: Callable[[Ask, str], Awaitable[Answer[tuple[str, datetime]]]]
    join: Callable[[Ask, str], Awaitable[Answer[Shown]]]
    confirm: Callable[[Ask, AgencyId, str], Awaitable[Answer[Shown]]]
    leave: Callable[[Ask, AgencyId], Awaitable[Answer[Shown]]]
    leave_all: Callable[[Ask], Awaitable[Sequence[Answer[Shown]]]]
    take: Callable[[bytes], Awaitable[bytes]]
    hosted: Callable[[Ask], Awaitable[Answer[Sequence[Shown]]]]
    host: Callable[[Ask, Shown], Awaitable[Answer[Shown]]]
    retire: Callable[[Ask, AgencyId], Awaitable[Answer[Shown]]]
