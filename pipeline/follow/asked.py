"""What a user points at in a picture: clicks and boxes in pixels -> marks on a grid of patches.

Knows no features and no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operators.errors import UsageError
from operators.follow.seed import Marks, Place
from operators.segmentation.labelsets import Label, LabelSet
from pipeline.drawing.tagged_box import number_colour

BACKGROUND = "background"
MOST_THINGS = 100

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Thing:
    """
    Attributes:
        name: what it is called in masks and boxes.
        points: (x, y) of clicks on it, pixels of the picture as displayed.
        box: left, top, right, bottom around it, likewise; None: clicks alone.
    """

    name: str
    points: tuple[Point, ...] = ()
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Attributes:
        things: that are followed, each with a click or a box.
        against: (x, y) of clicks on what is none of them.
    """

    things: tuple[Thing, ...]
    against: tuple[Point, ...] = ()

    @property
    def labels(self) -> LabelSet:
        """Class 0 is the background, the things follow in their order."""
        named = [
            Label(number, thing.name, number_colour(number - 1))
            for number, thing in enumerate(self.things, start=1)
        ]
        return LabelSet("followed", (Label(0, BACKGROUND, (0, 0, 0)), *named))

    def marks(
        self, source_hw: tuple[int, int], grid_hw: tuple[int, int]
    ) -> tuple[list[Marks], list[Place]]:
        """The same in patches: of each thing, and of what is none.

        Raises:
            UsageError: a click or a box outside of the picture, or clicks on two things in one
                patch.
        """
        taken: dict[Place, str] = {}

        def place(point: Point, name: str) -> Place:
            found = _place(point, source_hw, grid_hw)
            if taken.setdefault(found, name) != name:
                raise UsageError(
                    f"the click at {point[0]:g},{point[1]:g} for {name} is in the same patch as "
                    f"one for {taken[found]}; click elsewhere, or take a larger --short-side"
                )
            return found

        things = []
        for thing in self.things:
            points = tuple(place(point, thing.name) for point in thing.points)
            things.append(Marks(points, thing.box and _shares(thing.box, source_hw)))
        return things, [place(point, BACKGROUND) for point in self.against]


def asked(
    points: Sequence[tuple[str, Point]],
    boxes: Sequence[tuple[str, Box]],
    against: Sequence[Point],
) -> Asked:
    """What is pointed at, by names: in the order in which these first occur.

    Args:
        points: the name of the thing and where a click on it is.
        boxes: the name of the thing and the box around it.
        against: clicks on none.

    Raises:
        UsageError: nothing at all, too many things, a name that cannot be one, or two boxes
            of one thing.
    """
    names = list(dict.fromkeys(name for name, _ in (*points, *boxes)))
    if not names:
        raise UsageError("nothing to follow: give --point [NAME:]X,Y or --box [NAME:]X0,Y0,X1,Y1")
    if len(names) > MOST_THINGS:
        raise UsageError(f"{len(names)} things at once; {MOST_THINGS} are the most")
    if BACKGROUND in names or "" in names:
        raise UsageError(f"a thing cannot be called {BACKGROUND!r} or nothing: --not is for that")
    around = dict(boxes)
    if len(around) < len(boxes):
        raise UsageError("a thing has one --box; give others another name")
    things = tuple(
        Thing(name, tuple(point for own, point in points if own == name), around.get(name))
        for name in names
    )
    return Asked(things, tuple(against))


def _place(point: Point, source_hw: tuple[int, int], grid_hw: tuple[int, int]) -> Place:
    x, y = point
    height, width = source_hw
    if not (0 <= x < width and 0 <= y < height):
        raise UsageError(
            f"the click at {x:g},{y:g} lies outside of the picture, which is {width}x{height}"
        )
    return int(y * grid_hw[0] / height), int(x * grid_hw[1] / width)


def _shares(box: Box, source_hw: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    height, width = source_hw
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        said = ",".join(f"{side:g}" for side in box)
        raise UsageError(
            f"the box {said} is none within the picture, which is {width}x{height}; give left, "
            "top, right, bottom"
        )
    return left / width, top / height, right / width, bottom / height
