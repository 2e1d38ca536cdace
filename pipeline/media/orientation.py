"""How a frame has to be turned and mirrored to be shown, from its display matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.buffer import Buffer
from numpy.typing import NDArray

from pipeline.media.region import Box


@dataclass(frozen=True, slots=True)
class Orientation:
    """A quarter turn or mirror image, in this order: transpose, then flips.

    Attributes:
        transposed: columns become rows.
        flip_x, flip_y: mirrored left to right, top to bottom, after transposing.
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def shown(self, box: Box, stored_hw: tuple[int, int]) -> Box:
        """Where a part of the stored picture lies in what is displayed."""
        left, top, right, bottom = box
        height, width = stored_hw
        if self.transposed:
            left, top, right, bottom, height, width = top, left, bottom, right, width, height
        if self.flip_x:
            left, right = width - right, width - left
        if self.flip_y:
            top, bottom = height - bottom, height - top
        return left, top, right, bottom

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn an upright-stored picture `[H, W, 3]` as it is displayed, contiguous."""
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        if self.flip_x:
            pixels = pixels[:, ::-1]
        if self.flip_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


UPRIGHT = Orientation()


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The frame's orientation; other angles than quarter turns count as the nearest one.

    The matrix (a b; c d) maps a stored point to a displayed one: x' = a x + c y, y' = b x + d y
    (libavutil/display.h, 16.16 fixed point, y downwards).
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(cast("Buffer", matrix)), np.int32, count=5).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)
