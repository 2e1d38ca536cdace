"""Seeded models of others in folders, and a picture of a square on noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.outside_twins import write_grounding_dino, write_sam

SQUARE = (slice(28, 84), slice(42, 112))  # rows and columns


@pytest.fixture(scope="session")
def sam_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam")
    write_sam(folder)
    return folder


@pytest.fixture(scope="session")
def dino_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dino")
    write_grounding_dino(folder)
    return folder


@pytest.fixture(scope="session")
def square():
    """RGB uint8 `[112, 168, 3]`, and where the square is, bool `[112, 168]`."""
    picture = np.random.default_rng(3).integers(20, 60, (112, 168, 3)).astype(np.uint8)
    mask = np.zeros((112, 168), bool)
    mask[SQUARE] = True
    picture[mask] = (230, 40, 30)
    return picture, mask
