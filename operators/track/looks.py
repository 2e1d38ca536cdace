"""What a thing looks like: the patches that its box covers, less what the whole picture looks like.

Boxes and patch tokens in -> a vector per box out, on the device of the features. Patches of one
picture are all alike, because all have seen it; what tells its things apart is the rest.
"""

from __future__ import annotations

import torch
from torch import Tensor

CORE = 0.8  # of the sides of a box: what is further out is mostly ground


def looks(boxes: Tensor, patches: Tensor) -> Tensor:
    """Vectors of length 1 of what boxes hold: one matrix product a frame.

    Args:
        boxes: left, top, right, bottom in shares of the picture, float32 `[R, K, 4]`.
        patches: `[R, h, w, D]`.

    Returns:
        float32 `[R, K, D]`.
    """
    rows, columns = patches.shape[1:3]
    middle, half = (boxes[..., 2:] + boxes[..., :2]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
    low, high = middle - half * CORE, middle + half * CORE
    across = _covered(low[..., 0], high[..., 0], columns)
    down = _covered(low[..., 1], high[..., 1], rows)
    weights = (down[..., :, None] * across[..., None, :]).flatten(2)
    weights = weights - 1 / (rows * columns)
    vectors = torch.bmm(weights, patches.flatten(1, 2).float())
    return torch.nn.functional.normalize(vectors, dim=2)


def _covered(low: Tensor, high: Tensor, cells: int) -> Tensor:
    """How an extent is shared out over a row of cells: `[R, K]` -> `[R, K, cells]`, sum 1.

    One that is narrower than a part of a cell, or outside, counts as that part of the nearest.
    """
    least = 0.25
    middle = ((low + high) / 2 * cells).clamp(least / 2, cells - least / 2)
    half = ((high - low) / 2 * cells).clamp(min=least / 2)
    edges = torch.arange(cells, device=low.device, dtype=torch.float32)
    begin, end = (middle - half)[..., None], (middle + half)[..., None]
    inside = (torch.minimum(end, edges + 1) - torch.maximum(begin, edges)).clamp(min=0)
    return inside / inside.sum(dim=2, keepdim=True)
