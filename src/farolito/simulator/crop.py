"""Pictures of a passing car's plate and back, drawn from the truth.

A reader's text may be wrong; its picture never is: a person who compares the crop with the row
can see the misread. State designs are bare colours with the state's name; no emblem is drawn.
"""

from __future__ import annotations

import io
import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from farolito.simulator.fleet import Vehicle

PLATE_PX = (300, 150)
SCENE_PX = (400, 260)
PICTURES_KEPT_MAX = 512  # the ones used longest ago are drawn again
# Background, letters, band: of no state's true design, but each state's always the same.
_DESIGNS: dict[str, tuple[str, str, str]] = {
    "NM": ("#f2c230", "#b3202c", "#b3202c"), "TX": ("#f4f4f0", "#16181c", "#1f3b73"),
    "AZ": ("#cfe0ea", "#1c5a4a", "#7a4f9a"), "CO": ("#f4f4f0", "#1d4d2b", "#1d4d2b"),
    "CA": ("#f7f7f5", "#1d2f6f", "#b3202c"), "OK": ("#e8eef2", "#1b2a38", "#3f7fa8"),
    "UT": ("#f0e4d4", "#17202a", "#a4502a"), "NV": ("#dde6ee", "#1a2c56", "#8a94a0"),
    "FL": ("#f2f4ec", "#1d5b35", "#d97a1d"), "IL": ("#eaf0f6", "#9a1f2b", "#27477e"),
}  # fmt: skip
_OTHER = ("#eef0ee", "#1b2430", "#40546a")
_NAMES = {
    "NM": "NEW MEXICO", "TX": "TEXAS", "AZ": "ARIZONA", "CO": "COLORADO", "CA": "CALIFORNIA",
    "OK": "OKLAHOMA", "UT": "UTAH", "NV": "NEVADA", "KS": "KANSAS", "FL": "FLORIDA",
    "IL": "ILLINOIS", "MO": "MISSOURI", "MT": "MONTANA", "WA": "WASHINGTON", "WY": "WYOMING",
}  # fmt: skip
_PAINT = {
    "white": "#e9e9e6", "black": "#1d1e20", "gray": "#6d7175", "silver": "#b4b8bb",
    "blue": "#2c4a86", "red": "#9c2227", "brown": "#5a4030", "green": "#2f5a3c",
    "gold": "#b39549", "orange": "#c8641e", "yellow": "#d9b92c",
}  # fmt: skip


@lru_cache(maxsize=PICTURES_KEPT_MAX)
def plate_image(plate: str, state: str) -> Image.Image:
    """The clean plate, as it was stamped. The caller must not draw on it."""
    background, letters, band = _DESIGNS.get(state, _OTHER)
    image = Image.new("RGB", PLATE_PX, background)
    draw = ImageDraw.Draw(image)
    wide, high = PLATE_PX
    draw.rounded_rectangle((2, 2, wide - 3, high - 3), 12, outline=letters, width=3)
    draw.rectangle((14, high - 24, wide - 15, high - 19), fill=band)
    small = ImageFont.load_default(size=20)
    draw.text((wide / 2, 20), _NAMES.get(state, state), fill=band, font=small, anchor="mm")
    for x in (40, wide - 41):
        for y in (12, high - 11):
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill="#8c8f92")
    font = ImageFont.load_default(size=76)
    step = min(38.0, (wide - 40) / len(plate))
    left = wide / 2 - step * (len(plate) - 1) / 2
    for i, character in enumerate(plate):
        glyph = _glyph(character, letters, background, font)
        image.paste(glyph[0], (round(left + i * step - 18), 36), glyph[1])
    return image


