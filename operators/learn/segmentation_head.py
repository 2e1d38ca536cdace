"""A linear segmentation head for classes of one's own, in upstream's layout.

Normalised patch features and masks in -> `decode_head.*` tensors out: batch norm as the exact
mean and variance of the features, and a 1x1 convolution, as `operators.segmentation` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional as F

from operators.frames import CELLS
from operators.learn.channel_statistics import Channels, patch_and_class_channels
from operators.learn.dense_pictures import DenseBatch, DensePicture, DensePictures, dense_batch
from operators.learn.dense_training import Fitted, Schedule, Split, Tell, train
from operators.learn.metrics import IGNORED

_BN, _CONV = "decode_head.bn", "decode_head.conv_seg"
_BN_EPS = 1e-5  # what `operators.segmentation` adds to the variance
_DIRECTIONS = 1000  # most steps of the logistic regression


def fit_segmentation_head(
    pictures: DensePictures,
    split: Split,
    classes: int,
    *,
    schedule: Schedule,
    tell: Tell,
    checkpoint: Path | None = None,
) -> tuple[dict[str, Tensor], Fitted]:
    """Train with cross-entropy on logits upsampled to four cells a patch side.

    Args:
        pictures: normalised patches `[1, h, w, D]` with uint8 ids, `IGNORED` where unlabelled.
        split: which are for what.
        classes: K.
        schedule: how long and how fast.
        tell: told of every step.
        checkpoint: file that the training goes on from, see `train`.

    Returns:
        The head's tensors, and how training went.
    """
    channels, _ = patch_and_class_channels(pictures, split.train, seed=schedule.seed)
    width = len(channels.mean)
    start = {"weight": torch.zeros(classes, width), "bias": torch.zeros(classes)}

    def loss(weights: dict[str, Tensor], batch: DenseBatch) -> Tensor:
        patches = channels.standardise(batch.patches[:, 0])
        logits = F.linear(patches, weights["weight"], weights["bias"]).permute(0, 3, 1, 2)
        fine = F.interpolate(logits, scale_factor=CELLS, mode="bilinear", align_corners=False)
        known = (batch.truth != IGNORED).sum().clamp_min(1)  # a picture may be all unlabelled
        target = batch.truth.long()
        return F.cross_entropy(fine, target, ignore_index=IGNORED, reduction="sum") / known

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
    return _tensors(fitted.weights["weight"], fitted.weights["bias"], channels), fitted


def segmentation_from_clicks(
    examples: Tensor, targets: Sequence[int], classes: int, *, seed: int = 0
) -> dict[str, Tensor]:
    """A head from single patches: logistic regression, every class weighing the same.

    Args:
        examples: normalised patch features `[M, D]`.
        targets: class id of each, 0 to K - 1, every class at least once.
        classes: K, two or more.
        seed: of the solver.
    """
    exact = examples.double()
    deviation = exact.std(dim=0, unbiased=False).clamp_min(1e-3)
    channels = Channels(exact.mean(dim=0).float(), deviation.float())
    rows = channels.standardise(examples.float()).numpy()
    solver = LogisticRegression(
        max_iter=_DIRECTIONS, class_weight="balanced", random_state=seed
    ).fit(rows, np.asarray(targets))
    weight = torch.from_numpy(solver.coef_).float()
    bias = torch.from_numpy(solver.intercept_).float()
    if classes == 2:  # scikit-learn keeps the difference of the two alone
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    return _tensors(weight, bias, channels)


class NormedPictures:
    """Pictures of several blocks as a head sees them: after the final norm, side by side."""

    def __init__(self, pictures: DensePictures, norm: Callable[[Tensor], Tensor]) -> None:
        """
        Args:
            pictures: blocks before the final norm, and the last one after it.
            norm: the backbone's final norm, on the CPU.
        """
        self._pictures = pictures
        self._norm = norm
        self.groups = pictures.groups
        self.grids = pictures.grids

    def read(self, index: int) -> DensePicture:
        """One picture, patches `[1, h, w, L * D]`."""
        one = self._pictures.read(index)
        with torch.inference_mode():
            blocks = [self._norm(block.float()) for block in one.patches[:-1]]
        patches = torch.cat([*blocks, one.patches[-1].float()], dim=-1).clone()
        return replace(one, patches=patches[None], cls=one.cls[-1:])


def clicked_probabilities(tensors: dict[str, Tensor], examples: Tensor) -> NDArray[np.float64]:
    """What a head says of single patches `[M, D]`: probabilities `[M, K]`."""
    scale = torch.sqrt(tensors[f"{_BN}.running_var"] + _BN_EPS)
    rows = (examples.float() - tensors[f"{_BN}.running_mean"]) / scale
    logits = F.linear(rows, tensors[f"{_CONV}.weight"].flatten(1), tensors[f"{_CONV}.bias"])
    return logits.double().softmax(dim=1).numpy()


def _tensors(weight: Tensor, bias: Tensor, channels: Channels) -> dict[str, Tensor]:
    width = weight.shape[1]
    return {
        f"{_BN}.weight": torch.ones(width),
        f"{_BN}.bias": torch.zeros(width),
        f"{_BN}.running_mean": channels.mean.clone(),
        f"{_BN}.running_var": (channels.std.square() - _BN_EPS).clamp_min(0.0),
        f"{_BN}.num_batches_tracked": torch.zeros((), dtype=torch.long),
        f"{_CONV}.weight": weight.reshape(*weight.shape, 1, 1).contiguous(),
        f"{_CONV}.bias": bias.contiguous(),
    }
