"""Which part of a picture a crop shows: a share of its area and an aspect are drawn -> a rectangle.

The rule is that of torchvision's RandomResizedCrop, which DINOv2 was trained with. Knows no pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from operators.pretrain.dice import Dice

ASPECTS = (3 / 4, 4 / 3)  # width to height
_TRIES = 10  # to find a rectangle that lies in the picture


@dataclass(frozen=True, slots=True)
class CropBox:
    """Rows and columns of a picture, pixels."""

    top: int
    left: int
    height: int
    width: int


def draw_box(size_hw: tuple[int, int], shares: tuple[float, float], dice: Dice) -> CropBox:
    """
    Args:
        size_hw: of the picture, pixels.
        shares: of the picture's area, lowest and highest.
        dice: decides.

    Returns:
        A rectangle of an aspect within `ASPECTS` and at any place that it fits. Where ten of them
        did not fit: the largest in the middle of the picture that keeps within `ASPECTS`, whatever
        its area.
    """
    height, width = size_hw
    for _ in range(_TRIES):
        area = height * width * dice.between(*shares)
        aspect = math.exp(dice.between(*map(math.log, ASPECTS)))
        rows, columns = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < rows <= height and 0 < columns <= width:
            top, left = dice.below(height - rows + 1), dice.below(width - columns + 1)
            return CropBox(top, left, rows, columns)
    narrowest, widest = ASPECTS
    rows = min(height, max(1, round(width / narrowest)))
    columns = min(width, max(1, round(height * widest)))
    return CropBox((height - rows) // 2, (width - columns) // 2, rows, columns)
