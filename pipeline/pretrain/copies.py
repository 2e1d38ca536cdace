"""Which pictures repeat an earlier one, by 8 x 8 pixels of each: a backbone that is still to be
trained cannot say.

Whole numbers only, so that every processor says the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
# Root mean square of the differences, of 255, up to which two are one. Of 139 frames of the 44 real
# clips that tests use, 36 pairs are as near: other encodings of one frame, and views in which
# nothing moves. The next ones, up to 4, are of one camera, and something has moved.
NEAR_LEVELS = 2.0
_VALUES = SIDE * SIDE * 3
_TOGETHER = 512  # pictures that are compared at once

Tiny = NDArray[np.uint8]
"""A picture's 8 x 8 pixels, `[192]`."""


def tiny_of(pixels: NDArray[np.uint8]) -> Tiny:
    """Its colours, each pixel a mean over two cells by two, whatever its shape.

    Args:
        pixels: uint8 RGB `[H, W, 3]`.
    """
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small).reshape(_VALUES)


def first_of_each(tinies: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The pictures that are near to none that is kept before them, ascending.

    So a camera's view that changes little by little is kept anew whenever it is no longer what was
    kept; components, in which each hangs together with the next, would make one picture of it.

    Args:
        tinies: `[N, 192]`, in the order in which they are kept.
    """
    kept: list[int] = []
    rows = np.empty((len(tinies), _VALUES), np.float32)  # of those that are kept, as they come
    for begin in range(0, len(tinies), _TOGETHER):
        some = tinies[begin : begin + _TOGETHER].astype(np.float32)
        fresh = np.flatnonzero(~_near(some, rows[: len(kept)]).any(axis=1))
        among = _near(some[fresh], some[fresh])
        own: list[int] = []
        for place in range(len(fresh)):
            if not among[place, own].any():
                own.append(place)
        rows[len(kept) : len(kept) + len(own)] = some[fresh[own]]
        kept += (begin + fresh[own]).tolist()
    return np.array(kept, np.intp)


def _near(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """`[n, m]`. Sums of squares and of products are whole numbers below 2^24, which float32 holds
    exactly in whatever order they are added; so is what is near. What is far may be rounded."""
    squares = [np.einsum("ij,ij->i", values, values) for values in (some, others)]
    apart = squares[0][:, None] + (squares[1] - 2 * (some @ others.T))
    near: NDArray[np.bool_] = apart <= NEAR_LEVELS**2 * _VALUES
    return near
