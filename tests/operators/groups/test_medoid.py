"""The medoid is what looking at all pairs gives."""

import numpy as np

from operators.groups.grid import cosines, unit_rows
from operators.groups.medoid import medoids


def test_the_row_with_the_highest_mean_cosine(scattered):
    units = scattered(50)
    labels = np.arange(50) % 3
    for label, row in enumerate(medoids(units, labels, 3)):
        own = np.flatnonzero(labels == label)
        assert row == own[cosines(units[own], units[own]).mean(axis=1).argmax()]


def test_of_equal_ones_the_first():
    units = unit_rows(np.repeat(np.eye(3), 4, axis=0)[::-1])
    assert medoids(units, np.repeat([1, 0, 2], 4), 3).tolist() == [4, 0, 8]
