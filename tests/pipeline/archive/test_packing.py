"""Pictures come back bit by bit, in half the bytes where numbers of one component are alike."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from pipeline.archive.packing import packed, unpacked


def noise(shape):
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "shape", [(16, 8, 34, 3), (1, 2, 3, 3), (3, 1, 1, 3), (0, 2, 3, 3), (2, 0, 0, 3)]
)
@pytest.mark.parametrize("stride", [1, 2, 5, 64, 10_000])
def test_what_is_packed_comes_back(shape, stride):
    pictures = noise(shape)
    back = unpacked(packed(pictures, stride), shape, stride)
    assert back.shape == shape
    assert np.array_equal(back, pictures)


def test_components_that_are_alike_take_less_together():
    """64 components, each of a width of its own, of 100 patches of 8 frames."""
    wide = np.geomspace(40, 0.3, 64)
    codes = np.random.default_rng(2).normal(0, wide, (8, 100, 64)).round().astype(np.int8)
    pictures = codes.view(np.uint8).reshape(8, 100, -1)
    size = len(packed(pictures, 64))
    assert size < 0.6 * pictures.size
    assert size < 0.9 * len(zlib.compress(pictures.tobytes(), 1))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda data: data[:-3],
        lambda data: data[:10],
        lambda data: b"no pictures",
        lambda data: packed(noise((2, 2, 3, 3)), 2),
        lambda data: packed(noise((9, 9, 9, 3)), 2),
    ],
    ids=["cut", "cut short", "other bytes", "fewer", "more"],
)
def test_what_is_something_else_is_refused(wrong):
    with pytest.raises(ValueError, match="no pictures of an archive"):
        unpacked(wrong(packed(noise((3, 2, 3, 3)), 2)), (3, 2, 3, 3), 2)
