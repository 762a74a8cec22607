"""Numbers that arrive as text."""

from __future__ import annotations

import math

from farolito.model import Rejected

DIGITS_MAX = 32  # a longer text is no number of ours


def number(text: str | None, what: str) -> float | None:
    """A finite number; None for no text. Raises Rejected `wrong_shape`, naming `what`."""
    if text is None:
        return None
    try:
        value = float(text) if len(text) <= DIGITS_MAX else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Rejected("wrong_shape", f"{what} is not a number")
    return value


def share(percent: float | None) -> float | None:
    """0…1 from 0…100, without the digits that dividing adds."""
    return None if percent is None else round(percent / 100, 6)


def whole(text: str | None) -> int | None:
    """A whole number of at most six digits; None for anything else, which tells nothing."""
    is_whole = text is not None and text.isascii() and text.isdigit() and len(text) <= 6
    return int(text) if is_whole and text is not None else None
