"""Splits: whole groups, every class everywhere, seeded, or a reason with names."""

from __future__ import annotations

import numpy as np
import pytest

from operators.errors import UsageError
from operators.learn.splits import split


def test_groups_never_part_and_every_class_is_everywhere() -> None:
    draw = np.random.default_rng(0)
    labels = [f"c{number}" for number in range(4)]
    for seed in range(20):
        groups = [f"g{number}" for number in range(24) for _ in range(int(draw.integers(1, 9)))]
        targets = np.array([(int(group[1:]) + int(draw.integers(0, 2))) % 4 for group in groups])
        parts = split(groups, targets, labels, seed=seed)
        every = [parts.train, parts.validation, parts.test]
        assert sorted(np.concatenate(every)) == list(range(len(groups)))
        own = [{groups[row] for row in part} for part in every]
        assert not own[0] & own[1]
        assert not own[0] & own[2]
        assert not own[1] & own[2]
        assert all(set(targets[part]) == {0, 1, 2, 3} for part in every)
        again = split(groups, targets, labels, seed=seed)
        same = zip(every, (again.train, again.validation, again.test), strict=True)
        assert all(np.array_equal(*pair) for pair in same)
        assert len(parts.train) > len(parts.validation)


def test_few_groups_have_no_test_part() -> None:
    groups = ["a", "b", "c", "d"]
    parts = split(groups, np.array([0, 0, 1, 1]), ["x", "y"])
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (2, 2, 0)
    assert parts.judged[0] == "validation"


def test_classes_with_too_few_groups_are_named() -> None:
    with pytest.raises(UsageError, match=r"two files or more.* wave \(1\)"):
        split(["a", "b", "c"], np.array([0, 1, 1]), ["wave", "walk"])
    with pytest.raises(UsageError, match=r"two days or more.* wave \(1\), walk \(1\)"):
        split(["a", "b"], np.array([0, 1]), ["wave", "walk"], kind="day")


def test_what_cannot_be_divided_is_refused() -> None:
    groups = ["1", "2", "1", "3", "2", "3"]  # each of three classes in two of three groups
    with pytest.raises(UsageError, match="no way was found"):
        split(groups, np.array([0, 0, 1, 1, 2, 2]), ["a", "b", "c"])
