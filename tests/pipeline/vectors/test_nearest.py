"""Cosines are exact, and the nearest are those that sorting all of them gives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from pipeline.vectors import nearest as room
from pipeline.vectors.nearest import cosines, nearest, unit
from tests.pipeline.vectors.conftest import directions


def halves(count: int, width: int = 24, seed: int = 0) -> np.ndarray:
    return directions(count, width, seed).astype(np.float16)


def sorted_all(matrix, queries, count):
    exact = queries.astype(np.float64) @ matrix.astype(np.float64).T
    numbers = np.arange(len(matrix))
    rows = np.array([np.lexsort((numbers, -one))[:count] for one in exact])
    return rows, np.take_along_axis(exact, rows, axis=1)


def test_no_sum_is_rounded():
    """Held to whole numbers: a float16 is a multiple of 2^-24."""
    matrix, query = halves(50, 384), halves(1, 384, seed=1)[0]
    wanted = [int(Fraction(float(one)) * 2**24) for one in query]
    for row, found in zip(matrix, cosines(matrix, query), strict=True):
        whole = [int(Fraction(float(one)) * 2**24) for one in row]
        exact = sum(a * b for a, b in zip(whole, wanted, strict=True))
        assert Fraction(float(found)) == Fraction(exact, 2**48)


@pytest.mark.parametrize("block_rows", [7, 64, 1000])
def test_blocks_change_nothing(block_rows, monkeypatch):
    matrix, queries = halves(300), halves(9, seed=1)
    matrix[100:160] = matrix[7]  # a camera that stands
    queries[0] = matrix[7]
    monkeypatch.setattr(room, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(room, "FEW_ROWS", block_rows)
    for count in (1, 5, 70, 300):
        rows, values = sorted_all(matrix, queries, count)
        found = nearest(matrix, queries, count)
        np.testing.assert_array_equal(found.rows, rows)
        np.testing.assert_array_equal(found.cosines, values)
    exact = matrix.astype(np.float64) @ queries[0].astype(np.float64)
    np.testing.assert_array_equal(cosines(matrix, queries[0]), exact)


def test_equal_ones_come_by_their_rows():
    matrix = np.repeat(halves(1), 20, axis=0)
    found = nearest(matrix, matrix[:1], 6)
    assert found.rows.tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("count", [0, 11])
def test_more_neighbours_than_rows_are_refused(count):
    with pytest.raises(ValueError, match="want 1 to 10 neighbours"):
        nearest(halves(10), halves(1), count)


def test_a_query_is_made_as_long_as_one():
    wanted = unit(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(wanted, np.array([0.6, 0.8], np.float16))
    for nothing in (np.zeros(3), np.full(3, np.nan)):
        with pytest.raises(ValueError, match="no direction"):
            unit(nothing)
