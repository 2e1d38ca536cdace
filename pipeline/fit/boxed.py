"""Pictures whose things somebody has drawn boxes around, and maybe masks, however written down.

What the readers of COCO's and YOLO's files give, and what a fit asks for. Knows no features.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.learn.resampling import nearest
from operators.learn.things import truth_of
from operators.result import canonical_json
from operators.segmentation.labelsets import LabelSet
from pipeline.fit.pairs import listed, picture_hw
from pipeline.fit.picture_file import PictureFile
from pipeline.media.frame_size import FrameSize

BEYOND = 0.002  # of a side: rounding of whoever wrote a box, which is cut off


class ThingMask(Protocol):
    """The mask of a thing, as it is written down."""

    @property
    def identity(self) -> Any:
        """All that decides its pixels, as JSON values."""
        ...

    def drawn(self) -> NDArray[np.bool_]:
        """`[H, W]`, pixels of its picture."""
        ...


@dataclass(frozen=True, slots=True)
class BoxedPicture(PictureFile):
    """A picture and its things. Implements `pipeline.fit.dense_item.ThingItem`.

    Attributes:
        rows: of each thing its class id, left, top, right, bottom in shares of the picture, and
            whether it does not count.
        outlines: of each thing its mask, None of one that has a box alone; empty where nobody
            drew any.
    """

    rows: tuple[tuple[float, ...], ...]
    outlines: tuple[ThingMask | None, ...] = ()

    @property
    def truth_identity(self) -> Mapping[str, Any]:
        return {"boxes": hashlib.sha256(canonical_json(self.rows)).hexdigest()}

    def truth(self, size: FrameSize) -> NDArray[np.float32]:
        """The things, whatever the size."""
        return truth_of(self.rows)

    @property
    def has_masks(self) -> bool:
        return any(self.outlines)

    @property
    def mask_identity(self) -> Mapping[str, Any]:
        said = [one and one.identity for one in self.outlines]
        return {"masks": hashlib.sha256(canonical_json(said)).hexdigest()}

    def masks(self, size: FrameSize) -> NDArray[np.bool_]:
        """Of the things, at the backbone's size."""
        size_hw = size.of(picture_hw(self.picture))
        drawn = np.zeros((len(self.rows), *size_hw), dtype=bool)
        for row, one in enumerate(self.outlines):
            if one is not None:
                drawn[row] = nearest(one.drawn(), size_hw)
        return drawn


@dataclass(frozen=True, slots=True)
class Boxed:
    """
    Attributes:
        items: the pictures.
        labels: what class ids are.
        notes: what was left out.
    """

    items: Sequence[BoxedPicture]
    labels: LabelSet
    notes: tuple[str, ...] = ()


def sides_within(where: str, sides: Sequence[float]) -> tuple[float, ...] | str:
    """A box held to its picture.

    Args:
        where: of the box, for people.
        sides: left, top, right, bottom, shares of the picture.

    Returns:
        The same within 0 to 1, or what is wrong with it.
    """
    left, top, right, bottom = sides
    if not (left < right and top < bottom):
        return f"{where} has no area"
    if min(sides) < -BEYOND or max(sides) > 1 + BEYOND:
        said = ", ".join(f"{side:.3f}" for side in sides)
        return f"{where} reaches outside: left, top, right, bottom {said} of the picture"
    return tuple(min(max(side, 0.0), 1.0) for side in sides)


def refuse_wrong(wrong: Sequence[str], source: Path) -> None:
    """
    Raises:
        UsageError: something is wrong; names it.
    """
    if wrong:
        raise UsageError(f"{source}: {listed(wrong)}")


def refuse_twice(what: str, names: Sequence[object], source: Path) -> None:
    """
    Raises:
        UsageError: two things have one name, so that one would stand for the other.
    """
    twice = [f"{what} {name!r}" for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"{source}: more than one {listed(twice)}")


def refuse_empty_labels(boxed: Boxed, source: Path) -> None:
    """A class that nobody has drawn a box of cannot be learnt.

    Raises:
        UsageError: names the classes.
    """
    shown = {row[0] for item in boxed.items for row in item.rows if not row[5]}
    empty = [label.name for label in boxed.labels.labels if label.id not in shown]
    if empty:
        raise UsageError(
            f"{source}: no box of class {', '.join(empty)}; leave it out of the classes, or give "
            "pictures that show it"
        )
