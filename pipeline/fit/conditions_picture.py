"""A few pictures as they are and under every condition, as the backbone sees them: one image.

Items in -> an image out. Knows nothing of heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from operators.conditions.condition import Condition
from operators.whole_file import whole_file
from pipeline.drawing.canvas import Canvas, shortened
from pipeline.errors import SinkError
from pipeline.fit.conditioned import beside_themselves
from pipeline.fit.dense_item import DenseItem
from pipeline.media.frame_size import FrameSize

_ROWS = 4
_WIDTH = 196  # of a picture
_GAP, _HEAD = 4, 24
_QUALITY = 80  # of the JPEG: noise makes a PNG of it five times as large


def conditions_picture(
    items: Sequence[DenseItem], conditions: Sequence[Condition], size: FrameSize, *, seed: int
) -> Image.Image:
    """Draw it: a row per picture, some that lie far apart in the data.

    Args:
        items: the pictures.
        conditions: a column each, behind the pictures as they are.
        size: of pictures at the backbone.
        seed: of what is drawn, so that the pictures are those that were measured.

    Raises:
        SourceError: one cannot be read; names the file.
    """
    steps = np.linspace(0, len(items) - 1, min(_ROWS, len(items)))
    shown = [items[round(float(step))] for step in steps]
    rows = (beside_themselves([item], conditions, seed=seed) for item in shown)
    pictures = [[Image.fromarray(one.pixels(size)) for one in row] for row in rows]
    heights = [round(_WIDTH * row[0].height / row[0].width) for row in pictures]
    names = ["as it is", *map(str, conditions)]
    canvas = Canvas(len(names) * (_WIDTH + _GAP) - _GAP, _HEAD + sum(heights) + _GAP * len(heights))
    for column, name in enumerate(names):
        x = column * (_WIDTH + _GAP)
        canvas.text((x + 4, _HEAD - 8), shortened(name, 14, _WIDTH - 8), 14, bold=True)
        y = _HEAD
        for row, height in zip(pictures, heights, strict=True):
            canvas.paste(row[column], (x, y, x + _WIDTH, y + height))
            y += height + _GAP
    return canvas.finish(y)


def write_conditions_picture(image: Image.Image, path: Path) -> None:
    """Put it there, whole or not at all.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        with whole_file(path) as draft:
            image.save(draft, format="JPEG", quality=_QUALITY)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