def _glyph(
    character: str,
    letters: str,
    background: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> tuple[Image.Image, Image.Image]:
    """One stamped character, 36×86, narrow as on plates; a nought is slimmer than an O."""
    mask = Image.new("L", (80, 90), 0)
    ImageDraw.Draw(mask).text((40, 45), character, fill=255, font=font, anchor="mm", stroke_width=2)
    box = mask.getbbox() or (0, 0, 80, 90)
    narrow = {"1": 0.55, "I": 0.35, "0": 0.82}.get(character, 1.0)
    shape = mask.crop(box).resize((max(6, round(33 * narrow)), 80), Image.Resampling.LANCZOS)
    full = Image.new("L", (36, 86), 0)
    full.paste(shape, ((36 - shape.width) // 2, 3))
    return Image.new("RGB", (36, 86), letters), full


def plate_crop(vehicle: Vehicle, event: str, blur_px: float) -> bytes:
    """A JPEG of the plate as the reader saw it, 3–9 kB. The same arguments, the same bytes."""
    chance = random.Random(f"crop {event}")  # noqa: S311 - practice, no secret
    image = plate_image(vehicle.plate, vehicle.state)
    image = image.rotate(
        chance.uniform(-3.5, 3.5), Image.Resampling.BICUBIC, expand=False, fillcolor="#26282b"
    )
    scale = chance.uniform(0.62, 0.85)
    size = (round(PLATE_PX[0] * scale), round(PLATE_PX[1] * scale))
    image = image.resize(size, Image.Resampling.BILINEAR)
    image = image.filter(ImageFilter.GaussianBlur(blur_px))
    return _jpeg(_shot(image, event, chance.uniform(0.62, 1.12)), 72)


def scene(vehicle: Vehicle, event: str) -> bytes:
    """A JPEG of the car from behind, plate and all, 5–15 kB."""
    chance = random.Random(f"scene {event}")  # noqa: S311 - practice, no secret
    wide, high = SCENE_PX
    image = Image.new("RGB", SCENE_PX, "#59585a")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, wide, 70), fill="#8d8578")
    draw.line((30, high, 150, 70), fill="#c9c5b4", width=4)
    draw.line((wide - 20, high, 270, 70), fill="#c9c5b4", width=4)
    _car(draw, vehicle)
    small = plate_image(vehicle.plate, vehicle.state).resize((78, 39), Image.Resampling.LANCZOS)
    image.paste(small, (wide // 2 - 39, 166))
    return _jpeg(_shot(image, event, chance.uniform(0.75, 1.08)), 68)


def _car(draw: ImageDraw.ImageDraw, vehicle: Vehicle) -> None:
    """A back in the car's colour; its height and windows tell the kind."""
    paint = _PAINT[vehicle.colour]
    roof = {"sedan": 88, "motorcycle": 110, "suv": 58, "pickup": 66, "van": 40, "truck": 18}
    top, left, right = roof.get(vehicle.kind, 80), 95, 305
    if vehicle.kind == "motorcycle":
        left, right = 165, 235
    draw.ellipse((left - 6, 214, right + 6, 246), fill="#343436")
    for x in (left + 8, right - 40):
        draw.rounded_rectangle((x, 190, x + 32, 240), 6, fill="#161617")
    waist = 132 if vehicle.kind != "truck" else 96
    draw.polygon(
        [(left + 26, top), (right - 26, top), (right - 4, waist), (left + 4, waist)], fill=paint
    )
    draw.polygon(
        [
            (left + 36, top + 9),
            (right - 36, top + 9),
            (right - 20, waist - 5),
            (left + 20, waist - 5),
        ],
        fill="#20262c",
    )
    draw.rounded_rectangle((left, waist, right, 222), 10, fill=paint, outline="#111214")
    if vehicle.kind == "pickup":
        draw.line((left + 10, waist + 10, right - 10, waist + 10), fill="#111214", width=2)
    for x in (left + 6, right - 28):
        draw.rectangle((x, waist + 12, x + 22, waist + 30), fill="#a8161c")


def _shot(image: Image.Image, event: str, light: float) -> Image.Image:
    """The picture as a sensor sees it: dimmer or brighter, and with noise."""
    noise = np.random.Generator(np.random.PCG64(int(event[:16], 16)))
    values = np.asarray(image, dtype=np.float32) * light
    values += noise.normal(0, 5.5, (*values.shape[:2], 1)).astype(np.float32)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
