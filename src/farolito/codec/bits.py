"""Bits of a header, most significant first, and Exp-Golomb numbers (ITU-T H.264, 9.1)."""

from __future__ import annotations

_UE_ZEROS_MAX = 31  # no number of a header is longer than 32 bits


class OutOfBits(Exception):
    """A header that ends before it has told what it must, or a number longer than any."""


class Bits:
    """Reads `raw` from its first bit. Raises OutOfBits; it never runs past the end."""

    def __init__(self, raw: bytes) -> None:
        self._value = int.from_bytes(raw, "big")
        self._left = len(raw) * 8

    def u(self, count: int) -> int:
        """The next `count` bits."""
        if count > self._left:
            raise OutOfBits
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.u(1))

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > _UE_ZEROS_MAX:
                raise OutOfBits
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def without_emulation(nal: bytes) -> bytes:
    """The bytes that were meant: the 3 that guards 00 00 00…03 taken out (7.4.1)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")
