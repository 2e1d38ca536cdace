"""Run lengths, read by COCO's own tools."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from operators.detect.run_lengths import run_lengths

NONE, ALL = np.zeros((3, 4), bool), np.ones((3, 4), bool)
NOISE = np.random.default_rng(1).random((9, 5)) > 0.5
BLOB = np.pad(np.ones((2, 3), bool), ((4, 1), (2, 5)))


@pytest.mark.parametrize("mask", [NONE, ALL, NOISE, ~NOISE, BLOB], ids=range(5))
def test_cocos_tools_take_it_for_the_same_mask(mask: np.ndarray) -> None:
    said = run_lengths(mask)
    assert said["size"] == list(mask.shape)
    assert sum(said["counts"]) == mask.size
    theirs = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    assert coco_mask.frPyObjects(said, *mask.shape) == theirs


def test_it_begins_outside() -> None:
    assert run_lengths(NONE)["counts"] == [12]
    assert run_lengths(ALL)["counts"] == [0, 12]
    assert run_lengths(BLOB)["counts"] == [18, 2, 5, 2, 5, 2, 36]
