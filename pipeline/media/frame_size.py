"""How large a frame is at the model: what was asked for and the model's patch in, its sides out."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 8  # a frame's long side is at most so many short sides; narrower strips are squeezed


@dataclass(frozen=True, slots=True)
class FrameSize:
    """The short side as asked, aspect kept, both sides multiples of the patch.

    Attributes:
        short_side: pixels, before rounding.
        patch: side of a patch of the model, pixels.
    """

    short_side: int
    patch: int

    def __post_init__(self) -> None:
        if not 0 < self.patch <= self.short_side:
            raise ValueError(
                f"short_side must be at least {self.patch} pixels, a patch of the model, got "
                f"{self.short_side}"
            )

    def of(self, source_hw: tuple[int, int]) -> tuple[int, int]:
        """Height and width for the model.

        Args:
            source_hw: as displayed, pixels.
        """
        short = min(source_hw)
        height, width = (
            min(
                self._patches(side * self.short_side / short),
                LONGEST * self._patches(self.short_side),
            )
            * self.patch
            for side in source_hw
        )
        return height, width

    def _patches(self, pixels: float) -> int:
        return max(1, int(pixels / self.patch + 0.5))
