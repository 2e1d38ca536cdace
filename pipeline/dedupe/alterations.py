"""What a picture goes through and is still the same picture: copies whose truth is known.

uint8 RGB `[H, W, 3]` in -> another one out, always the same for the same picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Alter = Callable[[Picture], Picture]

_CROPPED = 0.1  # of each side


def reencoded(picture: Picture, *, quality: int, shrink: int = 1) -> Picture:
    """As a JPEG of that quality, of a `shrink`-th of its size, comes back."""
    image = Image.fromarray(picture).reduce(shrink)
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=quality)
    read = Image.open(stored).resize(picture.shape[1::-1], Image.Resampling.BICUBIC)
    return np.asarray(read)


def cropped(picture: Picture) -> Picture:
    """Without a tenth at each side."""
    height, width = picture.shape[:2]
    down, across = round(height * _CROPPED), round(width * _CROPPED)
    return np.ascontiguousarray(picture[down : height - down, across : width - across])


def relit(picture: Picture, *, gamma: float = 1.0, gains: tuple[float, ...] = (1.0,)) -> Picture:
    """Brighter (gamma below 1) or darker, or in another light (a gain per colour)."""
    light = (picture / 255.0) ** gamma * np.array(gains)
    clipped: Picture = np.rint(light.clip(0, 1) * 255).astype(np.uint8)
    return clipped


def mirrored(picture: Picture) -> Picture:
    """Left is right."""
    return np.ascontiguousarray(picture[:, ::-1])


ALTERATIONS: Mapping[str, Alter] = {
    "JPEG of quality 30": partial(reencoded, quality=30),
    "JPEG of half the size": partial(reencoded, quality=60, shrink=2),
    "cropped by a tenth": cropped,
    "brighter": partial(relit, gamma=0.6),
    "darker": partial(relit, gamma=1.6),
    "warmer light": partial(relit, gains=(1.15, 1.0, 0.8)),
}
MIRRORED: Mapping[str, Alter] = {"mirrored": mirrored}
