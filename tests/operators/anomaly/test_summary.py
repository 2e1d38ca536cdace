"""A map in a few numbers."""

from __future__ import annotations

import numpy as np
import pytest

from operators.anomaly.summary import anomaly_summary, frame_score, to_steps


def test_a_frames_score_is_the_mean_of_its_highest_hundredth() -> None:
    distances = np.linspace(0, 1, 448, dtype=np.float32).reshape(16, 28)
    steps = np.random.default_rng(0).permutation(to_steps(distances).ravel()).reshape(16, 28)
    assert frame_score(steps) == pytest.approx(np.sort(distances, axis=None)[-4:].mean(), abs=1e-4)


def test_of_fewer_than_a_hundred_patches_the_highest_counts() -> None:
    steps = np.zeros((9, 11), dtype=np.uint16)
    steps[3, 4] = 1234
    assert frame_score(steps) == 0.1234


def test_distances_are_published_to_a_ten_thousandth() -> None:
    distances = np.array([[0, 0.00004, 0.00006, 1, 2]], dtype=np.float32)
    assert to_steps(distances).tolist() == [[0, 0, 1, 10_000, 20_000]]


def test_a_patch_is_over_what_is_said_of_it_and_no_rounding_of_it() -> None:
    steps = np.zeros((9, 11), dtype=np.uint16)
    steps[3, 4] = 3500  # times 0.0001 it is a little more than 0.35
    told = anomaly_summary(steps, 0.35, (90, 110))
    assert (told["score"], told["over"], told["patches"], told["largest"]) == (0.35, False, 0, None)


def test_the_largest_part_that_is_over_has_its_box_in_the_source() -> None:
    distances = np.full((4, 6), 0.1, dtype=np.float32)
    distances[1:3, 2:4] = 0.5
    distances[0, 5] = 0.8  # higher, and smaller
    told = anomaly_summary(to_steps(distances), 0.3, (400, 600))
    assert told == {
        "score": 0.8,
        "threshold": 0.3,
        "over": True,
        "highest": 0.8,
        "patches": 5,
        "largest": {"box": [200, 100, 400, 300], "patches": 4},
    }


def test_what_is_only_a_little_over_is_counted_and_is_in_no_box() -> None:
    distances = np.full((4, 6), 0.35, dtype=np.float32)
    distances[2, 1:3] = 0.9
    told = anomaly_summary(to_steps(distances), 0.3, (400, 600))
    assert told["patches"] == 24
    assert told["largest"] == {"box": [100, 200, 300, 300], "patches": 2}


def test_where_nothing_is_over_there_is_no_largest_part() -> None:
    told = anomaly_summary(np.full((4, 6), 3000, dtype=np.uint16), 0.3, (400, 600))
    assert (told["over"], told["patches"], told["largest"]) == (False, 0, None)
    whole = anomaly_summary(np.full((4, 6), 3001, dtype=np.uint16), 0.3, (400, 600))
    assert whole["largest"] == {"box": [0, 0, 600, 400], "patches": 24}
