"""Metrics against numbers worked out by hand, and intervals that are over files."""

from __future__ import annotations

import numpy as np
import pytest

from operators.learn.depth_metrics import DepthErrors, depth_errors, depth_scores
from operators.learn.estimate import estimate
from operators.learn.metrics import (
    IGNORED,
    classification_scores,
    picture_confusion,
    segmentation_scores,
)
from operators.learn.reliability import reliability


def test_an_interval_is_over_groups_and_not_over_what_is_in_them():
    of_groups = np.array([0.0, 1.0, 0.0, 1.0])

    def mean(weights):
        return float(np.average(of_groups, weights=weights))

    few = estimate(mean, 4)
    many = estimate(lambda weights: float(np.average(np.tile(of_groups, 25), weights=weights)), 100)
    assert few.value == many.value == 0.5
    assert few.high - few.low > 3 * (many.high - many.low)
    assert estimate(mean, 4) == few, "seeded"


def test_one_group_has_no_interval():
    alone = estimate(lambda weights: float(weights[0]), 1)
    assert (alone.value, alone.low, alone.high) == (1.0, None, None)
    assert alone.plain() == {"value": 1.0, "low": None, "high": None}


@pytest.mark.slow
def test_classification_in_numbers_worked_out_by_hand():
    targets = np.array([0, 0, 0, 1])
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    result = classification_scores(targets, scores, ["a", "a", "b", "c"])
    values = {name: one.value for name, one in result.estimates.items()}
    assert values["top1"] == 0.75
    assert values["mean_class_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert "top5" not in values
    assert result.confusion.tolist() == [[2, 1], [0, 1]]
    assert result.per_class == {0: pytest.approx(2 / 3), 1: 1.0}
    assert result.groups == 3
    # |0.9 - 1|, |0.8 - 1|, |0.7 - 0|, |0.6 - 1|: four bins of one answer each
    assert values["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.7 + 0.4) / 4)


@pytest.mark.slow
def test_top5_counts_where_there_are_more_than_five_classes():
    scores = np.tile(np.linspace(0.3, 0.01, 7), (3, 1))
    result = classification_scores(np.array([0, 4, 6]), scores, ["a", "b", "c"])
    assert result.estimates["top1"].value == pytest.approx(1 / 3)
    assert result.estimates["top5"].value == pytest.approx(2 / 3)


@pytest.mark.slow
def test_segmentation_in_numbers_worked_out_by_hand():
    truth = np.array([[0, 0, 1], [1, IGNORED, 2]])
    answer = np.array([[0, 1, 1], [1, 1, 0]])
    confusion = picture_confusion(truth, answer, 4)
    result = segmentation_scores(np.stack([confusion, confusion]))
    # class 0: 1 of 3, class 1: 2 of 3, class 2: 0 of 1; class 3 is nowhere
    assert result.per_class == {0: pytest.approx(1 / 3), 1: pytest.approx(2 / 3), 2: 0.0}
    assert result.estimates["miou"].value == pytest.approx(1 / 3)
    assert result.estimates["pixel_accuracy"].value == pytest.approx(3 / 5)
    assert result.estimates["miou"].low == result.estimates["miou"].high == pytest.approx(1 / 3)


def test_a_picture_without_labels_counts_nothing():
    unknown = np.full((2, 2), IGNORED)
    assert picture_confusion(unknown, np.zeros((2, 2), int), 3).sum() == 0


def test_depth_in_numbers_worked_out_by_hand():
    truth = np.array([[1.0, 2.0, 4.0], [0.0, np.inf, 90.0]])
    answer = np.array([[1.1, 2.0, 3.0], [5.0, 5.0, 5.0]])
    errors = depth_errors(truth, answer, (0.001, 80.0))
    assert errors.abs_rel == pytest.approx((0.1 + 0 + 0.25) / 3)
    assert errors.rmse_m == pytest.approx(np.sqrt((0.01 + 0 + 1) / 3))
    assert errors.delta1 == pytest.approx(2 / 3)
    assert depth_errors(np.zeros((2, 2)), np.ones((2, 2)), (0.001, 80.0)) is None


def test_depth_of_pictures_is_averaged_over_pictures():
    errors = [DepthErrors(0.1, 1.0, 0.5), DepthErrors(0.3, 3.0, 1.0)]
    scores = depth_scores(errors, ["a", "b"])
    assert scores["abs_rel"].value == pytest.approx(0.2)
    assert (scores["rmse_m"].low, scores["rmse_m"].high) == (1.0, 3.0)


def test_reliability_bins_add_up():
    draw = np.random.default_rng(1)
    sure = draw.uniform(size=2000)
    right = draw.uniform(size=2000) < sure
    bins = reliability(sure, right)
    assert bins.share.sum() == pytest.approx(1.0)
    assert np.abs(bins.confidence - bins.accuracy).max() < 0.15
    mean = (bins.share * bins.confidence).sum()
    assert mean == pytest.approx(sure.mean(), abs=1e-9), "counts are of the same bins as means"
