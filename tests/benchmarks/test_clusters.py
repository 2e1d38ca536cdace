"""What the benchmark of clusters is made of."""

import numpy as np
import pytest

from benchmarks.clusters import agreement, pixels, rendered
from operators.groups.grid import unit_rows


def test_pixels_are_means_of_parts_of_a_picture():
    picture = np.zeros((16, 24, 3), np.uint8)
    picture[:2, :3] = (255, 0, 0)
    (vector,) = pixels([picture])
    assert vector.shape == (192,)
    assert np.flatnonzero(vector).tolist() == [0]
    assert vector[0] == 1


def test_two_frames_of_each_scene_far_apart_in_time():
    first, second = rendered("yard", (3, 4), 36)
    assert (first.stream, second.stream) == ("yard-3", "yard-4")
    assert first.times_s == pytest.approx([1.8, 7.8])
    assert [one.shape for one in first.pictures] == [(36, 64, 3)] * 2
    assert not np.array_equal(first.pictures[0], second.pictures[0])


def test_clusters_that_are_the_kinds_agree_with_them():
    kinds = np.repeat(np.arange(3), 8)
    draw = np.random.default_rng(0)
    told = agreement(unit_rows(np.eye(3, 9)[kinds] + draw.normal(size=(24, 9)) * 0.1 + 1), kinds)
    assert (told.rand, told.purity, told.k) == (1, 1, 3)
