"""Pictures and draws for conditions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture
def drawn() -> Callable[..., np.random.Generator]:
    """`drawn()`: the same draws each time; `drawn(1)`: others."""
    return lambda seed=0: np.random.Generator(np.random.PCG64(seed))


@pytest.fixture
def picture() -> Callable[..., NDArray[np.uint8]]:
    """`picture((37, 91))`: dark at the left and bright at the right, with texture."""

    def made(size_hw: tuple[int, int]) -> NDArray[np.uint8]:
        height, width = size_hw
        ramp = np.linspace(10, 240, width)[None, :, None]
        texture = np.random.default_rng(3).uniform(-10, 10, (height, width, 3))
        return (ramp + texture).astype(np.uint8)

    return made
