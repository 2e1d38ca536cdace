"""An order of vectors: by likes and dislikes, without the same thing twice, and how good it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import Numbers, Units, blocks, centres, cosines

LIKENESS = 0.7  # lambda of maximal marginal relevance
AGAINST = 0.5  # weight of dislikes in a profile


def rocchio(likes: NDArray[np.floating], dislikes: NDArray[np.floating]) -> Numbers:
    """mean(likes) - 0.5 mean(dislikes) (Rocchio 1971), `[D]`, of whatever length.

    Args:
        likes: `[n, D]`, n from 1.
        dislikes: `[m, D]`, m from 0.
    """
    wanted: Numbers = likes.astype(np.float64).mean(axis=0)
    if len(dislikes):
        wanted -= AGAINST * dislikes.astype(np.float64).mean(axis=0)
    return wanted


def profile(likes: Units, dislikes: Units) -> Numbers:
    """The direction of `rocchio`, `[1, D]`."""
    return centres(rocchio(likes, dislikes)[None])


def cosines_with(units: Units, direction: Numbers) -> Numbers:
    """Cosine of every row `[N]` with one direction `[1, D]`."""
    found = np.empty(len(units))
    for rows in blocks(len(units)):
        found[rows] = cosines(units[rows], direction)[:, 0]
    return found


def diverse(
    units: Units, worth: Numbers, count: int, *, likeness: float = LIKENESS
) -> NDArray[np.int64]:
    """Rows by maximal marginal relevance (Carbonell and Goldstein 1998): again and again the one
    with the largest likeness x worth - (1 - likeness) x highest cosine with one that is chosen.

    Args:
        units: `[N, D]`.
        worth: `[N]`; -inf for rows that are not to be chosen.
        count: how many, at most.
        likeness: lambda, 0 to 1.

    Returns:
        int64 `[n]`, in the order in which they were chosen; of equal ones the first row.
    """
    left = np.where(np.isfinite(worth), likeness * np.nan_to_num(worth), -np.inf)
    nearest = np.full(len(units), -np.inf)
    chosen: list[int] = []
    for _ in range(min(count, int(np.isfinite(worth).sum()))):
        marginal = left - (1.0 - likeness) * nearest if chosen else left
        chosen.append(int(marginal.argmax()))
        left[chosen[-1]] = -np.inf
        newest = units[chosen[-1:]].astype(np.float64)
        np.maximum(nearest, cosines_with(units, newest), out=nearest)
    return np.array(chosen, np.int64)


def recall_at(ranking: Sequence[int], relevant: Collection[int], k: int) -> float:
    """The share of what is relevant that is among the first k.

    Args:
        ranking: items, the best first, each once.
        relevant: items, one at least.
        k: from 1.
    """
    return len(set(ranking[:k]) & set(relevant)) / len(set(relevant))


def ndcg_at(ranking: Sequence[int], relevant: Collection[int], k: int) -> float:
    """Normalised discounted cumulative gain of the first k, every relevant item worth 1 (Jarvelin
    and Kekalainen 2002): sum of 1 / log2(rank + 1) over that of the best order.

    Args as of `recall_at`.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = [float(discounts[rank]) for rank, one in enumerate(ranking[:k]) if one in relevant]
    best = float(discounts[: min(k, len(set(relevant)))].sum())
    return sum(gained) / best
