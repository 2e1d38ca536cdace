"""Masks drawn over the frames that they are of: one frame of a film, and a strip of some.

Pictures and ids in -> pictures out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.davis.contour import outline
from operators.segmentation.labelsets import LabelSet
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import INK, PAPER
from pipeline.follow.labelled import UNKNOWN
from pipeline.media.frame_size import FrameSize

Pixels = NDArray[np.uint8]

SHORT_SIDE = 360  # of a frame of the film, pixels; smaller footage stays as it is
STRIP_FRAMES, STRIP_COLUMNS = 6, 3
_STRIP_WIDTH = 480  # of a frame
_GAP, _SIZE = 8, 18
_TINT = 0.5  # of a thing's colour over its mask


@dataclass(frozen=True, slots=True)
class Drawn:
    """One frame, RGB uint8 `[H, W, 3]`, both sides even."""

    time_s: float
    pixels: Pixels


def draw(pixels: Pixels, ids: Pixels, labels: LabelSet, time_s: float) -> Drawn:
    """A frame with its masks, their names, what is lost, and its time.

    Args:
        pixels: RGB uint8 `[H, W, 3]`.
        ids: uint8 `[H, W]`, as they are written.
        labels: what they mean.
        time_s: seconds since the recording's first frame.
    """
    size = FrameSize(max(2, min(SHORT_SIDE, *pixels.shape[:2])), 2)
    height, width = size.of((pixels.shape[0], pixels.shape[1]))
    frame = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    small = np.asarray(Image.fromarray(ids).resize((width, height), Image.Resampling.NEAREST))
    canvas = Canvas(width, height)
    canvas.paste(Image.fromarray(tinted(np.asarray(frame), small, labels)), (0, 0, width, height))
    lost = []
    for label in labels.labels[1:]:
        rows, columns = np.nonzero(small == label.id)
        if len(rows):
            top = (float(columns.mean()), max(_SIZE + 2.0, float(rows.min()) - 3))
            _words(canvas, top, label.name, "ms")
        else:
            lost.append(label.name)
    _words(canvas, (_GAP, _SIZE + 4.0), f"{time_s:.1f} s", "ls")
    if lost:
        _words(canvas, (_GAP, height - 6.0), f"lost: {', '.join(lost)}", "ls")
    return Drawn(time_s, np.asarray(canvas.finish(height)))


def strip_numbers(count: int, start: int) -> list[int]:
    """Which frames a strip shows: some at equal distances, the nearest of them the marked one."""
    steps = np.linspace(0, count - 1, min(STRIP_FRAMES, count))
    numbers = [round(float(step)) for step in steps]
    nearest = min(range(len(numbers)), key=lambda at: abs(numbers[at] - start))
    numbers[nearest] = start
    return numbers


def strip(frames: Sequence[Drawn]) -> Image.Image:
    """Frames side by side, row by row.

    Args:
        frames: of one size, at least one.
    """
    height, width = frames[0].pixels.shape[:2]
    across, down = _STRIP_WIDTH, round(height * _STRIP_WIDTH / width)
    columns = min(STRIP_COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    canvas = Canvas(columns * (across + _GAP) - _GAP, rows * (down + _GAP) - _GAP)
    for number, frame in enumerate(frames):
        row, column = divmod(number, columns)
        left, top = column * (across + _GAP), row * (down + _GAP)
        canvas.paste(Image.fromarray(frame.pixels), (left, top, left + across, top + down))
    return canvas.finish(rows * (down + _GAP) - _GAP)


def tinted(frame: Pixels, ids: Pixels, labels: LabelSet) -> Pixels:
    """A frame with its masks and their outlines over it, RGB uint8 `[H, W, 3]`.

    Args:
        frame: likewise.
        ids: uint8 `[H, W]`, as they are written.
        labels: what they mean.
    """
    colours = np.zeros((256, 3), np.float32)
    colours[: len(labels.labels)] = labels.palette
    known = np.where(ids == UNKNOWN, 0, ids)
    share = np.where(known > 0, _TINT, 0.0)[..., None]
    tinted = frame * (1 - share) + colours[known] * share
    for one in np.unique(known[known > 0]).tolist():
        tinted[outline(known == one)] = colours[one]
    told: Pixels = np.rint(tinted).astype(np.uint8)
    return told


def _words(canvas: Canvas, at: tuple[float, float], words: str, anchor: str) -> None:
    """Dark on light, so that they are read on any ground."""
    x, y = at
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            canvas.text((x + across, y + down), words, _SIZE, fill=PAPER, anchor=anchor, bold=True)  # type: ignore[arg-type]
    canvas.text((x, y), words, _SIZE, fill=INK, anchor=anchor, bold=True)  # type: ignore[arg-type]
