"""Vectors of candidates and a wish -> which are taken, and of every other one why it is not.

The steps of LVD-142M (DINOv2, arXiv 2304.07193, section 3 and appendix A), then the balanced sample
of arXiv 2405.15613. Pure: the same on any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from operators.groups.balance import balanced_sample
from operators.groups.grid import Labels, Tell, Units, untold
from operators.groups.hierarchy import hierarchical_kmeans
from operators.groups.whitening import centred
from pipeline.curate.retrieval import near_seeds
from pipeline.curate.wish import Shown, Wish
from pipeline.dedupe.marking import Mark, marks

Verdict = Literal["refused", "duplicate", "reference", "far", "surplus", "taken"]
"""Refused by the user's filter; repeats another one; hangs together with a reference picture; far
from all seeds; more than the target; taken. In the order of the steps."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_MEMBERS, _FINEST = 4, 1000  # pictures of a finest cluster in the mean; such clusters at most
_SPLIT = 8  # clusters of one of the level above


@dataclass(frozen=True, slots=True)
class Decision:
    """On one candidate.

    Attributes:
        verdict: what becomes of it.
        reason: why, for people.
        cluster: the finest one, of those among which is balanced; the largest is 0.
    """

    verdict: Verdict
    reason: str
    cluster: int | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is decided on, N pictures.

    Attributes:
        units: float32 `[N, D]`, their vectors.
        names: of each.
        by_time: their numbers by time: of repetitions the first is kept.
        refused: why the user's filter wants it out; None: it does not.
    """

    units: Units
    names: Sequence[str]
    by_time: NDArray[np.intp]
    refused: Sequence[str | None]


def selected(candidates: Candidates, wish: Wish, *, tell: Tell = untold) -> list[Decision]:
    """On every candidate, in their order.

    Args:
        candidates: what there is.
        wish: what is wanted.
        tell: hears how far the search for repetitions is.

    Raises:
        UsageError: more clusters are wanted than pictures are left.
    """
    found = _Selection(candidates, wish)
    found.refuse()
    found.mark(tell)
    found.retrieve()
    found.balance()
    return [found.decided[row] for row in range(len(candidates.names))]


class _Selection:
    """Step by step; each decides on some of those that are left."""

    def __init__(self, candidates: Candidates, wish: Wish) -> None:
        self._all, self._wish = candidates, wish
        self._left: Labels = np.arange(len(candidates.names), dtype=np.int64)
        self._why: dict[int, str] = {}
        self.decided: dict[int, Decision] = {}

    def refuse(self) -> None:
        self._decide(None if why is None else Decision("refused", why) for why in self._all.refused)

    def mark(self, tell: Tell) -> None:
        """Repetitions, and what is like a reference: that first where it is another cosine, so that
        what repeats something can be like one too."""
        wish, shown = self._wish, self._wish.references
        if shown is not None and wish.reference_cosine != wish.threshold:
            found = self._marks(wish.reference_cosine, shown, tell)
            self._decide(_marked(one) if one.verdict == "dropped" else None for one in found)
            shown = None
        self._decide(map(_marked, self._marks(wish.threshold, shown, tell)))

    def _marks(self, threshold: float, shown: Shown | None, tell: Tell) -> list[Mark]:
        """Of those that are left, in their order."""
        if not len(self._left):
            return []
        calibration = self._wish.calibration
        compared = calibration.comparable if calibration else _as_it_is
        place = {row: at for at, row in enumerate(self._left.tolist())}
        by_time = [place[row] for row in self._all.by_time.tolist() if row in place]
        return marks(
            compared(self._units),
            np.array(by_time, np.intp),
            [self._all.names[row] for row in self._left.tolist()],
            threshold,
            references=compared(shown.units) if shown else None,
            names=shown.names if shown else (),
            tell=tell,
        )

    def retrieve(self) -> None:
        """What is near to seeds."""
        seeds = self._wish.seeds
        if seeds is None or not len(self._left):
            return
        found = near_seeds(self._units, seeds, self._wish)
        near = {row: one.why for row, one in zip(self._left.tolist(), found, strict=True)}
        self._decide(None if one.near else Decision("far", one.why) for one in found)
        self._why = {row: near[row] for row in self._left.tolist()}

    def balance(self) -> None:
        """As many as are wanted, as evenly over clusters of all sizes as these allow."""
        count, target = len(self._left), self._wish.target
        if not count:
            return
        units = centred(self._units)
        hierarchy = hierarchical_kmeans(units, levels(count), seed=self._wish.seed)
        chosen = balanced_sample(hierarchy, target, seed=self._wish.seed)
        taken = np.isin(np.arange(count), chosen)
        finest = hierarchy.levels[0]
        of_each = np.bincount(finest.labels[chosen], minlength=len(finest.sizes))
        self._decide(
            self._balanced(row, cluster, int(finest.sizes[cluster]), int(of_each[cluster]), is_in)
            for row, cluster, is_in in zip(
                self._left.tolist(), finest.labels.tolist(), taken.tolist(), strict=True
            )
        )

    def _balanced(self, row: int, cluster: int, size: int, given: int, is_in: bool) -> Decision:
        """On one picture of a cluster."""
        own = self._why.get(row)
        among = f"{given} of the {size} in its cluster are taken"
        why = f"{own}; {among}" if own else among
        return Decision("taken" if is_in else "surplus", why, cluster)

    @property
    def _units(self) -> Units:
        """Of those that are left."""
        return self._all.units[self._left]

    def _decide(self, decisions: Iterable[Decision | None]) -> None:
        """One per picture that is left; those with None stay."""
        stay = []
        for row, decision in zip(self._left.tolist(), decisions, strict=True):
            if decision is None:
                stay.append(row)
            else:
                self.decided[row] = decision
        self._left = np.array(stay, np.int64)


def levels(count: int) -> tuple[int, ...]:
    """How many clusters each level has of so many pictures, the finest first: one for every four
    pictures, then one for every eight of the clusters below."""
    found = [max(1, min(_FINEST, -(-count // _MEMBERS)))]
    while found[-1] >= 2 * _SPLIT:
        found.append(found[-1] // _SPLIT)
    return tuple(found)


def _as_it_is(units: Units) -> Units:
    return units


def _marked(mark: Mark) -> Decision | None:
    if mark.verdict == "kept":
        return None
    how = f"cosine {mark.cosine:.4f}"
    if mark.verdict == "dropped":
        return Decision("reference", f"hangs together with {mark.of}, {how}")
    return Decision("duplicate", f"repeats {mark.of}, {how}")
