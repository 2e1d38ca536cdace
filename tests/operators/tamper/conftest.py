"""A camera in front of a wall of shapes, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def wall() -> Picture:
    """uint8 `[168, 224, 3]`: patches of light and dark, 12 pixels and more across, not regular."""
    draw = np.random.default_rng(5)
    rough = draw.integers(40, 216, (14, 18, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize((224, 168), Image.Resampling.BICUBIC))


@pytest.fixture(scope="session")
def noisy(wall: Picture) -> Callable[..., Picture]:
    """`noisy(7)`: the wall as a sensor sees it in the 7th frame, or another picture."""

    def made(number: int, picture: Picture = wall) -> Picture:
        noise = np.random.default_rng(number).normal(0, 2, picture.shape)
        return (picture + noise).clip(0, 255).astype(np.uint8)

    return made
