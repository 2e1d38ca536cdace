"""Masks as COCO writes them beside a box: polygons, or lengths of runs, compressed or not.

What an annotation says in -> a mask that is drawn when it is wanted. Knows no boxes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.detect.polygons import polygons_mask
from operators.detect.run_lengths import lengths_in, mask_of
from pipeline.fit.boxed import BEYOND

_CORNERS = 3  # of a polygon, at least


@dataclass(frozen=True, slots=True)
class CocoMask:
    """Implements `pipeline.fit.boxed.ThingMask`.

    Attributes:
        said: polygons, each x, y, x, y, ...; or `size` and `counts`.
        size_hw: of its picture.
    """

    said: Sequence[Sequence[float]] | Mapping[str, Any]
    size_hw: tuple[int, int]

    @property
    def identity(self) -> Any:
        return self.said

    def drawn(self) -> NDArray[np.bool_]:
        """`[H, W]`, pixels of its picture."""
        if isinstance(self.said, Mapping):
            return mask_of(self.size_hw, _lengths(self.said["counts"]))
        return polygons_mask(self.said, self.size_hw)


def coco_mask(where: str, said: Any, size_hw: tuple[int, int]) -> CocoMask | str | None:
    """The mask of an annotation.

    Args:
        where: of it, for people.
        said: its `segmentation`; None or an empty list where it has none.
        size_hw: of its picture.

    Returns:
        The mask, None where there is none, or what is wrong with it.
    """
    if said is None or said == []:
        return None
    if isinstance(said, list):
        wrong = next((why for one in said if (why := _wrong_polygon(one, size_hw))), None)
    elif isinstance(said, dict):
        wrong = _wrong_runs(said, size_hw)
    else:
        wrong = f"segmentation {said!r}, expected polygons or run lengths"
    return f"{where} has {wrong}" if wrong else CocoMask(said, size_hw)


def _wrong_polygon(corners: Any, size_hw: tuple[int, int]) -> str | None:
    if not isinstance(corners, list) or not all(map(_is_number, corners)):
        return f"a polygon {_short(corners)}, expected [x, y, x, y, ...] in pixels"
    if len(corners) < 2 * _CORNERS or len(corners) % 2:
        return (
            f"a polygon of {len(corners)} numbers, expected x and y of {_CORNERS} corners or more"
        )
    for numbers, side, name in zip(
        (corners[0::2], corners[1::2]), size_hw[::-1], "xy", strict=True
    ):
        if min(numbers) < -BEYOND * side or max(numbers) > (1 + BEYOND) * side:
            return (
                f"a polygon outside its picture: {name} {min(numbers):.1f} to {max(numbers):.1f}, "
                f"expected 0 to {side}"
            )
    return None


def _wrong_runs(said: Mapping[str, Any], size_hw: tuple[int, int]) -> str | None:
    height, width = size_hw
    if said.get("size") != [height, width]:
        return f"a mask of size {said.get('size')!r}, expected [{height}, {width}] as its picture"
    counts = said.get("counts")
    if not isinstance(counts, str | list):
        return f"run lengths {_short(counts)}, expected a list of lengths or COCO's compressed text"
    try:
        lengths = _lengths(counts)
    except ValueError as error:
        return f"run lengths that cannot be read: {error}"
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in lengths):
        return "run lengths that are no whole numbers from 0"
    if sum(lengths) != height * width:
        return f"run lengths of {sum(lengths)} pixels, expected {height * width} as its picture"
    return None


def _lengths(counts: str | list[int]) -> list[int]:
    return lengths_in(counts) if isinstance(counts, str) else counts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
