"""What pixels alone say of a still camera, learnt at once or bit by bit."""

from __future__ import annotations

import numpy as np

from operators.learn.anomaly_ways import OfPixels, frame_scores

DRAW = np.random.default_rng(1)
WALL = DRAW.integers(20, 230, (4, 7, 3)).repeat(14, 0).repeat(14, 1)


def still(frames: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng([2, seed]).integers(-9, 10, (frames, *WALL.shape))
    return (WALL + noise).clip(0, 255).astype(np.uint8)


def test_what_is_new_is_far_where_it_is() -> None:
    distances = OfPixels(14).learn(still(40, 0))
    seen = still(2, 1)
    seen[1, 14:28, 42:56] = 255 - seen[1, 14:28, 42:56]
    told = distances(seen)
    assert told.shape == (2, 4, 7)
    assert np.unravel_index(told[1].argmax(), (4, 7)) == (1, 3)
    usual, new = frame_scores(told)
    assert new > 3 * usual


def test_it_is_learnt_in_parts_as_at_once() -> None:
    usual, seen = still(50, 0), still(3, 1)
    at_once = OfPixels(14).learn(usual)(seen)
    in_parts = OfPixels(14).learn_all(iter(np.split(usual, [7, 30])))(seen)
    np.testing.assert_allclose(in_parts, at_once, rtol=1e-6)


def test_a_frames_score_is_of_its_highest_hundredth() -> None:
    distances = np.arange(400, dtype=float).reshape(1, 20, 20)
    assert frame_scores(distances).tolist() == [np.mean([396, 397, 398, 399])]
    assert frame_scores(distances[:, :2, :2]).tolist() == [21.0]
