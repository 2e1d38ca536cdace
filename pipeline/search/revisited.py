"""Mean average precision of instance retrieval, as revisited Oxford and Paris define it.

Of every query some pictures are easy to find, some hard, and some are junk: of the query's place,
but too bad to ask for. What counts as found, and what is left out of a ranking as though it were
not there, decides how hard the protocol is (Radenovic et al., 2018, arXiv 1803.11285, section 4).
Rankings in -> numbers out. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.learn.estimate import Estimate, Floats, estimate

CUTS = (1, 5, 10)  # ranks that precision is told at

Ranks = NDArray[np.int64]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, pixels."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Of one query, numbers of pictures in the gallery; the others are not of its place.

    Attributes:
        easy, hard: of its place.
        junk: neither asked for nor wrong.
        box: what is asked for in the query's picture; None: all of it.
    """

    easy: tuple[int, ...]
    hard: tuple[int, ...] = ()
    junk: tuple[int, ...] = ()
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """Which pictures are asked for, and which are left out of rankings."""

    wanted: tuple[str, ...]
    ignored: tuple[str, ...]

    def numbers(self, truth: Truth) -> tuple[set[int], set[int]]:
        """Of a query: the pictures that are wanted, and those that are left out."""
        wanted, ignored = (
            {number for name in names for number in getattr(truth, name)}
            for names in (self.wanted, self.ignored)
        )
        return wanted, ignored


PROTOCOLS: Mapping[str, Protocol] = {
    "easy": Protocol(("easy",), ("junk", "hard")),
    "medium": Protocol(("easy", "hard"), ("junk",)),
    "hard": Protocol(("hard",), ("junk", "easy")),
}


@dataclass(frozen=True, slots=True)
class Retrieved:
    """How good rankings are by one protocol.

    Attributes:
        queries: that ask for something; others count nowhere.
        mean_ap: mean of their average precisions.
        precision: cut -> mean share of what is right down to it, or down to the last right one.
    """

    queries: int
    mean_ap: Estimate
    precision: Mapping[int, Estimate]


def retrieved(rankings: Sequence[Ranks], truths: Sequence[Truth], protocol: Protocol) -> Retrieved:
    """Measure rankings.

    Args:
        rankings: of each query all pictures of the gallery, the nearest first.
        truths: of the queries.
        protocol: what counts.

    Raises:
        ValueError: no query asks for anything by that protocol.
    """
    asked = [
        places
        for ranking, truth in zip(rankings, truths, strict=True)
        if len(places := right_places(ranking, *protocol.numbers(truth)))
    ]
    if not asked:
        raise ValueError("no query asks for anything")
    return Retrieved(
        len(asked),
        _mean([average_precision(places) for places in asked]),
        {cut: _mean([precision_at(places, cut) for places in asked]) for cut in CUTS},
    )


def right_places(ranking: Ranks, wanted: set[int], ignored: set[int]) -> Ranks:
    """Where what is wanted stands in a ranking, from 0, as though what is ignored were not in it.

    What stands in both is ignored.
    """
    left = ranking[~np.isin(ranking, list(ignored))]
    return np.flatnonzero(np.isin(left, list(wanted)))


def average_precision(places: Ranks) -> float:
    """The area below precision over recall, by trapezia, as the benchmark's own code has it.

    Args:
        places: where what is wanted stands, from 0, in order; not empty.
    """
    found = np.arange(len(places))
    before = np.where(places == 0, 1.0, found / np.maximum(places, 1))
    after = (found + 1) / (places + 1)
    return float((before + after).sum() / 2 / len(places))


def precision_at(places: Ranks, cut: int) -> float:
    """The share of what is right down to a rank, or down to the last right one if that comes first.

    Args:
        places: as of `average_precision`.
        cut: the rank, from 1.
    """
    depth = min(int(places[-1]) + 1, cut)
    return float((places < depth).sum() / depth)


def _mean(numbers: Sequence[float]) -> Estimate:
    """Over queries, which are what is drawn anew for the interval."""
    values = np.array(numbers)

    def mean(counts: Floats) -> Floats:
        means: Floats = counts @ values / counts.sum(axis=1)
        return means

    return estimate(mean, len(values))
