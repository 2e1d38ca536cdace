"""A segmentation map in words: which classes, how much of the picture, where.

Class ids in -> JSON values out, boxes in pixels of the source. Must not know features or heads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.segmentation.labelsets import LabelSet
from operators.segmentation.regions import Region, connected_regions

_DECIMALS = 6


def segmentation_summary(
    ids: NDArray[np.uint8],
    labels: LabelSet,
    source_hw: tuple[int, int],
    *,
    regions: int,
    min_share: float,
) -> dict[str, Any]:
    """Every class in the picture, the most frequent first, with its largest connected parts.

    Args:
        ids: the map as published, uint8 `[H, W]`.
        labels: what the ids are.
        source_hw: size of the source as displayed, pixels.
        regions: most parts told of per class.
        min_share: smallest part told of, share of the picture.

    Returns:
        `{"classes": [{"id", "name", "share", "regions": [{"box", "share"}]}]}`; a box is left, top,
        right, bottom in source pixels, right and bottom just outside.
    """
    counts = np.bincount(ids.ravel(), minlength=len(labels.labels))
    parts: dict[int, list[Region]] = defaultdict(list)
    for region in connected_regions(ids, least_cells=ceil(min_share * ids.size)):
        parts[region.class_id].append(region)
    present = sorted(np.flatnonzero(counts).tolist(), key=lambda number: (-counts[number], number))
    return {
        "classes": [
            {
                "id": number,
                "name": labels.labels[number].name,
                "share": _share(int(counts[number]), ids.size),
                "regions": [
                    {
                        "box": source_box(part.box, ids.shape, source_hw),
                        "share": _share(part.cells, ids.size),
                    }
                    for part in parts[number][:regions]
                ],
            }
            for number in present
        ]
    }


def source_box(
    box: tuple[int, int, int, int], map_hw: tuple[int, ...], source_hw: tuple[int, int]
) -> list[int]:
    """A box of map cells as the source pixels whose centres lie in it; at least one pixel a side.

    A place x on the map is (x + 0.5) * width of the source / width of the map - 0.5 in the source,
    pixels and cells being where their centres are; a cell's edge is half a cell beside its centre.
    """
    left, right = _pixels(box[0], box[2], _first_centres(map_hw[1], source_hw[1]))
    top, bottom = _pixels(box[1], box[3], _first_centres(map_hw[0], source_hw[0]))
    return [left, top, right, bottom]


def _pixels(first: int, last: int, centres: Sequence[int]) -> tuple[int, int]:
    low = min(centres[first], centres[-1] - 1)
    return low, max(centres[last], low + 1)


@lru_cache(maxsize=64)  # sides of a few cameras
def _first_centres(cells: int, pixels: int) -> tuple[int, ...]:
    """Of every edge of a cell, the first pixel whose centre lies at or behind it:
    ceil(edge * pixels / cells - 1/2). That of the last edge is the number of pixels."""
    return tuple(-((cells - 2 * edge * pixels) // (2 * cells)) for edge in range(cells + 1))


def _share(part: int, whole: int) -> float:
    return round(part / whole, _DECIMALS)
