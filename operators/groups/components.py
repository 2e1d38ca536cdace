"""Which vectors hang together: edges where a cosine reaches a threshold, connected components.

The graph of near-duplicates (DINOv2, arXiv 2304.07193, appendix A), but of all pairs instead of
each one's 64 nearest. Edges are not kept: between two components one is enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from operators.groups.grid import Labels, Tell, Units, blocks, cosines, untold

_BLOCK = 1024


def components(units: Units, threshold: float, *, tell: Tell = untold) -> Labels:
    """The component of every row.

    Args:
        units: `[N, D]`.
        threshold: rows whose cosine is at least this are joined.
        tell: hears how far it is.

    Returns:
        int64 `[N]`, numbered in the order of their first rows.
    """
    labels = np.arange(len(units), dtype=np.int64)
    for ones in blocks(len(units), _BLOCK):
        for others in blocks(len(units), _BLOCK):
            if others.start < ones.start:
                continue
            apart = labels[ones][:, None] != labels[others][None]
            if apart.any():
                joined = apart & (cosines(units[ones], units[others]) >= threshold)
                labels = _merged(labels, joined, ones, others)
        tell(1.0 - (1.0 - ones.stop / len(units)) ** 2)
    return _numbered(labels)


def _merged(labels: Labels, joined: NDArray[np.bool_], ones: slice, others: slice) -> Labels:
    """The labels after some pairs of rows were joined."""
    first, second = np.nonzero(joined)
    if not len(first):
        return labels
    shape = (len(labels), len(labels))
    edges = (labels[ones][first], labels[others][second])
    graph = coo_array((np.ones(len(first), np.int8), edges), shape=shape)
    _, of_label = connected_components(graph, directed=False)
    merged: Labels = of_label[labels].astype(np.int64)
    return merged


def _numbered(labels: Labels) -> Labels:
    _, firsts, member = np.unique(labels, return_index=True, return_inverse=True)
    numbers: Labels = np.argsort(np.argsort(firsts))[member].astype(np.int64)
    return numbers
