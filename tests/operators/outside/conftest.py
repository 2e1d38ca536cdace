"""Seeded models of others in folders, as transformers saves them, with the models themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.outside_twins import write_grounding_dino, write_sam


class Twin(NamedTuple):
    """transformers' model, and the folder that it wrote."""

    model: Any
    folder: Path


@pytest.fixture(scope="session")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    folder = tmp_path_factory.mktemp("sam")
    return Twin(write_sam(folder), folder)


@pytest.fixture(scope="session")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    folder = tmp_path_factory.mktemp("dino")
    return Twin(write_grounding_dino(folder), folder)


@pytest.fixture(scope="session")
def noise():
    """`noise(45, 77)`: a picture, uint8 RGB `[45, 77, 3]`."""

    def made(height: int, width: int) -> np.ndarray:
        return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)

    return made
