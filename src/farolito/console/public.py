"""What the app hands to the console of public pages, reports, and the owners of plates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from farolito.gate import Answer, Ask
from farolito.model.figures import OwnPlateAnswer, OwnPlateQuestion


@dataclass(frozen=True)
class Public:
    """`page`: media type and bytes of "", a period, its ".json", ".txt" or proof, or
    "witnesses.txt", in "en" or "es". `publish`: a month that is over, or in a demo the running one
    ("so-far"); `yearly`: a year. Both answer with what was published. `letter`: of an answer to the
    owner of a plate, with its permit, in a language."""

    page: Callable[[str, str], Awaitable[tuple[str, bytes]]]
    publish: Callable[[str], Awaitable[Mapping[str, Any]]]
    yearly: Callable[[Ask, str], Awaitable[Mapping[str, Any]]]
    own_plate: Callable[[Ask, OwnPlateQuestion], Awaitable[Answer[OwnPlateAnswer]]]
    letter: Callable[[OwnPlateAnswer, int, str], str]
