"""Standardisation of frames' vectors: training sees every feature on one scale.

Folded into a head's first weights afterwards, which then read raw vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from operators.learn.examples import Examples

_FLOOR = 1e-3  # of the mean deviation: features that hardly vary are not blown up


@dataclass(frozen=True, slots=True)
class FrameScale:
    """Mean and standard deviation of each feature, `[F]`, the deviation above 0."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, examples: Examples, vectors: Tensor) -> FrameScale:
        """Over the frames that are in a window.

        Args:
            examples: the windows.
            vectors: of all frames, `[n, F]` float32.
        """
        own = vectors[torch.from_numpy(np.unique(examples.rows))]
        deviation = own.std(dim=0, unbiased=False)
        floor = max(float(deviation.mean()) * _FLOOR, torch.finfo(torch.float32).tiny)
        return cls(own.mean(dim=0), deviation.clamp_min(floor))
