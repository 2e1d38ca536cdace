"""Vectors of a few kinds."""

import numpy as np
import pytest

from operators.groups.grid import unit_rows


@pytest.fixture
def blobs():
    """`blobs(4, each=50)`: units around so many directions, and which each is around."""

    def made(count, *, each=50, width=24, spread=0.15, seed=0):
        draw = np.random.default_rng(seed)
        middles = np.linalg.qr(draw.normal(size=(width, width)))[0][:count]
        truth = np.tile(np.arange(count), each)
        noise = draw.normal(size=(len(truth), width)) * spread
        return unit_rows(middles[truth] + noise), truth

    return made


@pytest.fixture
def scattered():
    """`scattered(100)`: units in any direction."""

    def made(count, width=16, seed=0):
        return unit_rows(np.random.default_rng(seed).normal(size=(count, width)))

    return made
