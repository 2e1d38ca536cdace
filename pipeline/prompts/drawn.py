"""A mask over the picture that it is of, with what was pointed at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.outside.prompt import Prompt
from operators.segmentation.labelsets import Label, LabelSet
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import INK, PAPER
from pipeline.drawing.tagged_box import number_colour
from pipeline.follow.drawn import tinted

_LABELS = LabelSet("thing", (Label(0, "background", (0, 0, 0)), Label(1, "it", number_colour(0))))
_RADIUS_SHARE = 0.012  # of the short side: how large a click is drawn
_LEAST_RADIUS = 3.0  # pixels


def overlay(rgb: NDArray[np.uint8], mask: NDArray[np.bool_], prompt: Prompt) -> Image.Image:
    """The picture as large as it is; clicks on the thing are light, those on what is not it dark.

    Args:
        rgb: uint8 `[H, W, 3]`.
        mask: bool `[H, W]`.
        prompt: in pixels of the picture.
    """
    height, width = mask.shape
    canvas = Canvas(width, height)
    shown = tinted(rgb, mask.astype(np.uint8), _LABELS)
    canvas.paste(Image.fromarray(shown), (0, 0, width, height))
    radius = max(_LEAST_RADIUS, _RADIUS_SHARE * min(height, width))
    if prompt.box:
        left, top, right, bottom = prompt.box
        path = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        canvas.line(path, PAPER, width=radius / 2)
    for points, fill, edge in ((prompt.points, PAPER, INK), (prompt.against, INK, PAPER)):
        for point in points:
            canvas.dot(point, radius, edge)
            canvas.dot(point, radius * 0.7, fill)
    return canvas.finish(height)
