"""Metrics against numbers worked out by hand, and intervals that are over files."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as peer
from sklearn.calibration import calibration_curve

from operators.learn.depth_metrics import DepthErrors, depth_errors, depth_scores
from operators.learn.estimate import RESAMPLES, estimate
from operators.learn.metrics import (
    IGNORED,
    classification_scores,
    mean_class_accuracy,
    mean_class_gain,
    picture_confusion,
    segmentation_scores,
)
from operators.learn.reliability import BINS, reliability


def test_an_interval_is_over_groups_and_not_over_what_is_in_them():
    of_groups = np.array([0.0, 1.0, 0.0, 1.0])

    def mean(weights):
        return weights @ of_groups / weights.sum(axis=1)

    few = estimate(mean, 4)
    many = estimate(lambda weights: mean(weights.reshape(len(weights), 25, 4).sum(axis=1)), 100)
    assert few.value == many.value == 0.5
    assert few.high - few.low > 3 * (many.high - many.low)
    assert estimate(mean, 4) == few, "seeded"


def test_one_group_has_no_interval():
    alone = estimate(lambda weights: weights[:, 0], 1)
    assert (alone.value, alone.low, alone.high) == (1.0, None, None)
    assert alone.plain() == {"value": 1.0, "low": None, "high": None}


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


def test_top5_counts_where_there_are_more_than_five_classes():
    scores = np.tile(np.linspace(0.3, 0.01, 7), (3, 1))
    result = classification_scores(np.array([0, 4, 6]), scores, ["a", "b", "c"])
    assert result.estimates["top1"].value == pytest.approx(1 / 3)
    assert result.estimates["top5"].value == pytest.approx(2 / 3)


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
    scores = depth_scores(errors, ["a", "b"]).estimates
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


def drawn_answers(classes: int, seed: int):
    """120 examples in 5 files, some classes in few of them: targets, scores, names of files."""
    draw = np.random.default_rng(seed)
    targets = draw.integers(0, classes - 1, 120)  # the last one is never the truth
    scores = draw.dirichlet(np.ones(classes), 120)
    scores[np.arange(120), targets] += draw.uniform(size=120)
    return (
        targets,
        scores / scores.sum(axis=1, keepdims=True),
        [f"file {n % 5}" for n in range(120)],
    )


def of_every_draw(measure, groups: list[str]):
    """95 % interval of a scikit-learn measure of `sample_weight`, file by file drawn anew."""
    names, member = np.unique(groups, return_inverse=True)
    draw = np.random.Generator(np.random.PCG64(0))
    counts = draw.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    rows, drawn = np.unique(counts, axis=0, return_inverse=True)  # few files: the same ones often
    values = np.array([measure(row.astype(float)[member]) for row in rows])
    return np.percentile(values[drawn.reshape(-1)], (2.5, 97.5))


@pytest.mark.slow
def test_numbers_and_intervals_of_classes_are_those_of_scikit_learn():
    targets, scores, groups = drawn_answers(7, seed=7)
    answers, every = scores.argmax(axis=1), np.arange(7)

    def top1(weights):
        return peer.accuracy_score(targets, answers, sample_weight=weights)

    def recall(weights, said=answers):
        own = np.unique(targets[weights > 0])
        return peer.recall_score(targets, said, labels=own, average="macro", sample_weight=weights)

    def top5(weights):
        return peer.top_k_accuracy_score(targets, scores, k=5, labels=every, sample_weight=weights)

    assert mean_class_accuracy(targets, answers) == pytest.approx(recall(np.ones(120)))
    result = classification_scores(targets, scores, groups)
    measures = {"top1": top1, "top5": top5, "mean_class_accuracy": recall}
    for name, measure in measures.items():
        mine = result.estimates[name]
        assert mine.value == pytest.approx(measure(np.ones(120)))
        assert (mine.low, mine.high) == pytest.approx(of_every_draw(measure, groups))
    assert (result.confusion == peer.confusion_matrix(targets, answers, labels=every)).all()

    others = np.where(np.arange(120) % 3, answers, targets)
    gain = mean_class_gain(targets, answers, others, groups)
    assert (gain.low, gain.high) == pytest.approx(
        of_every_draw(lambda weights: recall(weights, others) - recall(weights), groups)
    )


def test_bins_and_calibration_error_are_those_of_scikit_learn():
    targets, scores, groups = drawn_answers(4, seed=0)
    sure, right = scores.max(axis=1), scores.argmax(axis=1) == targets
    accuracy, confidence = calibration_curve(right, sure, n_bins=BINS)
    bins = reliability(sure, right)
    np.testing.assert_allclose(bins.accuracy, accuracy)
    np.testing.assert_allclose(bins.confidence, confidence)

    def error(weights):
        times = weights.astype(int)
        some = reliability(np.repeat(sure, times), np.repeat(right, times))
        return (some.share * np.abs(some.confidence - some.accuracy)).sum()

    mine = classification_scores(targets, scores, groups).estimates["calibration_error"]
    assert mine.value == pytest.approx(error(np.ones(120)))
    assert (mine.low, mine.high) == pytest.approx(of_every_draw(error, groups))


@pytest.mark.slow
def test_numbers_and_intervals_of_segmentation_are_those_of_scikit_learn():
    draw = np.random.default_rng(5)
    truth = draw.integers(0, 4, (6, 8, 8))
    truth[0], truth[1:][draw.uniform(size=(5, 8, 8)) < 0.1] = 4, IGNORED  # one class in one file
    answer = np.where(draw.uniform(size=truth.shape) < 0.6, truth, 1).clip(0, 5)
    confusions = np.stack([picture_confusion(*pair, 6) for pair in zip(truth, answer, strict=True)])
    result = segmentation_scores(confusions)
    known = truth != IGNORED
    files = np.nonzero(known)[0]
    pairs = truth[known], answer[known]

    def miou(weights):
        own = np.union1d(*(ids[weights > 0] for ids in pairs))
        return peer.jaccard_score(*pairs, labels=own, average="macro", sample_weight=weights)

    def pixels(weights):
        return peer.accuracy_score(*pairs, sample_weight=weights)

    for name, measure in {"miou": miou, "pixel_accuracy": pixels}.items():
        mine = result.estimates[name]
        assert mine.value == pytest.approx(measure(np.ones(len(files))))
        assert (mine.low, mine.high) == pytest.approx(of_every_draw(measure, list(files)))
    present = np.union1d(*pairs)
    ious = peer.jaccard_score(*pairs, labels=present, average=None)
    assert result.per_class == pytest.approx(dict(zip(present, ious, strict=True)))


def test_draws_without_a_labelled_pixel_tell_nothing():
    unknown = np.zeros((2, 2), np.int64)
    result = segmentation_scores(np.stack([unknown, np.array([[3, 1], [0, 2]])]))
    assert result.estimates["miou"].value == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert result.estimates["miou"].low == result.estimates["miou"].high
    assert np.isnan(segmentation_scores(unknown[None]).estimates["miou"].value)
