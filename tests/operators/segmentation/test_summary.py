"""A segmentation map in words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from operators.segmentation.labelsets import label_set
from operators.segmentation.summary import segmentation_summary, source_box

VOC = label_set("voc2012")


def test_classes_shares_and_boxes() -> None:
    ids = np.zeros((10, 20), dtype=np.uint8)
    ids[2:6, 4:8] = 15
    ids[8:10, 18:20] = 15
    ids[0, 19] = 12

    summary = segmentation_summary(ids, VOC, (100, 400), regions=5, min_share=0.0)

    background, person, dog = summary["classes"]
    assert (background["id"], background["name"], background["share"]) == (0, "background", 0.895)
    assert background["regions"] == [{"box": [0, 0, 400, 100], "share": 0.895}]
    assert (person["name"], person["share"]) == ("person", 0.1)
    assert person["regions"] == [
        {"box": [80, 20, 160, 60], "share": 0.08},
        {"box": [360, 80, 400, 100], "share": 0.02},
    ]
    assert (dog["name"], dog["regions"]) == ("dog", [{"box": [380, 0, 400, 10], "share": 0.005}])


def test_parts_are_bounded_by_number_and_size() -> None:
    ids = np.zeros((10, 10), dtype=np.uint8)
    ids[0, 0:3] = ids[2, 0:2] = ids[4, 0:2] = ids[6, 0] = 15

    def boxes(regions: int, min_share: float) -> list[list[int]]:
        summary = segmentation_summary(ids, VOC, (10, 10), regions=regions, min_share=min_share)
        return [part["box"] for part in summary["classes"][1]["regions"]]

    assert boxes(9, 0.0) == [[0, 0, 3, 1], [0, 2, 2, 3], [0, 4, 2, 5], [0, 6, 1, 7]]
    assert boxes(9, 0.02) == [[0, 0, 3, 1], [0, 2, 2, 3], [0, 4, 2, 5]]
    assert boxes(1, 0.0) == [[0, 0, 3, 1]]
    assert boxes(0, 0.0) == []


@pytest.mark.parametrize("pixels", [1, 3, 63, 64, 65, 359, 640, 1921])
@pytest.mark.parametrize("cells", [1, 2, 64, 100])
def test_a_box_holds_the_pixels_whose_centres_lie_in_it(cells: int, pixels: int) -> None:
    """By definition: pixel p lies in the cell nearest to (p + 0.5) * cells / pixels - 0.5."""
    cell_of = (2 * np.arange(pixels) + 1) * cells // (2 * pixels)
    for first in range(cells):
        left, _, right, _ = source_box((first, 0, first + 1, 1), (1, cells), (1, pixels))
        inside = np.flatnonzero(cell_of == first).tolist()
        if inside:
            assert (left, right) == (inside[0], inside[-1] + 1)
        assert 0 <= left < right <= pixels


def test_neighbours_share_an_edge_and_the_whole_is_the_whole() -> None:
    edges = [source_box((x, 0, x + 1, 7), (7, 9), (7, 123)) for x in range(9)]
    assert all(one[2] == two[0] for one, two in pairwise(edges))
    assert source_box((0, 0, 9, 7), (7, 9), (480, 123)) == [0, 0, 123, 480]
