"""Pictures come back bit by bit, in half the bytes where numbers of one component are alike."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from pipeline.archive.packing import Order, packed, unpacked

ORDER = Order(2, 10)


def noise(shape):
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "shape", [(16, 8, 34, 3), (1, 2, 3, 3), (3, 1, 1, 3), (0, 2, 3, 3), (2, 0, 0, 3)]
)
@pytest.mark.parametrize(("stride", "times"), [(1, 3), (2, 1), (3, 1), (1, 0), (64, 0)])
def test_what_is_packed_comes_back(shape, stride, times):
    pictures, order = noise(shape), Order(stride, stride * times)
    back = unpacked(packed(pictures, order), shape, order)
    assert back.shape == shape
    assert np.array_equal(back, pictures)


def test_components_that_are_alike_take_less_together():
    """64 components, each of a width of its own, of 100 patches of 8 frames."""
    wide = np.geomspace(40, 0.3, 64)
    codes = np.random.default_rng(2).normal(0, wide, (8, 100, 64)).round().astype(np.int8)
    pictures = codes.view(np.uint8).reshape(8, 100, -1)
    size = len(packed(pictures, Order(64, 6400)))
    assert size < 0.6 * pictures.size
    assert size < 0.9 * len(zlib.compress(pictures.tobytes(), 1))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda data: data[:-3],
        lambda data: data[:10],
        lambda data: b"no pictures",
        lambda data: packed(noise((2, 2, 3, 3)), ORDER),
        lambda data: packed(noise((9, 9, 9, 3)), ORDER),
    ],
    ids=["cut", "cut short", "other bytes", "fewer", "more"],
)
def test_what_is_something_else_is_refused(wrong):
    with pytest.raises(ValueError, match="no pictures of an archive"):
        unpacked(wrong(packed(noise((3, 2, 3, 3)), ORDER)), (3, 2, 3, 3), ORDER)
