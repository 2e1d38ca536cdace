"""A linear depth head for one's own cameras, in upstream's layout.

Blocks before the final norm and depth maps in -> `decode_head.conv_depth.*` out: 256 depths spread
evenly over the range, weighed per cell, as `operators.depth` reads them.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.depth.linear import BINS, four_blocks
from operators.frames import CELLS
from operators.learn.channel_statistics import Channels, patch_and_class_channels
from operators.learn.dense_pictures import DenseBatch, DensePicture, DensePictures, dense_batch
from operators.learn.dense_training import Fitted, Schedule, Split, Tell, train
from operators.learn.log_depth import bins_of_log_depth, fit_log_depth

RATE = 1e-5

_CONV = "decode_head.conv_depth"
_FLOOR = 0.1  # what `operators.depth` adds to every weight
_SPREAD = 0.15  # share of the mean error in the scale-invariant loss, upstream's
_TINY = 1e-6


def depth_blocks(arch: Architecture, count: int) -> tuple[int, ...]:
    """The blocks that a head over 1 or 4 of them reads, upstream's."""
    return four_blocks(arch) if count == 4 else (arch.depth - 1,)


def fit_depth_head(
    pictures: DensePictures,
    split: Split,
    range_m: tuple[float, float],
    *,
    schedule: Schedule,
    tell: Tell,
    checkpoint: Path | None = None,
) -> tuple[dict[str, Tensor], Fitted]:
    """Begin with linear log depth in closed form, go on with the scale-invariant loss of log depth
    (Eigen et al. 2014).

    Args:
        pictures: 1 or 4 blocks before the final norm, with float32 metres, 0 where unknown.
        split: which are for what.
        range_m: smallest and largest depth of the head, metres; truth outside is not learnt.
        schedule: how long and how fast.
        tell: told of every step.
        checkpoint: file that the training goes on from, see `train`.

    Returns:
        The head's tensors, and how training went.
    """
    of_patch, of_cls = patch_and_class_channels(pictures, split.train, seed=schedule.seed)
    start, gain = _start(pictures, split, (of_patch, of_cls), range_m, seed=schedule.seed)

    def loss(weights: dict[str, Tensor], batch: DenseBatch) -> Tensor:
        patches = of_patch.standardise(batch.patches.permute(0, 2, 3, 1, 4).flatten(3))
        cls = of_cls.standardise(batch.cls.flatten(1))
        own = F.linear(cls, weights["of_cls"], weights["bias"])
        logits = F.linear(patches, weights["of_patch"]) + own[:, None, None]
        metres = _metres(gain * logits.permute(0, 3, 1, 2), range_m)
        return _scale_invariant(metres, batch.truth, range_m)

    fitted = train(
        start,
        loss,
        pictures,
        split,
        dense_batch,
        schedule=schedule,
        tell=tell,
        checkpoint=checkpoint,
    )
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


def _start(
    pictures: DensePictures,
    split: Split,
    channels: tuple[Channels, Channels],
    range_m: tuple[float, float],
    *,
    seed: int,
) -> tuple[dict[str, Tensor], float]:
    """Weights that say the exponential of the best linear log depth, and the gain that keeps them
    near one."""
    of_patch, of_cls = channels

    def inputs(picture: DensePicture) -> Tensor:
        patches = of_patch.standardise(picture.patches.float().permute(1, 2, 0, 3).flatten(2))
        cls = of_cls.standardise(picture.cls.float().flatten())
        rows = patches.flatten(0, 1)
        return torch.cat([rows, cls.expand(len(rows), -1)], dim=1)

    line = fit_log_depth(pictures, (split.train, split.validation), inputs, range_m, seed=seed)
    ramps = bins_of_log_depth(torch.linspace(*range_m, BINS), _FLOOR, line.reach)
    gain = float(ramps.abs().max())
    slope, offset = ramps / gain
    width = len(of_patch.mean)
    return {
        "of_patch": slope[:, None] * line.weight[:width],
        "of_cls": slope[:, None] * line.weight[width:],
        "bias": slope * line.bias + offset,
    }, gain


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
