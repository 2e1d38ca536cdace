"""Display values of pixels and the light that they stand for, both ways (sRGB, IEC 61966-2-1).

Light adds up, is attenuated and is blurred; display values are not. White is 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]
"""`[H, W, 3]`, or a part of it; white is 1."""

_LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)  # of the primaries, ITU-R BT.709


def _decoded() -> Light:
    shown = np.arange(256) / 255
    dark, bright = shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4
    return np.where(shown <= 0.04045, dark, bright).astype(np.float32)


_LIGHT = _decoded()


def to_light(pixels: NDArray[np.uint8]) -> Light:
    """RGB uint8 as light, float32 of the same shape, 0 to 1."""
    return _LIGHT[pixels]


def to_pixels(light: Light) -> NDArray[np.uint8]:
    """Light as RGB uint8 of the same shape; what is below 0 or above white is cut off."""
    inside = light.clip(0, 1)
    shown = np.where(inside <= 0.0031308, inside * 12.92, 1.055 * inside ** (1 / 2.4) - 0.055)
    return (shown * 255 + 0.5).astype(np.uint8)


def luminance(light: Light) -> Light:
    """How bright it is, `[H, W, 1]`."""
    return (light @ _LUMINANCE)[..., None]
