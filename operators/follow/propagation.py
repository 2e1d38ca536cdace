"""One frame's labels out of those of others: features and labels in -> probabilities out.

Every patch takes the mean label of the patches that look most like it, as of `Rules`. Float32, each
tile on one thread, so that no bit depends on how many cores there are. Knows no order of frames.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from operators.backbones.thread_pool import ThreadPool
from operators.follow.rules import Rules
from operators.follow.tiles import SIDE, Tile, tiles


def directions(patches: Tensor) -> Tensor:
    """Patches as they are compared: float32 of length 1, `[..., D]`."""
    return normalize(patches.float(), dim=-1)


def propagate(
    seen: Tensor,
    known: Tensor,
    labels: Tensor,
    rules: Rules,
    *,
    pool: ThreadPool | None = None,
    side: int = SIDE,
) -> Tensor:
    """Probabilities of labels, float32 `[h, w, C]`; of every patch the sum is that of the labels.

    Args:
        seen: of the frame, as of `directions`, `[h, w, D]`.
        known: of the others, `[T, h, w, D]`.
        labels: what is known of their patches, `[T, h, w, C]`.
        rules: how.
        pool: threads; the calling one where None.
        side: of a tile, patches.

    Raises:
        ValueError: grids that differ.
    """
    if known.shape[1:] != seen.shape or labels.shape[:3] != known.shape[:3]:
        shapes = [list(one.shape) for one in (seen, known, labels)]
        raise ValueError(f"want [h, w, D], [T, h, w, D] and [T, h, w, C], got {shapes}")
    height, width = seen.shape[:2]
    told = seen.new_empty(height, width, labels.shape[3])
    parts = tiles((height, width), rules.radius, side)

    @torch.inference_mode()
    def work(number: int) -> None:
        tile = parts[number]
        told[tile.rows, tile.columns] = _told(tile, seen, known, labels, rules)

    if pool:
        pool.map(work, range(len(parts)))
    else:
        for number in range(len(parts)):
            work(number)
    return told


def _told(tile: Tile, seen: Tensor, known: Tensor, labels: Tensor, rules: Rules) -> Tensor:
    asked = seen[tile.rows, tile.columns]
    others = known[:, tile.down, tile.across].flatten(0, 2)  # [T k, D]
    given = labels[:, tile.down, tile.across].flatten(0, 2)  # [T k, C]
    alike = asked.flatten(0, 1) @ others.T  # [q, T k]
    outside = tile.outside.to(alike.device)
    alike.view(len(alike), len(known), -1).masked_fill_(outside[:, None], -torch.inf)
    best = alike.topk(min(rules.top, alike.shape[1]), dim=1)
    weights = (best.values / rules.temperature).softmax(dim=1)  # [q, top]
    return (weights[..., None] * given[best.indices]).sum(dim=1).view(*asked.shape[:2], -1)
