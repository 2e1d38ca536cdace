"""Probabilities of patches -> a mask of the picture: ids of things, 0 for the background."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

LEAST_PATCHES = 0.25  # area of a thing, below which it is not seen: less than that is no mask

Way = Literal["bilinear", "nearest"]


def picture_mask(
    probabilities: Tensor, size_hw: tuple[int, int], way: Way = "bilinear"
) -> NDArray[np.uint8]:
    """The likeliest of each pixel, uint8 `[H, W]`, without things below `LEAST_PATCHES`.

    Args:
        probabilities: of patches, float32 `[h, w, C]`, the background first.
        size_hw: of the picture, pixels.
        way: how pixels between the middles of patches get their probabilities.
    """
    planes = probabilities.permute(2, 0, 1)[None].contiguous()
    if way == "bilinear":
        wide = interpolate(planes, size=size_hw, mode="bilinear", align_corners=False)
    else:
        wide = interpolate(planes, size=size_hw, mode="nearest-exact")
    ids: NDArray[np.uint8] = wide[0].argmax(dim=0).to(torch.uint8).numpy()
    height, width = probabilities.shape[:2]
    least = LEAST_PATCHES * ids.size / (height * width)
    small = np.bincount(ids.ravel(), minlength=probabilities.shape[2]) < least
    small[0] = False
    ids[small[ids]] = 0
    return ids
