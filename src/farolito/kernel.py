"""Compiled numbers: one decorator, so that every kernel is compiled alike and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Compute = TypeVar("Compute", bound=Callable[..., object])


def kernel(compute: Compute) -> Compute:
    """Compiled at its first call, without Python's lock; the machine code is cached beside it.

    The cache of a kernel does not notice a change in a kernel of another file that it calls:
    after such a change touch the caller's file.
    """
    return cast("Compute", numba.njit(cache=True, nogil=True, error_model="numpy")(compute))
