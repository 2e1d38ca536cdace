"""A mask as the lengths of its runs, as COCO writes it: JSON, small, exact.

The lengths are of cells outside, inside, outside, ... column by column. Held to pycocotools.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST = 48  # character of the digit 0
_BITS, _MORE, _SIGN = 5, 0x20, 0x10


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """`size`, height and width, and `counts`, the lengths: COCO's uncompressed form.

    Args:
        mask: `[h, w]`.
    """
    cells = np.concatenate([[False], mask.ravel(order="F")])
    ends = [*np.flatnonzero(cells[1:] != cells[:-1]), mask.size]
    return {"size": list(mask.shape), "counts": np.diff(ends, prepend=0).tolist()}


def mask_of(size_hw: Sequence[int], counts: Sequence[int]) -> NDArray[np.bool_]:
    """The mask `[h, w]` that such lengths are of.

    Args:
        size_hw: h and w.
        counts: from 0, h * w together.
    """
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(size_hw, order="F")


def lengths_in(text: str) -> list[int]:
    """The lengths in COCO's compressed form.

    Each is a row of characters with five bits each, the lowest first; from the fourth on they say
    how much it is more than the one before the last.

    Args:
        text: `counts` of a mask.

    Raises:
        ValueError: it is no such text.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - _FIRST
        if not 0 <= digit < 2 * _MORE:
            raise ValueError(f"character {character!r} is none of compressed run lengths")
        value |= (digit & (_MORE - 1)) << shift
        shift += _BITS
        if digit & _MORE:
            continue
        if digit & _SIGN:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("compressed run lengths end within a number")
    return lengths
