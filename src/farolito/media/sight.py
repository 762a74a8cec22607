"""What one key frame tells of a camera's eye, in numbers that show no scene.

The picture is decoded in memory and let go at once. What stays are a few figures, 144 directions of
edges, 64 sums over random halves of the picture, none of which can be turned back into it.

Sums: 10,000 cameras in 5 minutes are 33 key frames a second. Decoding one of 1280×720 and 50 kB
costs 4 ms, the figures 1 ms: a sixth of a core.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from farolito.codec import AccessUnit, Broken
from farolito.codec.h264 import nals
from farolito.codec.jpeg import jpeg_size
from farolito.codec.sps import read_sps
from farolito.model import PictureState

Picture = npt.NDArray[np.uint8]

PIXELS_MAX = 40_000_000  # 8K; a larger one is not decoded
ACROSS, DOWN = 16, 9  # blocks
BLOCK = 20  # pixels a side, of the small picture
SHARP_ACROSS = 640  # pixels of the picture that sharpness is measured on
SMOOTHED = 1.0  # pixels
SUMS = 64
FLAT_BELOW = 2.5  # standard deviation of a block with nothing in it
EDGE_ENERGY = 60.0  # of a block with an edge, mean square of its gradient
EDGE_SURE = 0.35  # how much it goes one way
NOISE = 200.0  # energy of the first derivative in a block with nothing but noise
NO_EDGE = 15
DIRECTIONS = 8
"""The signature holds one of these for each block: directions of 22.5°, or `NO_EDGE`."""

_DO_DECODE = "if it stays so, restart the camera; else set it to H.264 baseline or main profile"


class Sight(NamedTuple):
    """`mean` and `contrast` (standard deviation) of brightness, 0…255. `sharpness`: energy of fine
    detail for each unit of contrast, of the quarter of the picture that has most. `flat`: share of
    blocks with nothing in them. `edges`: ACROSS × DOWN directions. `sums`: of brightness over
    random halves, so that two pictures that are alike to `n` levels differ by `n` there."""

    mean: float
    contrast: float
    sharpness: float
    flat: float
    edges: bytes
    sums: tuple[float, ...]
    width: int
    height: int


def look(unit: AccessUnit) -> Sight:
    """Raises Broken: MALFORMED or NOT_A_PICTURE where there is no picture in it."""
    return measure(_jpeg(unit.data) if unit.codec == "jpeg" else _h264(unit.data))


def measure(picture: Picture) -> Sight:
    """Of a grey picture."""
    height, width = picture.shape
    across = min(SHARP_ACROSS, width)
    down = max(1, round(height * across / width))
    middle = _shrunk(picture, across, down)
    small = _shrunk(middle, ACROSS * BLOCK, DOWN * BLOCK)
    grey = small.astype(np.float32)
    blocks = _blocks(grey)
    spread = blocks.std(axis=1)
    return Sight(
        mean=float(grey.mean()),
        contrast=float(grey.std()),
        sharpness=_sharpness(middle),
        flat=float((spread < FLAT_BELOW).mean()),
        edges=_edges(grey),
        sums=_sums(small),
        width=width,
        height=height,
    )


def _h264(data: bytes) -> Picture:
    told = next((read_sps(nal) for nal in nals(data) if nal[0] & 0x1F == 7), None)
    if told is None:
        raise Broken(PictureState.MALFORMED, "its key frame has no parameter set", _DO_DECODE)
    if told.width * told.height > PIXELS_MAX:
        raise Broken(PictureState.TOO_MUCH, f"its picture is {told.width} × {told.height}",
                     "set a smaller picture")  # fmt: skip
    # OpenCV does not hold on to what it reads from: this must outlive the capture.
    source: Any = io.BytesIO(data)
    capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        is_there, picture = capture.read()
    finally:
        capture.release()
    if not is_there or picture is None:
        raise Broken(PictureState.MALFORMED, "its key frame cannot be decoded", _DO_DECODE)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _jpeg(data: bytes) -> Picture:
    width, height = jpeg_size(data)
    if width * height > PIXELS_MAX:
        raise Broken(PictureState.TOO_MUCH, f"its picture is {width} × {height}",
                     "set a smaller picture")  # fmt: skip
    how = cv2.IMREAD_REDUCED_GRAYSCALE_2 if width >= 2 * SHARP_ACROSS else cv2.IMREAD_GRAYSCALE
    picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), how)
    if picture is None:
        raise Broken(PictureState.MALFORMED, "its JPEG cannot be decoded", _DO_DECODE)
    return np.asarray(picture, dtype=np.uint8)


def _shrunk(picture: Picture, across: int, down: int) -> Picture:
    small = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _blocks(grey: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Each block's pixels as a row."""
    cut = grey.reshape(DOWN, BLOCK, ACROSS, BLOCK).swapaxes(1, 2)
    return np.asarray(cut.reshape(DOWN * ACROSS, BLOCK * BLOCK))


def _sharpness(middle: Picture) -> float:
    """How steep edges are: energy of the second derivative over that of the first, which contrast
    does not change; smoothed before, so that noise and the coder's blocks hardly do. Of the
    quarter of blocks with the strongest edges the median, since the camera writes its clock
    sharply into a blurred picture."""
    grey = cv2.GaussianBlur(middle.astype(np.float32), (0, 0), SMOOTHED)
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    fine = cv2.Laplacian(grey, cv2.CV_32F, ksize=3)
    cells = (ACROSS, DOWN)
    first = cv2.resize(gx * gx + gy * gy, cells, interpolation=cv2.INTER_AREA).ravel()
    second = cv2.resize(fine * fine, cells, interpolation=cv2.INTER_AREA).ravel()
    strongest = np.argsort(first)[-len(first) // 4 :]
    return float(np.median(second[strongest] / (first[strongest] + NOISE)))


def _edges(grey: npt.NDArray[np.float32]) -> bytes:
    """The way of the strongest edges of each block, by its structure tensor."""
    gx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3) / 8
    gy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3) / 8
    xx, yy, xy = (_blocks(np.asarray(one)).mean(axis=1) for one in (gx * gx, gy * gy, gx * gy))
    energy = xx + yy
    one_way = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / np.maximum(energy, 1e-6)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # -90° … 90°
    direction = np.round(angle / np.pi * DIRECTIONS).astype(np.int64) % DIRECTIONS
    is_edge = (energy > EDGE_ENERGY) & (one_way > EDGE_SURE)
    return np.where(is_edge, direction, NO_EDGE).astype(np.uint8).tobytes()


def _sums(small: Picture) -> tuple[float, ...]:
    """Each pixel counted up or down by chance that is the same for all pictures, scaled so that the
    root of the mean square of two pictures' differences here is that of their pixels."""
    grey = _shrunk(small, 80, 45).astype(np.float32).ravel()
    return tuple((_HALVES @ grey / np.sqrt(len(grey))).tolist())


_HALVES = (np.random.default_rng(64).integers(0, 2, (SUMS, 80 * 45)) * 2 - 1).astype(np.float32)
