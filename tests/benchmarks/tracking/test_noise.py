"""A detector that is as bad as it is said to be, and the same from the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tracking.noise import Noise

SIZE_WH = (400, 200)
TRUE = np.array([(10.0, 20, 60, 90), (200, 50, 240, 100)])
LABELS = np.array([3, 8])


def test_it_misses_moves_and_invents_as_often_as_it_is_said_to() -> None:
    noise, rng = Noise(missed=0.2, jitter=0.05, invented=0.5), np.random.default_rng(1)
    found = [noise.detect(rng, TRUE, LABELS, SIZE_WH) for _ in range(2000)]
    near = np.concatenate([one.boxes[one.boxes[:, 0] < 30] for one in found])
    near = near[np.abs(near - TRUE[0]).max(axis=1) < 25]
    assert len(near) / 2000 == pytest.approx(0.8, abs=0.05)
    assert (near - TRUE[0]).std(axis=0) / (50, 70, 50, 70) == pytest.approx(0.05, abs=0.015)
    assert sum(map(len, found)) / 2000 == pytest.approx(2 * 0.8 + 0.5, abs=0.1)
    for one in found:
        assert (np.diff(one.scores) <= 0).all()
        assert (one.boxes[:, 2:] > one.boxes[:, :2]).all()
        assert set(one.labels) <= {3, 8}


def test_it_is_a_function_of_its_seed_and_finds_nothing_where_nothing_is() -> None:
    first, second = (
        Noise().detect(np.random.default_rng(7), TRUE, LABELS, SIZE_WH) for _ in range(2)
    )
    assert (first.boxes == second.boxes).all()
    empty = Noise().detect(np.random.default_rng(7), np.zeros((0, 4)), LABELS[:0], SIZE_WH)
    assert (len(empty), empty.boxes.shape) == (0, (0, 4))


def test_a_perfect_one_finds_what_is_there() -> None:
    found = Noise(0, 0, 0).detect(np.random.default_rng(0), TRUE, LABELS, SIZE_WH)
    assert sorted(found.boxes.tolist()) == TRUE.tolist()
