"""A city whose shots are published."""

from __future__ import annotations

from tests.desk.conftest import city

__all__ = ["city"]
