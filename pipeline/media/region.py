"""The part of a picture that is looked at, as somebody says it, and its pixels."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[int, int, int, int]
"""Left, top, right, bottom, pixels; right and bottom lie just outside."""

GRID = 4  # pixels between possible edges: of a field in 4:2:0, whole samples of colour are cut


@dataclass(frozen=True, slots=True)
class Region:
    """Edges in parts of a picture, from 0 to 1, left and top first."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(
                "should be [left, top, right, bottom] in parts of the picture, 0 <= left < right "
                "<= 1 and 0 <= top < bottom <= 1"
            )

    @property
    def least_share(self) -> float:
        """The smaller of its parts of width and height."""
        return min(self.right - self.left, self.bottom - self.top)

    def within(self, size_hw: tuple[int, int]) -> Box:
        """Its pixels in a picture, at least one: edges inside lie on multiples of `GRID`."""
        left, right = _edges(self.left, self.right, size_hw[1])
        top, bottom = _edges(self.top, self.bottom, size_hw[0])
        return left, top, right, bottom


def _edges(first: float, last: float, pixels: int) -> tuple[int, int]:
    begin = min(round(first * pixels / GRID) * GRID, (pixels - 1) // GRID * GRID)
    end = pixels if last == 1 else max(round(last * pixels / GRID) * GRID, begin + GRID)
    return begin, min(end, pixels)
