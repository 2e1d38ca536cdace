"""Components are those of the whole graph."""

import numpy as np
import pytest

from operators.groups import components as room
from operators.groups.components import components
from operators.groups.grid import cosines, unit_rows


def by_walking(near, threshold):
    """Breadth first over the full matrix."""
    labels = np.full(len(near), -1)
    for start in range(len(near)):
        if labels[start] < 0:
            labels[start], waiting = labels.max() + 1, [start]
            while waiting:
                for row in np.flatnonzero((near[waiting.pop()] >= threshold) & (labels < 0)):
                    labels[row] = labels[start]
                    waiting.append(row)
    return labels


@pytest.mark.parametrize("size", [8, 1024])
@pytest.mark.parametrize("threshold", [-1.0, 0.3, 0.5, 0.7, 0.9, 1.1])
def test_they_are_those_of_the_full_matrix(scattered, monkeypatch, threshold, size):
    monkeypatch.setattr(room, "_BLOCK", size)
    units = scattered(70, 6)
    want = by_walking(cosines(units, units), threshold)
    assert components(units, threshold).tolist() == want.tolist()


def test_a_chain_hangs_together_though_its_ends_are_far_apart():
    angles = np.arange(0, 180, 5)
    units = unit_rows(np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1))
    assert set(components(units, np.cos(np.radians(5.1)))) == {0}
    assert components(units, np.cos(np.radians(4.9))).tolist() == list(range(len(angles)))


def test_a_cosine_that_is_the_threshold_joins():
    units = unit_rows([[1.0, 0.0], [0.6, 0.8]])
    at = float(cosines(units, units)[0, 1])
    assert components(units, at).tolist() == [0, 0]
    assert components(units, np.nextafter(at, 1)).tolist() == [0, 1]
