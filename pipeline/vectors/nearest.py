"""Exact cosines of a matrix with queries, and the nearest: block by block, the same everywhere.

float16 numbers are whole multiples of 2^-24, so products of two are multiples of 2^-48, and sums
of those of two vectors of length one stay below 2: 49 bits, where a float64 has 53. So no sum is
ever rounded, and neither the order of a library's additions nor its threads change a cosine.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from operators.backbones.machine import this_machine
from operators.groups.neighbours import Neighbours, best

BLOCK_ROWS = 4096  # beside many queries
FEW_ROWS = 256  # beside one: the processor's cache holds them

Halves = NDArray[np.float16]
Exact = NDArray[np.float64]


def unit(vector: NDArray[np.floating]) -> Halves:
    """A query as vectors of a table are kept: of length one, float16.

    Raises:
        ValueError: it has no direction.
    """
    exact = vector.astype(np.float64)
    length = np.sqrt((exact * exact).sum())
    if not (np.isfinite(length) and length > 0):
        raise ValueError(f"a vector of length {length} has no direction")
    halves: Halves = (exact / length).astype(np.float16)
    return halves


def cosines(matrix: Halves, query: Halves) -> Exact:
    """Of every row of a matrix with one query.

    Args:
        matrix: float16 `[N, D]`, each of length one; it may lie on disk.
        query: float16 `[D]`, of length one.

    Returns:
        float64 `[N]`.
    """
    found = np.empty(len(matrix), np.float64)
    wanted, cores = query.astype(np.float64), this_machine().cores
    ends = np.linspace(0, len(matrix), cores + 1).astype(int).tolist()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(partial(_compare, matrix, wanted, found), ends, ends[1:]))
    return found


def nearest(matrix: Halves, queries: Halves, count: int) -> Neighbours:
    """The rows that are nearest to each of some queries.

    Args:
        matrix: float16 `[N, D]`, each of length one; it may lie on disk.
        queries: float16 `[Q, D]`, each of length one; a thousand at once take 32 MiB beside a
            block of the matrix.
        count: K, no more than N.
    """
    if not 1 <= count <= len(matrix):
        raise ValueError(f"want 1 to {len(matrix)} neighbours, got {count}")
    wanted = queries.astype(np.float64).T
    rows, near = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0))
    for first, block in _blocks(matrix, 0, len(matrix), BLOCK_ROWS):
        new = (block @ wanted).T
        numbers = np.broadcast_to(np.arange(first, first + len(block)), new.shape)
        near, rows = best(np.hstack((near, new)), np.hstack((rows, numbers)), count)
    return Neighbours(rows, near)


def _compare(matrix: Halves, query: Exact, found: Exact, first: int, behind: int) -> None:
    """Put the cosines of some rows in their places."""
    for start, block in _blocks(matrix, first, behind, FEW_ROWS):
        np.vecdot(block, query, out=found[start : start + len(block)])


def _blocks(matrix: Halves, first: int, behind: int, rows: int) -> Iterator[tuple[int, Exact]]:
    """Some rows, so many at a time, as float64 in one place: memory that is new for every block
    takes longer than its sums."""
    place = np.empty((rows, matrix.shape[1]), np.float64)
    for start in range(first, behind, rows):
        block = matrix[start : min(start + rows, behind)]
        np.copyto(place[: len(block)], block)
        yield start, place[: len(block)]
