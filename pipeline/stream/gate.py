"""Which sampled frames of a stream are not computed, because they show what the last one did."""

from __future__ import annotations

from dataclasses import dataclass

THRESHOLD = 8  # levels of luma; what sensors and codecs do to a still cell is less (docs/gate.md)
AT_LEAST_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Gate:
    """How still is still.

    Attributes:
        threshold: levels of luma, of 255, by which the mean of a cell may differ from that of the
            last computed frame.
        at_least_every_s: event time after which a frame is computed whatever it shows.
    """

    threshold: int = THRESHOLD
    at_least_every_s: float = AT_LEAST_EVERY_S

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= 255:
            raise ValueError(f"a gate's threshold is 1 to 255 levels, got {self.threshold}")
        if not 0 < self.at_least_every_s < float("inf"):
            raise ValueError(
                f"a gate's at_least_every_s must be above 0, got {self.at_least_every_s}"
            )

    def canonical(self) -> str:
        """One text per gate."""
        return f"{self.threshold} of 255, every {float(self.at_least_every_s)!r} s"
