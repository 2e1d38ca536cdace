"""What makes two frames of a stream belong to two shots."""

from __future__ import annotations

from dataclasses import dataclass

METHOD = 1  # rises with every change of what is taken for a cut
THRESHOLD = 2.5
MIN_S = 0.4


@dataclass(frozen=True, slots=True)
class ShotRule:
    """How a cut is told from motion.

    Attributes:
        threshold: times by which a frame has to differ more from the one before it than the frames
            around it do, for a cut to lie between the two.
        min_s: event time that a shot lasts at least; a cut that comes sooner is none.
    """

    threshold: float = THRESHOLD
    min_s: float = MIN_S

    def __post_init__(self) -> None:
        if not 1 < self.threshold < float("inf"):
            raise ValueError(f"the threshold of shots must be above 1, got {self.threshold}")
        if not 0 <= self.min_s < float("inf"):
            raise ValueError(f"min_s of shots must not be below 0, got {self.min_s}")

    def canonical(self) -> str:
        """One text per rule."""
        return f"{float(self.threshold)!r} times, at least {float(self.min_s)!r} s"
