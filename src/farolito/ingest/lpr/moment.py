"""When a car passed: the formats' ways of telling it, and what we believe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from farolito.ingest.lpr.decoded import WrongTime
from farolito.model import Device, Rejected

ANCIENT = datetime(2000, 1, 1, tzinfo=UTC)  # a clock before this was never set
AGE_MAX = timedelta(days=30)  # older is rejected: no device buffers longer
AHEAD_MAX = timedelta(minutes=5)  # clocks drift; further ahead is rejected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def _bad(says: str) -> Rejected:
    return Rejected("bad_time", says, "send the time as the format describes it")


def since_epoch(seconds: float | None = None, *, ms: float | None = None) -> datetime:
    """A time from seconds or milliseconds since 1970, UTC; the format says which, never the
    size of the number: a clock reset to 1970 would pass for a time of today.

    Raises Rejected `bad_time` without a number or outside the years 1…9999.
    """
    try:
        if ms is not None:
            return _EPOCH + timedelta(milliseconds=ms)
        if seconds is not None:
            return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise _bad("a time outside the calendar") from error
    raise _bad("no time in the message")


def epoch_ms(at: datetime) -> int:
    """Whole milliseconds since 1970, never less than 0."""
    return max(0, (at - _EPOCH) // _MILLISECOND)


def with_zone(at: datetime, device: Device) -> datetime:
    """UTC; a time told without zone is in the device's. The hour that comes twice in autumn is
    taken as its first. Raises Rejected `bad_time` at the edges of the calendar."""
    try:
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(device.zone))).astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise _bad("a time outside the calendar") from error


def from_iso(text: str | None, device: Device) -> datetime:
    """A time as ISO 8601 / RFC 3339 writes it. Raises Rejected `bad_time`."""
    if not text:
        raise _bad("no time in the message")
    try:
        return with_zone(datetime.fromisoformat(text.strip()), device)
    except ValueError as error:
        raise _bad("a time that is none") from error


def believed(at: datetime, received_at: datetime) -> None:
    """Raises Rejected `ancient_time`, `too_old` or `future_time` for what cannot be."""
    if at > received_at + AHEAD_MAX:
        do = "set the device's clock and time zone"
        raise WrongTime("future_time", "a time that has not come yet", do, at)
    if at < ANCIENT:
        do = "set the device's clock"
        raise WrongTime("ancient_time", "a time before the year 2000", do, at)
    if at < received_at - AGE_MAX:
        do = "bring old records in as an import, not as reads"
        raise WrongTime("too_old", f"a time more than {AGE_MAX.days} days ago", do, at)
