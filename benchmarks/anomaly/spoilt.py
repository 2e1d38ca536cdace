"""What is done to pictures of a camera: things that are no part of it, and light that changes.

Pictures are uint8 `[n, H, W, 3]`. Where something is put into them, it is known where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pictures = NDArray[np.uint8]

PATCH_SHARE = 0.25  # of the short side: a foreign patch's own


def blurred(pictures: Pictures) -> Pictures:
    """By a Gaussian of 2 % of the short side."""
    blur = ImageFilter.GaussianBlur(min(pictures.shape[1:3]) / 50)
    return np.stack([np.asarray(Image.fromarray(one).filter(blur)) for one in pictures])


def foreign(pictures: Pictures, other: Pictures, seed: int) -> tuple[Pictures, NDArray[np.bool_]]:
    """A square of another camera's picture in each, somewhere.

    Args:
        pictures: of the camera.
        other: of another one.
        seed: of the places.

    Returns:
        The pictures, and where it is, bool `[n, H, W]`.
    """
    draw = np.random.default_rng(seed)
    height, width = pictures.shape[1:3]
    side = round(PATCH_SHARE * min(height, width))
    done, where = pictures.copy(), np.zeros(pictures.shape[:3], dtype=bool)
    for number in range(len(pictures)):
        strange = other[draw.integers(len(other))]
        y, x = draw.integers(strange.shape[0] - side), draw.integers(strange.shape[1] - side)
        top, left = draw.integers(height - side), draw.integers(width - side)
        place = (number, slice(top, top + side), slice(left, left + side))
        done[place], where[place] = strange[y : y + side, x : x + side], True
    return done, where


def lit(pictures: Pictures, gain: float | NDArray[np.float64]) -> Pictures:
    """Under another light: `gain` for all, or one for each column or channel."""
    clipped: Pictures = (pictures * gain).clip(0, 255).astype(np.uint8)
    return clipped


def lamp(pictures: Pictures) -> Pictures:
    """Switched on at the right: darker on the left, brighter there."""
    return lit(pictures, np.linspace(0.7, 1.4, pictures.shape[2])[:, None])


WHOLE: Mapping[str, Callable[[Pictures], Pictures]] = {
    "blurred": blurred,
    "red and blue changed over": lambda pictures: pictures[..., ::-1].copy(),
}
"""What is done to whole pictures and is to be told."""
LIGHT: Mapping[str, Callable[[Pictures], Pictures]] = {
    "a third darker": lambda pictures: lit(pictures, 0.67),
    "a third brighter": lambda pictures: lit(pictures, 1.33),
    "a lamp on the right": lamp,
    "evening light": lambda pictures: lit(pictures, np.array([1.15, 1.0, 0.75])),
}
"""Light, which is no anomaly, and is known to be taken for one."""
