"""Three neighbours that ask each other, for tests of what the node looks at."""

from tests.federation.conftest import neighbours

__all__ = ["neighbours"]
