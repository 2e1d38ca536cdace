"""Thresholds from validation: between the classes, or never."""

from __future__ import annotations

import numpy as np
import pytest

from operators.learn.thresholds import NEVER, thresholds


def test_the_middle_between_two_classes_that_do_not_overlap() -> None:
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    assert thresholds(scores, np.array([0, 0, 1, 1])) == pytest.approx([0.6, 0.4])


def test_the_best_f1_where_they_overlap() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])
    truth = np.array([0, 0, 1, 0, 1, 1])  # from 0.6 on: precision 3/4, recall 1
    both = np.stack([scores, 1 - scores], axis=1)
    assert thresholds(both, truth)[0] == pytest.approx(0.55)


def test_a_class_that_validation_lacks_is_never_said() -> None:
    scores = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert thresholds(scores, np.array([0, 0])) == [pytest.approx(0.4), NEVER]
