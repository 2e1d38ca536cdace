"""What a user points at in one picture: clicks and a box, in its own pixels."""

from __future__ import annotations

from dataclasses import dataclass

from operators.errors import UsageError

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing.

    Attributes:
        points: (x, y) of clicks on it, pixels of the picture as displayed.
        against: (x, y) of clicks on what is not it, likewise.
        box: left, top, right, bottom around it, likewise; None: clicks alone.
    """

    points: tuple[Point, ...] = ()
    against: tuple[Point, ...] = ()
    box: Box | None = None

    def __post_init__(self) -> None:
        if not self.points and self.box is None:
            raise UsageError(
                "nothing to segment: give --point X,Y on the thing or --box X0,Y0,X1,Y1 around it; "
                "a click on what is not it (X,Y:-) alone says too little"
            )
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (left < right and top < bottom):
                raise UsageError(
                    f"--box {_said(self.box)} is upside down or without area; give left, top, "
                    "right, bottom"
                )

    @property
    def ambiguous(self) -> bool:
        """One click may mean a thing, a part of it, or what it is a part of."""
        return len(self.points) == 1 and not self.against and self.box is None

    def check(self, picture_hw: tuple[int, int]) -> None:
        """
        Raises:
            UsageError: a click or the box lies outside of the picture.
        """
        height, width = picture_hw
        for x, y in (*self.points, *self.against):
            if not (0 <= x < width and 0 <= y < height):
                raise UsageError(
                    f"--point {x:g},{y:g} lies outside of the picture, which is {width}x{height}"
                )
        if self.box is not None:
            left, top, right, bottom = self.box
            if left < 0 or top < 0 or right > width or bottom > height:
                raise UsageError(
                    f"--box {_said(self.box)} reaches out of the picture, which is {width}x{height}"
                )


def _said(box: Box) -> str:
    return ",".join(f"{side:g}" for side in box)
