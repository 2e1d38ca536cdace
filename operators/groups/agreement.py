"""How far groups agree with what is known: adjusted Rand index and purity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import Labels


def adjusted_rand(labels: Labels, truth: Labels) -> float:
    """The adjusted Rand index (Hubert and Arabie 1985): 1 is the same partition, 0 is chance.

    Args:
        labels, truth: whole numbers `[N]`, of any values.

    Raises:
        ValueError: none, or not as many of both.
    """
    table = _table(labels, truth)
    both, rows, columns = (
        int(_pairs(counts).sum()) for counts in (table, table.sum(axis=1), table.sum(axis=0))
    )
    every = int(_pairs(np.array(len(labels))))
    expected = rows * columns / every if every else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def purity(labels: Labels, truth: Labels) -> float:
    """The share of rows whose truth is the most frequent one of their group.

    Args and raises as of `adjusted_rand`.
    """
    return float(_table(labels, truth).max(axis=1).sum() / len(labels))


def _table(labels: Labels, truth: Labels) -> NDArray[np.int64]:
    """How many rows have each pair of values."""
    if labels.shape != truth.shape or labels.ndim != 1 or not len(labels):
        raise ValueError(
            f"want as many labels as truths, one at least, got {labels.shape} and {truth.shape}"
        )
    _, row = np.unique(labels, return_inverse=True)
    _, column = np.unique(truth, return_inverse=True)
    table = np.zeros((row.max() + 1, column.max() + 1), np.int64)
    np.add.at(table, (row, column), 1)
    return table


def _pairs(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    pairs: NDArray[np.int64] = counts * (counts - 1) // 2
    return pairs
