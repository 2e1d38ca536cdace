"""The benchmark's own numbers: what is put into pictures, what pixels say of them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.anomaly.__main__ import judged
from benchmarks.anomaly.cameras import PATCH, QUIET, Camera, yards
from benchmarks.anomaly.spoilt import foreign
from operators.learn.anomaly_ways import OfPixels
from pipeline.fit.strangers import covered

pytestmark = pytest.mark.slow


def still(frames: int, seed: int) -> np.ndarray:
    """Pictures of a camera: its own wall, and noise."""
    wall = np.random.default_rng(seed).integers(20, 230, (4, 7, 3)).repeat(14, 0).repeat(14, 1)
    noise = np.random.default_rng([seed, frames]).integers(-5, 6, (frames, *wall.shape))
    return (wall + noise).clip(0, 255).astype(np.uint8)


def test_it_is_known_where_a_foreign_patch_is() -> None:
    pictures, other = still(6, 1), still(6, 2)
    done, where = foreign(pictures, other, seed=3)
    changed = (done != pictures).any(axis=-1)
    assert where.sum(axis=(1, 2)).tolist() == [14 * 14] * 6
    assert (changed <= where).all()
    assert changed[where].mean() > 0.9
    assert covered(where, PATCH).sum() == pytest.approx(6)  # as large as a cell


def test_a_yard_that_nobody_came_into_knows_where_somebody_is() -> None:
    (camera,) = yards([700], QUIET, seconds=60, short_side=112)
    assert len(camera.learn) > 3 * len(camera.aside) > 0
    cells = camera.cases[QUIET.name].cells
    assert cells is not None
    assert cells.shape[1:] == (8, 14)
    assert (cells.sum(axis=(1, 2)) >= 2).all()
    assert cells.mean() < 0.3, "what stands there always is nobody who comes"


def test_pixels_tell_a_patch_and_take_light_for_one() -> None:
    camera = Camera.of("wall", still(40, 1), still(40, 2), seed=0)
    told = judged(OfPixels(PATCH), camera)
    assert told["a foreign patch"].frames > 0.95
    assert told["a foreign patch"].cells > 0.9
    assert told["a third brighter"].over == 1
    assert told["usual"].over < 0.5
