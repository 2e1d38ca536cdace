"""Which patches are hidden from the student: unions of rectangles (BEiT, arXiv 2106.08254).

A number of crops and their grid in -> masks out. Knows no tokens.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

_LEAST_AREA = 4  # patches of a rectangle, where so many are left
_ASPECT = 0.3  # height to width of the widest rectangle; of the tallest, width to height
_TRIES = 10  # to place a rectangle; after that the mask stays as it is
_RATIOS = (0.1, 0.5)


def draw_masks(
    count: int,
    grid_hw: tuple[int, int],
    draw: torch.Generator,
    *,
    share: float = 0.5,
    ratios: tuple[float, float] = _RATIOS,
) -> Tensor:
    """Masks of a batch of crops, as DINOv2 draws them.

    Of the crops int(share * count) are masked, which ones is drawn. The i-th of them gets a ratio
    from the i-th of as many equal slices of `ratios`; no mask has more than int(ratio * h * w)
    patches, but it may fall short, where no rectangle was found for what is left. Two departures
    from upstream: fewer than 4 patches that are left are filled (upstream then draws areas that are
    mostly too large), and a rectangle may be as wide or high as the grid, so that narrow grids can
    be masked.

    Args:
        count: of crops, such as 2 B.
        grid_hw: patches down and across, h and w.
        draw: decides; one number is taken from it, whatever is drawn.
        share: of the crops that are masked, 0 to 1.
        ratios: of the patches of a masked crop, lowest and highest.

    Returns:
        bool `[count, h*w]` on the CPU, True where a patch is hidden.

    Raises:
        ValueError: a share or ratios out of 0 to 1.
    """
    drawn = random.Random(int(torch.randint(2**62, (), generator=draw)))
    h, w = grid_hw
    masks = [
        _mask(int(h * w * min(high, drawn.uniform(low, high))), grid_hw, drawn)
        for low, high in _slices(count, share, ratios)
    ]
    masks += [torch.zeros(h, w, dtype=torch.bool)] * (count - len(masks))
    drawn.shuffle(masks)
    return torch.stack(masks).flatten(1) if masks else torch.zeros(0, h * w, dtype=torch.bool)


def most_masked(
    count: int,
    grid_hw: tuple[int, int],
    *,
    share: float = 0.5,
    ratios: tuple[float, float] = _RATIOS,
) -> int:
    """The number of patches that all masks of a batch never exceed together, for static shapes.

    Args and errors are those of `draw_masks`.
    """
    patches = grid_hw[0] * grid_hw[1]
    return sum(int(patches * high) for _, high in _slices(count, share, ratios))


def _slices(count: int, share: float, ratios: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Lowest and highest ratio of every crop that is masked."""
    low, high = ratios
    if not 0 <= low <= high <= 1 or not 0 <= share <= 1:
        raise ValueError(
            f"share and ratios must be from 0 to 1, the lower ratio first, got {share} and {ratios}"
        )
    masked = int(share * count)
    edges = [low + (high - low) * i / max(1, masked) for i in range(masked + 1)]
    return pairwise(edges)


def _mask(most: int, grid_hw: tuple[int, int], drawn: random.Random) -> Tensor:
    """Rectangles until `most` patches are hidden, or no more is found: bool `[h, w]`."""
    mask = torch.zeros(grid_hw, dtype=torch.bool)
    left = most
    while left:
        hidden = _hide_rectangle(mask, left, drawn)
        if not hidden:
            break
        left -= hidden
    return mask


def _hide_rectangle(mask: Tensor, left: int, drawn: random.Random) -> int:
    """Hide a rectangle of at most `left` new patches; how many they were, 0 if none was found."""
    h, w = mask.shape
    most = min(left, mask.numel() // 2)
    for _ in range(_TRIES):
        area = drawn.uniform(min(_LEAST_AREA, most), most)
        aspect = math.exp(drawn.uniform(math.log(_ASPECT), -math.log(_ASPECT)))
        down, across = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if not (1 <= down <= h and 1 <= across <= w):
            continue
        top, first = drawn.randint(0, h - down), drawn.randint(0, w - across)
        rectangle = mask[top : top + down, first : first + across]
        new = rectangle.numel() - int(rectangle.sum())
        if 0 < new <= most:
            rectangle.fill_(True)
            return new
    return 0
