"""Run lengths, read by COCO's own tools, and theirs read by us."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from operators.detect.run_lengths import lengths_in, mask_of, run_lengths

NONE, ALL = np.zeros((3, 4), bool), np.ones((3, 4), bool)
NOISE = np.random.default_rng(1).random((9, 5)) > 0.5
LARGE = np.random.default_rng(2).random((300, 200)).cumsum(0) % 9 > 4.5
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


@pytest.mark.parametrize("mask", [NONE, ALL, NOISE, ~NOISE, BLOB, LARGE, ~LARGE], ids=range(7))
def test_both_forms_are_read_as_cocos_tools_write_them(mask: np.ndarray) -> None:
    theirs = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    lengths = lengths_in(theirs["counts"].decode())
    assert lengths == run_lengths(mask)["counts"]
    np.testing.assert_array_equal(mask_of(theirs["size"], lengths), mask)


def test_long_runs_and_runs_of_nothing_are_read() -> None:
    """More than 2^15 in a number, and differences below zero."""
    counts = [0, 70_000, 1, 0, 3, 1_200_000, 2, 5]
    size = [1, sum(counts)]
    theirs = coco_mask.frPyObjects({"size": size, "counts": counts}, *size)
    assert lengths_in(theirs["counts"].decode()) == counts


@pytest.mark.parametrize(
    ("text", "error"),
    [("5 5", "character ' ' is none"), ("0\u00e9", "is none of compressed"), ("5P", "end within")],
)
def test_what_is_no_compressed_form_is_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        lengths_in(text)
