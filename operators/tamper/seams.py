"""Where patches of a frame are unlike their neighbours: the layout of a view as the weights see it.

Trained weights find it much the same under another light; random ones see little more than pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

CELLS = 12  # per side at most


def seams(patches: Tensor) -> Tensor:
    """Cosine of every patch with the one to its right and the one below it, means of cells.

    Args:
        patches: `[R, h, w, D]`.

    Returns:
        float32 `[R, K]`; each row depends on its own patches alone.
    """
    unit = normalize(patches.float(), dim=-1)
    right = torch.cat([unit[:, :, 1:], unit[:, :, -1:]], dim=2)  # the last one is beside itself
    below = torch.cat([unit[:, 1:], unit[:, -1:]], dim=1)
    likeness = torch.stack([(unit * right).sum(-1), (unit * below).sum(-1)], dim=1)
    height, width = patches.shape[1:3]
    return adaptive_avg_pool2d(likeness, (min(CELLS, height), min(CELLS, width))).flatten(1)
