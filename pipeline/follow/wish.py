"""What is to be followed, where from, which way, and what is written of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.features.clip import Clip
from pipeline.follow.asked import Asked


@dataclass(frozen=True, slots=True)
class Wish:
    """
    Attributes:
        source: the recording: a file, or the URI of a rendered scene.
        asked: what is pointed at.
        at_s: in the frame that is nearest to this, seconds since the first one.
        fps: frames per second that are looked at.
        from_s: followed backwards to here, too; None: only forwards.
        to_s: followed forwards to here; None: to the end.
        boxes: write them too, as COCO does.
        film: write one with the masks drawn.
    """

    source: str
    asked: Asked
    at_s: float
    fps: float
    from_s: float | None = None
    to_s: float | None = None
    boxes: bool = False
    film: bool = False

    def __post_init__(self) -> None:
        if self.from_s is not None and self.from_s > self.at_s:
            raise UsageError(f"--from {self.from_s:g} is behind --at {self.at_s:g}")
        if self.to_s is not None and self.to_s < self.at_s:
            raise UsageError(f"--to {self.to_s:g} is before --at {self.at_s:g}")

    @property
    def clip(self) -> Clip:
        """The frames that have to be seen, half a frame's time more at the ends that are near."""
        half_s = 0.5 / self.fps
        first_s = self.at_s - half_s if self.from_s is None else self.from_s
        last_s = None if self.to_s is None else max(self.to_s, self.at_s + half_s)
        return Clip(Path(self.source), self.fps, max(0.0, first_s), last_s, patches=True)

    def start(self, times_s: NDArray[np.float64]) -> int:
        """Which frame is nearest.

        Args:
            times_s: of the frames, seconds, rising.

        Raises:
            UsageError: the recording has none near.
        """
        nearest = int(np.abs(times_s - self.at_s).argmin())
        if abs(times_s[nearest] - self.at_s) > 1 / self.fps:
            raise UsageError(
                f"{self.source}: no frame near {self.at_s:g} s; the nearest that is looked at is "
                f"at {times_s[nearest]:.2f} s"
            )
        return nearest

    def order(self, start: int, count: int) -> tuple[range, range]:
        """Frames behind and before that one, each in the order in which they are followed.

        Args:
            start: number of that frame.
            count: of all frames.
        """
        return range(start + 1, count), range(
            start - 1, -1 if self.from_s is not None else start, -1
        )
