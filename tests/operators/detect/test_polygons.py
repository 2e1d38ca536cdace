"""Polygons against pycocotools: every pixel."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from operators.detect.polygons import polygons_mask


def of_pycocotools(polygons: list[list[float]], size_hw: tuple[int, int]) -> np.ndarray:
    drawn = coco_mask.frPyObjects(polygons, *size_hw)
    return coco_mask.decode(coco_mask.merge(drawn)).astype(bool)


def corners(draw: np.random.Generator, size_hw: tuple[int, int], kind: int) -> list[float]:
    """Any polygon, also one that crosses itself, leaves its picture or has one corner twice."""
    height, width = size_hw
    found = draw.random((int(draw.integers(3, 12)), 2)) * [width, height] * 1.3
    found -= [width * 0.15, height * 0.15]
    if kind % 2:
        found = found.round(kind % 3)
    if kind % 5 == 0:
        found = np.concatenate([found, found[-1:], found[:1]])
    return found.ravel().tolist()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
@pytest.mark.parametrize("seed", range(4))
def test_every_pixel_is_as_pycocotools_draws_it(seed: int) -> None:
    draw = np.random.default_rng(seed)
    for number in range(100):
        size_hw = (int(draw.integers(1, 90)), int(draw.integers(1, 90)))
        polygons = [corners(draw, size_hw, number) for _ in range(1 + number % 3)]
        ours = polygons_mask(polygons, size_hw)
        np.testing.assert_array_equal(ours, of_pycocotools(polygons, size_hw))


def test_a_square_is_its_pixels_and_a_line_has_none() -> None:
    square = polygons_mask([[2, 1, 5, 1, 5, 3, 2, 3]], (6, 8))
    assert square.sum() == 6
    assert square[1:3, 2:5].all()
    assert not polygons_mask([[2, 1, 5, 1, 2, 1]], (6, 8)).any()
    assert not polygons_mask([[3, 3, 3, 3, 3, 3]], (6, 8)).any()
    assert polygons_mask([[0, 0, 8, 0, 8, 6, 0, 6]], (6, 8)).all()
