"""Dates as lists and dispatch systems write them, into moments in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from farolito.model import Invalid

DATES_REMEMBERED_MAX = 100_000  # of one list; then the memory is emptied: it only saves time
NEVER = datetime(2100, 1, 1, tzinfo=UTC)  # lists write 9999-12-31 for "does not end"
_EPOCH_MS_FROM = 100_000_000_000  # ms; as seconds this would be the year 5138

_PARTS = {
    "YYYY": r"(?P<Y>\d{4})", "YY": r"(?P<y>\d\d)", "MON": r"(?P<B>[A-Za-z]{3})",
    "MM": r"(?P<M>\d{1,2})", "M": r"(?P<M>\d{1,2})", "DD": r"(?P<D>\d{1,2})",
    "D": r"(?P<D>\d{1,2})", "hh": r"(?P<h>\d{1,2})", "h": r"(?P<h>\d{1,2})",
    "mm": r"(?P<m>\d{2})", "ss": r"(?P<s>\d{2})", "f": r"(?P<f>\d{1,9})",
    "am": r"(?P<p>[AaPp])\.?[Mm]\.?", "Z": r"(?P<z>[Zz]|[+-]\d\d:?\d\d)",
}  # fmt: skip
_TOKEN = re.compile("|".join(sorted(_PARTS, key=len, reverse=True)))
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_OTHER = ("iso", "epoch")


class DateReader:
    """Reads dates in the given formats, the first that fits.

    A format is `iso` (ISO 8601), `epoch` (seconds or milliseconds since 1970), or a pattern of
    YYYY YY MM M MON DD D hh h mm ss f am Z, such as `MM/DD/YYYY hh:mm`. A text with no offset of
    its own is in `zone`. With `to_end_of_day`, a day without a time means its end.
    """

    def __init__(
        self, formats: tuple[str, ...], zone: ZoneInfo, to_end_of_day: bool = False
    ) -> None:
        self.formats = formats
        self.zone = zone
        self.to_end_of_day = to_end_of_day
        self._patterns = [f if f in _OTHER else _compiled(f) for f in formats]
        self._known: dict[str, tuple[datetime, bool] | None] = {}

    def __call__(self, text: str) -> tuple[datetime, bool] | None:
        """The moment in UTC and whether only a day was told; None where no format fits."""
        try:
            return self._known[text]
        except KeyError:
            if len(self._known) >= DATES_REMEMBERED_MAX:
                self._known.clear()
            found = self._known[text] = self._read(text)
            return found

    def _read(self, text: str) -> tuple[datetime, bool] | None:
        for pattern in self._patterns:
            try:
                if pattern == "iso":
                    moment, is_day = datetime.fromisoformat(text), len(text) <= 10
                elif pattern == "epoch":
                    moment, is_day = _from_epoch(text), False
                else:
                    assert isinstance(pattern, re.Pattern)
                    moment, is_day = _matched(pattern, text)
                return self._in_utc(moment, is_day), is_day
            except (ValueError, OverflowError):
                continue
        return None

    def _in_utc(self, moment: datetime, is_day: bool) -> datetime:
        if moment.year >= NEVER.year:
            return NEVER
        if is_day and self.to_end_of_day:
            moment += timedelta(days=1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)


def _compiled(text: str) -> re.Pattern[str]:
    """Raises Invalid for a pattern that could not say which day is meant."""
    parts, tokens, at = [], [], 0
    matches = list(_TOKEN.finditer(text))
    for i, match in enumerate(matches):
        parts.append(re.escape(text[at : match.start()]))
        part = _PARTS[match[0]]
        touches = i + 1 < len(matches) and matches[i + 1].start() == match.end()
        touches = touches or (i > 0 and matches[i - 1].end() == match.start())
        parts.append(part.replace(r"\d{1,2}", r"\d{2}") if touches else part)
        tokens.append(re.findall(r"\?P<(\w)>", part)[0])
        at = match.end()
    parts.append(re.escape(text[at:]))
    has_day = "D" in tokens and ("M" in tokens or "B" in tokens) and {"Y", "y"} & set(tokens)
    if not has_day or len(set(tokens)) != len(tokens):
        raise Invalid(
            f"{text!r} is no date format",
            "use iso, epoch, or YYYY MM DD hh mm ss as in MM/DD/YYYY (mm is minutes)",
        )
    return re.compile("".join(parts), re.ASCII)


def _matched(pattern: re.Pattern[str], text: str) -> tuple[datetime, bool]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    told = match.groupdict()
    year = int(told["Y"]) if told.get("Y") else _century(int(told["y"]))
    month = int(told["M"]) if told.get("M") else 1 + _MONTHS.index(told["B"].upper())
    hour = int(told.get("h") or 0)
    if told.get("p"):
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + 12 * (told["p"] in "Pp")
    micro = int((told.get("f") or "0").ljust(6, "0")[:6])
    minute, second = int(told.get("m") or 0), int(told.get("s") or 0)
    moment = datetime(year, month, int(told["D"]), hour, minute, second, micro)  # noqa: DTZ001
    offset = told.get("z")
    if offset:
        moment = moment.replace(tzinfo=_offset(offset))
    return moment, told.get("h") is None


def _century(two_digits: int) -> int:
    """As POSIX strptime has it: 69-99 are 1969-1999."""
    return two_digits + (1900 if two_digits >= 69 else 2000)


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    digits = text.replace(":", "")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _from_epoch(text: str) -> datetime:
    if len(text) > 14 or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    number = int(text)
    return datetime.fromtimestamp(number / 1000 if number >= _EPOCH_MS_FROM else number, UTC)
