"""Neighbours are those that a full matrix gives, whatever the blocks."""

import numpy as np
import pytest

from operators.groups import neighbours
from operators.groups.grid import cosines, unit_rows
from operators.groups.neighbours import nearest_others


@pytest.mark.parametrize("k", [1, 5, 39])
@pytest.mark.parametrize("size", [7, 4096])
def test_they_are_those_of_the_full_matrix(scattered, monkeypatch, k, size):
    monkeypatch.setattr(neighbours, "_ASKED", size)
    monkeypatch.setattr(neighbours, "_AMONG", size + 4)
    units = unit_rows(np.vstack((scattered(35), scattered(5))))  # five are there twice
    near = cosines(units, units)
    np.fill_diagonal(near, -np.inf)
    found = nearest_others(units, k)
    want = np.argsort(-near, axis=1, kind="stable")[:, :k]
    assert np.array_equal(found.rows, want)
    assert np.array_equal(found.cosines, np.take_along_axis(near, want, 1))


def test_more_than_there_are_is_refused(scattered):
    with pytest.raises(ValueError, match="want 1 to 4 neighbours among the others, got 5"):
        nearest_others(scattered(5), 5)
