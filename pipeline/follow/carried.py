"""Masks through a recording: what is pointed at in one frame, and all frames -> their masks.

Knows no files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from operators.follow.follower import Follower
from operators.follow.masks import picture_mask
from operators.follow.seed import seed
from pipeline.follow.asked import Asked
from pipeline.follow.seen import SeenClip

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing in one frame: so many pixels of it, and left, top, right, bottom around them."""

    pixels: int
    box: Box


@dataclass(frozen=True, slots=True)
class Mask:
    """
    Attributes:
        number: of the frame.
        ids: uint8 `[H, W]` at the picture's size, 0 where nothing is that is followed.
        seen: what is, by id.
    """

    number: int
    ids: NDArray[np.uint8]
    seen: dict[int, Sighting]


def carried(
    clip: SeenClip, asked: Asked, start: int, orders: tuple[range, ...], size_hw: tuple[int, int],
    *, threads: int,
) -> Iterator[Mask]:  # fmt: skip
    """The marked frame's mask, then those of the others.

    Args:
        clip: all frames.
        asked: what is pointed at in one of them.
        start: number of that one.
        orders: numbers of those that are followed from it on, one way after the other.
        size_hw: of the masks, pixels.
        threads: of a CPU; no result depends on it.

    Raises:
        UsageError: what is pointed at is not in the picture.
    """
    first = torch.from_numpy(clip.patches(start))
    things, against = asked.marks(clip.source_hw, (first.shape[0], first.shape[1]))
    marked = seed(first, things, against)
    yield _mask(start, picture_mask(marked, size_hw))
    for order in orders:
        with closing(Follower(first, marked, threads=threads)) as follower:
            for number in order:
                told = follower.step(torch.from_numpy(clip.patches(number)))
                yield _mask(number, picture_mask(told, size_hw))


def _mask(number: int, ids: NDArray[np.uint8]) -> Mask:
    seen = {}
    for one in np.unique(ids).tolist():
        if one:
            rows, columns = np.nonzero(ids == one)
            box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
            seen[one] = Sighting(len(rows), box)
    return Mask(number, ids, seen)
