"""When somebody is on duty."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import PersonId

SHIFT_MAX = timedelta(hours=36)  # longer is a mistyped day


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """From `starts` to before `ends`; a call-back is a shift too. Raises Invalid."""

    person: PersonId
    starts: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.starts.tzinfo is None or self.ends.tzinfo is None:
            raise Invalid("a time without its offset", "write 2026-03-01T22:00-07:00")
        if self.ends <= self.starts:
            raise Invalid("it ends before it starts", "give the next day for the end of a night")
        if self.ends - self.starts > SHIFT_MAX:
            hours = SHIFT_MAX // timedelta(hours=1)
            raise Invalid(f"it lasts more than {hours} hours", "give a line for each shift")


class Worked(NamedTuple):
    """Somebody did something then; `day`: by the agency's own clock."""

    person: PersonId
    at: datetime
    day: date
