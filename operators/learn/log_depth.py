"""Log depth as a linear function of frozen features, in closed form, and as weights of depth bins.

What a depth head begins with: gradient steps from zero take thousands of steps to come this far.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from operators.learn.dense_pictures import DensePicture, DensePictures, cell_truth

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # of the mean eigenvalue; validation picks

_MARGIN = 0.1  # of log depth
_ROWS = 60_000  # patches that are looked at
_SHAPE_STEPS = 1500
_SHAPE_RATE = 2e-2
_PLACES = 64

Inputs = Callable[[DensePicture], Tensor]
"""Standardised features of a picture's patches, `[h * w, C]`."""


@dataclass(frozen=True, slots=True)
class LogDepth:
    """log metres = features . weight + bias.

    Attributes:
        weight: `[C]`.
        bias: log metres.
        reach: log depth that nearly all of the patches lie within.
    """

    weight: Tensor
    bias: float
    reach: tuple[float, float]


def fit_log_depth(
    pictures: DensePictures,
    parts: tuple[Sequence[int], Sequence[int]],
    inputs: Inputs,
    range_m: tuple[float, float],
    *,
    seed: int,
) -> LogDepth:
    """Ridge regression of every patch's mean log depth.

    Args:
        pictures: with metres, 0 where unknown.
        parts: indices to learn from, and to choose the ridge by.
        inputs: features of a picture.
        range_m: truth outside does not count.
        seed: of the choice of patches, where they are many.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    rows, wanted = _table(pictures, parts[0], inputs, range_m, draw)
    middle = float(wanted.mean())
    mean = rows.mean(dim=0)
    centred = rows - mean
    gram = (centred.T @ centred).double() / len(rows)
    moment = (centred.T @ (wanted - middle)).double() / len(rows)
    scale = float(gram.diagonal().mean())
    others = _table(pictures, parts[1], inputs, range_m, draw) if parts[1] else (rows, wanted)
    low, high = np.percentile(wanted.numpy(), (0.5, 99.5)).tolist()
    reach = (low - _MARGIN, min(high + _MARGIN, math.log(range_m[1])))
    best: tuple[float, LogDepth] | None = None
    for ridge in RIDGES:
        weight = torch.linalg.solve(
            gram + ridge * scale * torch.eye(len(gram), dtype=torch.double), moment
        ).float()
        line = LogDepth(weight, middle - float(mean @ weight), reach)
        off = float((others[0] @ weight + line.bias - others[1]).square().mean())
        if best is None or off < best[0]:
            best = (off, line)
    assert best is not None
    return best[1]


def bins_of_log_depth(depths_m: Tensor, floor: float, reach: tuple[float, float]) -> Tensor:
    """Weights of depth bins as ramps over log depth, so that their mean depth is the exponential.

    A bin's weight is relu(slope x s + offset); fitted by gradient descent at places over the range.

    Args:
        depths_m: of the bins, `[K]`.
        floor: that is added to every weight.
        reach: smallest and largest log depth.

    Returns:
        Slope and offset of every bin, `[2, K]`.
    """
    low, high = reach
    s = torch.linspace(low, high, _PLACES)
    kinks = torch.linspace(low, high, len(depths_m))
    logs = depths_m.clamp_min(1e-3).log()
    middle = (low + high) / 2
    # Near bins fade out with distance, far bins fade in.
    slope = torch.where(logs < middle, -1.0, 1.0) * 8.0
    offset = torch.where(logs < middle, kinks + (high - low) / 2, -kinks + (high - low) / 4) * 8.0
    # The floor pulls towards the middle of the range: the farther near is from it, the stronger.
    gain = max(1.0, float(depths_m.mean()) / math.exp(low) / 10)
    ramps = torch.stack([slope, offset]).requires_grad_()
    optimiser = torch.optim.Adam([ramps], lr=_SHAPE_RATE * 8)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _SHAPE_STEPS)
    for _ in range(_SHAPE_STEPS):
        weights = gain * (s[:, None] * ramps[0] + ramps[1]).relu() + floor
        said = (weights @ depths_m) / weights.sum(dim=1)
        off = (said.log() - s).square().mean()
        optimiser.zero_grad()
        off.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        cosine.step()
    return gain * ramps.detach()


def _table(
    pictures: DensePictures,
    chosen: Sequence[int],
    inputs: Inputs,
    range_m: tuple[float, float],
    draw: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Features `[M, C]` and mean log depth `[M]` of patches whose depth is known."""
    each = max(1, _ROWS // max(len(chosen), 1))
    rows, wanted = [], []
    for index in chosen:
        picture = pictures.read(index)
        target = _log_depth(picture, range_m)
        known = np.flatnonzero(np.isfinite(target.numpy()))
        few = torch.from_numpy(draw.permutation(known)[:each])
        rows.append(inputs(picture)[few])
        wanted.append(target[few])
    return torch.cat(rows), torch.cat(wanted)


def _log_depth(picture: DensePicture, range_m: tuple[float, float]) -> Tensor:
    """Mean log depth of every patch `[h * w]`, NaN where less than half of it is known."""
    h, w = picture.grid
    cells = cell_truth(picture.truth, picture.grid).float()
    cells = cells.view(h, -1, w, cells.shape[1] // w).transpose(1, 2).reshape(h * w, -1)
    known = (cells > 0) & (cells >= range_m[0]) & (cells <= range_m[1])
    count = known.sum(dim=1)
    logs = torch.where(known, cells.clamp_min(1e-6).log(), 0.0).sum(dim=1) / count.clamp_min(1)
    return torch.where(2 * count >= cells.shape[1], logs, torch.nan)
