"""Parameter sets made to order, as ITU-T H.264, 7.3.2.1.1 and E.1.1 lay them out."""

from __future__ import annotations

from collections.abc import Sequence


class Writer:
    def __init__(self) -> None:
        self._bits: list[str] = []

    def u(self, value: int, count: int) -> Writer:
        self._bits.append(format(value, f"0{count}b"))
        return self

    def ue(self, *values: int) -> Writer:
        for value in values:
            code = format(value + 1, "b")
            self._bits.append("0" * (len(code) - 1) + code)
        return self

    def se(self, value: int) -> Writer:
        return self.ue(2 * value - 1 if value > 0 else -2 * value)

    def nal(self, head: bytes) -> bytes:
        """With the stop bit, and 3 where 00 00 00…03 would stand."""
        bits = "".join(self._bits) + "1"
        bits += "0" * (-len(bits) % 8)
        raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
        out = bytearray()
        for byte in head + raw:
            if byte <= 3 and out.endswith(b"\x00\x00"):
                out.append(3)
            out.append(byte)
        return bytes(out)


def sps(
    width: int = 1280,
    height: int = 720,
    profile: int = 77,
    constraints: int = 0,
    *,
    chroma: int = 1,
    interlaced: bool = False,
    scaling: bool = False,
    reorder: int | None = None,
    order: int = 0,
    crop: Sequence[int] | None = None,
    macroblocks: tuple[int, int] | None = None,
) -> bytes:
    """Cropped to `width` by `height`; `crop`: left, right, top, bottom in units of the standard;
    `macroblocks`: across and down, to lie about the size."""
    out = Writer().ue(0)
    if profile in (100, 110, 122, 244):
        out.ue(chroma)
        if chroma == 3:
            out.u(0, 1)
        out.ue(0, 0).u(0, 1).u(scaling, 1)
        if scaling:
            out.u(1, 1)
            for _ in range(16):
                out.se(1)
            out.u(1, 1).se(-8).u(0, 6 if chroma != 3 else 10)
    out.ue(4, order)
    if order == 0:
        out.ue(2)
    elif order == 1:
        out.u(0, 1).se(0).se(0).ue(2).se(1).se(-1)
    out.ue(2).u(0, 1)
    down = 32 if interlaced else 16
    across, rows = macroblocks or (-(-width // 16), -(-height // down))
    out.ue(across - 1, rows - 1).u(not interlaced, 1)
    if interlaced:
        out.u(0, 1)
    out.u(1, 1)
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 if interlaced else 1)
    over = (across * 16 - width) // unit_x, (rows * down - height) // unit_y
    cut = tuple(crop) if crop else (0, over[0], 0, over[1])
    out.u(any(cut), 1)
    if any(cut):
        out.ue(*cut)
    out.u(reorder is not None, 1)
    if reorder is not None:
        # Its shape, 255: told in full; overscan; signal with colour; where chroma lies; clock.
        out.u(1, 1).u(255, 8).u(1, 16).u(1, 16).u(1, 1).u(0, 1).u(1, 1).u(5, 3).u(1, 1)
        out.u(1, 1).u(1, 8).u(1, 8).u(1, 8).u(1, 1).ue(0, 0).u(1, 1).u(1, 32).u(50, 32).u(1, 1)
        out.u(1, 1).ue(0).u(0, 8).ue(9, 9).u(0, 1).u(0, 20).u(0, 1).u(0, 1).u(0, 1)
        out.u(1, 1).u(1, 1).ue(0, 0, 10, 10, reorder, 4)
    return out.nal(bytes((0x67, profile, constraints, 31)))
