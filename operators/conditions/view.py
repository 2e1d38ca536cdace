"""What a camera has in front of it when a condition sets in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.conditions.linear_light import Light


@dataclass(frozen=True, slots=True)
class View:
    """One picture, before.

    Attributes:
        light: `[H, W, 3]`, white is 1.
        depth_m: float32 `[H, W]`, metres along the optical axis, above 0; inf where there is
            nothing, such as the sky. None where nobody knows depth.
        draw: all that is random comes from it.
    """

    light: Light
    depth_m: NDArray[np.float32] | None
    draw: np.random.Generator


Effect = Callable[[View, float], Light]
"""A view and a strength above 0 in, its light under the condition out; 1 is the usual strength."""
