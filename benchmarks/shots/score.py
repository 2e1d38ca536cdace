"""What was found, held against what is there: as TRECVID counts, one to one within a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.shots.films import Change


@dataclass(frozen=True, slots=True)
class Score:
    """How many changes are there, were found, and of those found are right."""

    there: int = 0
    found: int = 0
    right: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.there + other.there, self.found + other.found, self.right + other.right)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where nothing is right."""
        return 2 * self.right / (self.there + self.found) if self.right else 0.0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 0.0


def matched(
    changes: Sequence[Change], found: Sequence[int], tolerance_frames: int
) -> dict[int, int]:
    """Number of a change -> the frame that was found for it, greedily, in order.

    Args:
        changes: in order.
        found: frames at which shots are said to begin.
        tolerance_frames: how far a frame may lie off those at which the change is.
    """
    left, pairs = sorted(found), {}
    for number, change in enumerate(changes):
        for frame in left:
            if change.first - tolerance_frames <= frame <= change.last + tolerance_frames:
                pairs[number] = frame
                left.remove(frame)
                break
    return pairs


def scored(
    changes: Sequence[Change],
    found: Sequence[int],
    tolerance_frames: int,
    kinds: Sequence[str],
) -> Score:
    """Of changes of some kinds. What was found for a change of another kind is neither right nor
    wrong.
    """
    pairs = matched(changes, found, tolerance_frames)
    mine = [number for number, change in enumerate(changes) if change.kind in kinds]
    right = sum(number in pairs for number in mine)
    return Score(len(mine), len(found) - (len(pairs) - right), right)
