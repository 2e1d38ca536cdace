"""Maps of what is not mixed, such as ids and masks, at another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def nearest(values: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[Any]:
    """Maps `[..., h, w]` at another size, `[..., H, W]`: each pixel the value under its middle."""
    rows, columns = (
        ((np.arange(wanted) + 0.5) * given / wanted).astype(np.intp)
        for wanted, given in zip(size_hw, values.shape[-2:], strict=True)
    )
    picked: NDArray[Any] = values[..., rows, :][..., columns]
    return picked
