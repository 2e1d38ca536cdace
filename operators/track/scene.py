"""The lines and zones of a stream, in pixels of its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from operators.track.ground import Area, Border, Point

if TYPE_CHECKING:
    from operators.places.places import Places


@dataclass(frozen=True, slots=True)
class Scene:
    """What somebody drew over a picture of one size."""

    borders: tuple[Border, ...] = ()
    areas: tuple[Area, ...] = ()

    @classmethod
    @lru_cache(maxsize=256)  # asked for with every frame; a stream's stays the same
    def of(cls, places: Places | None, size_hw: tuple[int, int]) -> Self:
        """
        Args:
            places: of the stream; None: nothing is drawn.
            size_hw: of its source, pixels.

        Raises:
            ValueError: something is outside the picture.
        """
        if not places:
            return cls()
        return cls(
            tuple(Border(one.name, *_pixels(one.ends(size_hw), size_hw)) for one in places.lines),
            tuple(_area(one.name, one.outline(size_hw), size_hw) for one in places.zones),
        )


def _pixels(shares: Sequence[Point], size_hw: tuple[int, int]) -> list[Point]:
    height, width = size_hw
    return [(x * width, y * height) for x, y in shares]


def _area(name: str, outline: Sequence[Point], size_hw: tuple[int, int]) -> Area:
    """Of corners in shares of the picture."""
    corners = _pixels(outline, size_hw)
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    ends = zip(outline, [*outline[1:], outline[0]], strict=True)
    return Area(
        name, sides, [side for side, end in zip(sides, ends, strict=True) if not _is_edge(*end)]
    )


def _is_edge(first: Point, second: Point) -> bool:
    """Of the whole picture."""
    return any(one == other and one in (0, 1) for one, other in zip(first, second, strict=True))
