"""A linear depth head for one's own cameras, in upstream's layout.

Blocks before the final norm and depth maps in -> `decode_head.conv_depth.*` out: 256 depths spread
evenly over the range, weighed per cell, as `operators.depth` reads them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.architectures import Architecture
from operators.depth_linear import BINS, FOUR_BLOCKS
from operators.learn.channel_statistics import Channels, patch_and_class_channels
from operators.learn.dense_pictures import CELLS, DenseBatch, DensePictures, cell_truth
from operators.learn.dense_training import Fitted, Schedule, Split, Tell, train

RATE = 2e-3

_CONV = "decode_head.conv_depth"
_FLOOR = 0.1  # what `operators.depth` adds to every weight
_SPREAD = 0.15  # share of the mean error in the scale-invariant loss, upstream's
_TINY = 1e-6
_NEAR = 0.02  # share of all depth that is nearer than what counts as near
# The floor under every weight pulls towards the middle of the range; weights this many times
# middle / near leave a few per cent of that pull where it matters most.
_GAIN = 2.0


def depth_blocks(arch: Architecture, count: int) -> tuple[int, ...]:
    """The blocks that a head over 1 or 4 of them reads, upstream's."""
    return FOUR_BLOCKS[arch.depth] if count == 4 else (arch.depth - 1,)


def fit_depth_head(
    pictures: DensePictures,
    split: Split,
    range_m: tuple[float, float],
    *,
    schedule: Schedule,
    tell: Tell,
) -> tuple[dict[str, Tensor], Fitted]:
    """Train with the scale-invariant loss of log depth (Eigen et al. 2014).

    Args:
        pictures: 1 or 4 blocks before the final norm, with float32 metres, 0 where unknown.
        split: which are for what.
        range_m: smallest and largest depth of the head, metres; truth outside is not learnt.
        schedule: how long and how fast.
        tell: told of every step.

    Returns:
        The head's tensors, and how training went.
    """
    of_patch, of_cls = patch_and_class_channels(pictures, split.train, seed=schedule.seed)
    width = len(of_patch.mean)
    prior, near_m = _prior(pictures, split, range_m)
    gain = _GAIN * sum(range_m) / 2 / near_m
    start = {
        "of_patch": torch.zeros(BINS, width),
        "of_cls": torch.zeros(BINS, width),
        "bias": prior,
    }

    def loss(weights: dict[str, Tensor], batch: DenseBatch) -> Tensor:
        patches = of_patch.standardise(batch.patches.permute(0, 2, 3, 1, 4).flatten(3))
        cls = of_cls.standardise(batch.cls.flatten(1))
        own = F.linear(cls, weights["of_cls"], weights["bias"])
        logits = F.linear(patches, weights["of_patch"]) + own[:, None, None]
        metres = _metres(gain * logits.permute(0, 3, 1, 2), range_m)
        return _scale_invariant(metres, batch.truth, range_m)

    fitted = train(start, loss, pictures, split, schedule=schedule, tell=tell)
    blocks = pictures.read(split.train[0]).patches.shape[0]
    scaled = {name: gain * tensor for name, tensor in fitted.weights.items()}
    return _tensors(scaled, of_patch, of_cls, blocks=blocks), fitted


def _metres(logits: Tensor, range_m: tuple[float, float]) -> Tensor:
    """As `Depth.metres`, for a batch: logits `[B, bins, h, w]` -> metres `[B, 4 h, 4 w]`."""
    fine = F.interpolate(logits, scale_factor=CELLS, mode="bilinear", align_corners=False)
    weights = fine.relu() + _FLOOR
    depths = torch.linspace(*range_m, BINS)
    weighted: Tensor = torch.einsum("bkhw,k->bhw", weights, depths) / weights.sum(dim=1)
    return weighted


def _scale_invariant(metres: Tensor, truth: Tensor, range_m: tuple[float, float]) -> Tensor:
    known = (truth > 0) & (truth >= range_m[0]) & (truth <= range_m[1])
    if known.sum() < 2:
        return metres.sum() * 0.0
    off = torch.log(metres[known] + _TINY) - torch.log(truth[known] + _TINY)
    return torch.sqrt(off.var() + _SPREAD * off.mean().square() + _TINY)


def _prior(
    pictures: DensePictures, split: Split, range_m: tuple[float, float]
) -> tuple[Tensor, float]:
    """How often each depth occurs, about 1 on average, and a depth that is near, metres.

    Training begins there: from zeros no weight would ever grow, as they are cut off below zero.
    """
    counts = torch.zeros(BINS)
    for index in split.train:
        picture = pictures.read(index)
        truth = cell_truth(picture.truth, picture.grid)
        known = truth[(truth >= range_m[0]) & (truth <= range_m[1]) & (truth > 0)]
        counts += torch.histc(known.float(), BINS, *range_m)
    smooth = F.avg_pool1d(counts.view(1, 1, -1), 9, stride=1, padding=4).view(-1)
    low, high = range_m
    reached = counts.cumsum(0) >= _NEAR * counts.sum()
    near_m = low + (high - low) * (int(reached.int().argmax()) + 1) / BINS
    return smooth / smooth.mean().clamp_min(_TINY) + _FLOOR, near_m


def _tensors(
    weights: dict[str, Tensor], of_patch: Channels, of_cls: Channels, *, blocks: int
) -> dict[str, Tensor]:
    """The standardisation folded in; per block the patch's channels, then the class token's."""
    patch = weights["of_patch"].double() / of_patch.std
    cls = weights["of_cls"].double() / of_cls.std
    bias = weights["bias"].double() - patch @ of_patch.mean.double() - cls @ of_cls.mean.double()
    both = torch.stack([patch.view(BINS, blocks, -1), cls.view(BINS, blocks, -1)], dim=2)
    return {
        f"{_CONV}.weight": both.float().reshape(BINS, -1, 1, 1).contiguous(),
        f"{_CONV}.bias": bias.float(),
    }
