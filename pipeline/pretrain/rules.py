"""Which frames of recordings become pictures, how large, and which of them never meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operators.errors import UsageError
from operators.jpeg import jpeg_identity
from pipeline.media.frame_size import FrameSize
from pipeline.media.scaler import FILTER_NAME
from pipeline.pretrain.copies import NEAR_LEVELS
from pipeline.stream.shots import METHOD, ShotRule

QUALITY = 90  # of the JPEGs
LEAST_PX = 16  # short side of what is worth a crop


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Attributes:
        fps: frames per second that are looked at.
        every_s: a shot gives a frame for every so many seconds.
        side: short side of a picture, pixels at most.
        keep_copies: pictures that repeat an earlier one stay.
        apart_s: two frames of a recording that lie nearer to each other are in no batch together.
    """

    fps: float = 2.0
    every_s: float = 10.0
    side: int = 448
    keep_copies: bool = False
    apart_s: float = 5.0

    def __post_init__(self) -> None:
        if not (self.fps > 0 and self.every_s > 0 and self.apart_s >= 0 and self.side >= LEAST_PX):
            raise UsageError(
                f"want frames per second and seconds per frame above 0, seconds apart from 0 and "
                f"pictures of {LEAST_PX} pixels or more; got {self.fps}, {self.every_s}, "
                f"{self.apart_s} and {self.side}"
            )

    @property
    def picture_size(self) -> FrameSize:
        """As decoded: no patches are counted, so proportions stay."""
        return FrameSize(self.side, 1)

    def facts(self) -> dict[str, Any]:
        """All that decides what sources give, as JSON values."""
        return {
            "fps": self.fps,
            "every_s": self.every_s,
            "side": self.side,
            "apart_s": self.apart_s,
            "near_levels": None if self.keep_copies else NEAR_LEVELS,
            "jpeg": [QUALITY, jpeg_identity(), FILTER_NAME],
            "shots": [METHOD, ShotRule().canonical()],
        }
