"""What losses are computed in, whatever the layers before them ran in."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Half precision becomes float32, float64 stays.

    Scores over a teacher's temperature of 0.04 reach 25, and the exponential of that does not fit
    into float16.
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))
