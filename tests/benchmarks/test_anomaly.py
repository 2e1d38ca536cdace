"""The benchmark's own numbers: areas under curves, what is put into pictures, what pixels say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.anomaly.__main__ import judged, over_cameras
from benchmarks.anomaly.auroc import auroc
from benchmarks.anomaly.cameras import QUIET, Camera, covered, yards
from benchmarks.anomaly.spoilt import foreign
from benchmarks.anomaly.ways import OfPixels

pytestmark = pytest.mark.slow


def still(frames: int, seed: int) -> np.ndarray:
    """Pictures of a camera: its own wall, and noise."""
    wall = np.random.default_rng(seed).integers(20, 230, (4, 7, 3)).repeat(14, 0).repeat(14, 1)
    noise = np.random.default_rng([seed, frames]).integers(-5, 6, (frames, *wall.shape))
    return (wall + noise).clip(0, 255).astype(np.uint8)


def test_areas_are_scikit_learns() -> None:
    roc_auc_score = pytest.importorskip("sklearn.metrics").roc_auc_score
    draw = np.random.default_rng(0)
    usual, unusual = draw.integers(0, 20, 200) / 4, draw.integers(5, 25, 70) / 4  # with ties
    truth = np.repeat([0, 1], (200, 70))
    expected = roc_auc_score(truth, np.concatenate([usual, unusual]))
    assert auroc(usual, unusual) == pytest.approx(expected)
    assert np.isnan(auroc(usual, unusual[:0]))


def test_it_is_known_where_a_foreign_patch_is() -> None:
    pictures, other = still(6, 1), still(6, 2)
    done, where = foreign(pictures, other, seed=3)
    changed = (done != pictures).any(axis=-1)
    assert where.sum(axis=(1, 2)).tolist() == [14 * 14] * 6
    assert (changed <= where).all()
    assert changed[where].mean() > 0.9
    assert covered(where).sum() == pytest.approx(6)  # as large as a cell


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
    told = judged(OfPixels(), camera)
    assert told["a foreign patch"].frames > 0.95
    assert told["a foreign patch"].cells > 0.9
    assert told["a third brighter"].over == 1
    assert told["usual"].over < 0.5


def test_an_interval_is_over_cameras() -> None:
    told = over_cameras([0.9, 0.8, float("nan"), 1.0])
    assert told.value == pytest.approx(0.9)
    assert told.low is not None
    assert told.high is not None
    assert 0.8 <= told.low < told.high <= 1.0
