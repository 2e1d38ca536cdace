"""Frames that are like what somebody likes, or that are to be looked at first.

Vectors of frames in -> an order of some of them. The mean of all vectors is taken off first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.groups.grid import Labels, Numbers, Tell, Units, centres, pair_cosines, sums, untold
from operators.groups.neighbours import nearest_others
from operators.groups.ranking import cosines_with, diverse, ndcg_at, profile, recall_at
from operators.groups.whitening import centred
from pipeline.vectors.pool import Pool

NEIGHBOURS = 8
MOST_FRAMES = 32_768  # that are compared with each other


@dataclass(frozen=True, slots=True)
class Recommended:
    """One frame.

    Attributes:
        number: in the pool.
        worth: what it was chosen by, beside what it adds to those before it.
        parts: what that is made of, by name.
    """

    number: int
    worth: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well the likes find each other: each is left out in turn, and looked for by the others.

    Attributes:
        k: among the first so many.
        recall: share of the likes that were found there.
        ndcg: the same, where an early place counts more.
        ranks: place of each like, from 1.
    """

    k: int
    recall: float
    ndcg: float
    ranks: tuple[int, ...]


def numbers_of(pool: Pool, ids: Sequence[str], *, option: str) -> list[int]:
    """Which frames of a pool records are of.

    Args:
        pool: the frames.
        ids: of records of topic `embedding`.
        option: that names them, for the error.

    Raises:
        UsageError: one is not there.
    """
    found = [pool.number(identity) for identity in ids]
    missing = [identity for identity, number in zip(ids, found, strict=True) if number is None]
    if missing:
        raise UsageError(
            f"{option} {missing[0]}: no such vector among the {len(pool)} that were chosen; it "
            "takes ids of records of topic embedding, as `dinostream tail SINK embedding` shows"
        )
    return [number for number in found if number is not None]


def refuse_both(likes: Sequence[int], dislikes: Sequence[int], pool: Pool) -> None:
    """See that nothing is liked and not.

    Raises:
        UsageError: one frame is.
    """
    if both := sorted({*likes} & {*dislikes}):
        raise UsageError(f"{pool.rows[both[0]].id} is liked and disliked; leave one out")


def recommended(
    pool: Pool, likes: Sequence[int], dislikes: Sequence[int], *, top: int, likeness: float
) -> list[Recommended]:
    """Frames like the likes and unlike the dislikes, without the same one twice.

    Args:
        pool: the frames.
        likes, dislikes: their numbers; one like at least.
        top: how many at most.
        likeness: lambda of maximal marginal relevance.
    """
    units = centred(pool.units)
    near = _near_profile(units, likes, dislikes)
    worth = near.copy()
    worth[[*likes, *dislikes]] = -np.inf
    return [
        Recommended(number, float(near[number]), {"profile": float(near[number])})
        for number in diverse(units, worth, top, likeness=likeness).tolist()
    ]


def to_look_at_first(
    pool: Pool, *, top: int, likeness: float, tell: Tell = untold
) -> tuple[list[Recommended], int]:
    """Frames that are unusual for their stream and yet no accident, without the same one twice.

    Novelty is (1 - cosine with the mean of the stream) / 2: 0 is as always. Representativeness is
    the mean cosine with the 8 nearest others, 0 at least: a torn picture is like none. Worth is
    their product.

    Args:
        pool: the frames; where there are more than `MOST_FRAMES`, every n-th is looked at.
        top: how many at most.
        likeness: lambda of maximal marginal relevance.
        tell: hears how far it is.

    Returns:
        The frames, and how many were looked at.

    Raises:
        UsageError: fewer than two frames.
    """
    if len(pool) < 2:
        raise UsageError("one frame alone is neither unusual nor usual; choose more")
    looked_at = np.arange(0, len(pool), -(-len(pool) // MOST_FRAMES))
    units = centred(pool.units)[looked_at]
    novelty = (1.0 - _usual(units, _streams(pool)[looked_at])) / 2.0
    among = nearest_others(units, min(NEIGHBOURS, len(units) - 1), tell=tell)
    represents = np.maximum(among.cosines.mean(axis=1), 0.0)
    worth = novelty * represents
    chosen = [
        Recommended(
            int(looked_at[at]),
            float(worth[at]),
            {"novelty": float(novelty[at]), "representativeness": float(represents[at])},
        )
        for at in diverse(units, worth, top, likeness=likeness).tolist()
    ]
    return chosen, len(looked_at)


def held_out(pool: Pool, likes: Sequence[int], dislikes: Sequence[int], *, k: int) -> HeldOut:
    """Look for each like by the others, among all frames that are not named.

    Args:
        pool: the frames.
        likes, dislikes: their numbers; two likes at least.
        k: among the first so many.

    Raises:
        UsageError: fewer than two likes.
    """
    if len(set(likes)) < 2:
        raise UsageError("to leave a like out another one is needed; give --like twice or more")
    units = centred(pool.units)
    rankings = [_ranking(units, wanted, likes, dislikes) for wanted in likes]
    recalls = [recall_at(ranking, {one}, k) for one, ranking in zip(likes, rankings, strict=True)]
    gains = [ndcg_at(ranking, {one}, k) for one, ranking in zip(likes, rankings, strict=True)]
    ranks = tuple(ranking.index(one) + 1 for one, ranking in zip(likes, rankings, strict=True))
    return HeldOut(k, float(np.mean(recalls)), float(np.mean(gains)), ranks)


def _ranking(units: Units, wanted: int, likes: Sequence[int], dislikes: Sequence[int]) -> list[int]:
    rest = [one for one in likes if one != wanted]
    near = _near_profile(units, rest, dislikes)
    named = {*rest, *dislikes}
    order = np.argsort(-near, kind="stable").tolist()
    return [number for number in order if number not in named]


def _near_profile(units: Units, likes: Sequence[int], dislikes: Sequence[int]) -> Numbers:
    return cosines_with(units, profile(units[list(likes)], units[list(dislikes)]))


def _usual(units: Units, streams: Labels) -> Numbers:
    """Cosine of each frame with the mean of its stream, `[N]`."""
    means = centres(sums(units, streams, int(streams.max()) + 1))
    return pair_cosines(units, means, streams)


def _streams(pool: Pool) -> Labels:
    """Which stream each frame is of, by number, `[N]`."""
    names = [row.series.stream for row in pool.rows]
    _, numbers = np.unique(names, return_inverse=True)
    labels: NDArray[np.int64] = numbers.astype(np.int64)
    return labels
