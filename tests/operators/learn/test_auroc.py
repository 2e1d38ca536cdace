"""Areas under ROC curves: scikit-learn's, of all frames of files, with intervals over files."""

from __future__ import annotations

import numpy as np
import pytest

from operators.learn.auroc import auroc, auroc_over_files, mean_over

DRAW = np.random.default_rng(0)
USUAL = [DRAW.integers(0, 20, count) / 4 for count in (40, 7, 90)]  # with ties
UNUSUAL = [DRAW.integers(5, 25, count) / 4 for count in (30, 1)]


def test_areas_are_scikit_learns() -> None:
    roc_auc_score = pytest.importorskip("sklearn.metrics").roc_auc_score
    usual, unusual = np.concatenate(USUAL), np.concatenate(UNUSUAL)
    truth = np.repeat([0, 1], (len(usual), len(unusual)))
    expected = roc_auc_score(truth, np.concatenate([usual, unusual]))
    assert auroc(usual, unusual) == pytest.approx(expected)
    assert auroc_over_files(USUAL, UNUSUAL).value == pytest.approx(expected)


def test_of_one_kind_alone_there_is_none() -> None:
    assert np.isnan(auroc(USUAL[0], USUAL[0][:0]))


def test_a_file_that_is_there_twice_counts_twice() -> None:
    twice = auroc_over_files([*USUAL, USUAL[1]], UNUSUAL)
    assert twice.value == pytest.approx(
        auroc(np.concatenate([*USUAL, USUAL[1]]), np.concatenate(UNUSUAL))
    )
    assert twice.value != auroc_over_files(USUAL, UNUSUAL).value


def test_an_interval_is_over_files_and_always_the_same() -> None:
    told = auroc_over_files(USUAL, UNUSUAL)
    assert told == auroc_over_files(USUAL, UNUSUAL)
    assert told.low is not None
    assert told.high is not None
    assert told.low < told.value < told.high
    sure = auroc_over_files([USUAL[0]] * 40, [UNUSUAL[0]] * 40)
    assert sure.high is not None
    assert sure.low is not None
    assert sure.high - sure.low < 1e-9, "files that are alike leave no doubt"


def test_a_mean_is_over_cameras() -> None:
    told = mean_over([0.9, 0.8, float("nan"), 1.0])
    assert told.value == pytest.approx(0.9)
    assert told.low is not None
    assert told.high is not None
    assert 0.8 <= told.low < told.high <= 1.0
    assert np.isnan(mean_over([float("nan")]).value)
