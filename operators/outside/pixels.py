"""Pictures as models of others want them: resized as Pillow does, ImageNet's mean and deviation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from operators.backbones.preprocess import normalise


def resized(rgb: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 3]` of another size; bilinear, with antialiasing where it is made smaller."""
    height, width = size_hw
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR))


def normalised(rgb: NDArray[np.uint8]) -> Tensor:
    """uint8 `[H, W, 3]` -> float32 `[1, 3, H, W]`."""
    return normalise(torch.from_numpy(rgb.copy())[None], torch.float32)
