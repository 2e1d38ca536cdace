"""The lines and zones of a stream, in pixels of its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from operators.track.ground import Area, Border

if TYPE_CHECKING:
    from operators.places.places import Places


@dataclass(frozen=True, slots=True)
class Scene:
    """What somebody drew over a picture of one size."""

    borders: tuple[Border, ...] = ()
    areas: tuple[Area, ...] = ()

    @classmethod
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
        height, width = size_hw

        def pixels(shares: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
            return [(x * width, y * height) for x, y in shares]

        return cls(
            tuple(Border(one.name, *pixels(one.ends(size_hw))) for one in places.lines),
            tuple(Area(one.name, pixels(one.outline(size_hw))) for one in places.zones),
        )
