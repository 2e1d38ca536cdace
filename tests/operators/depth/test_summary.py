"""Depth in a few numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from operators.depth.summary import depth_summary


def test_percentiles_and_medians_in_metres() -> None:
    steps = np.arange(1, 82, dtype=np.uint16).reshape(9, 9) * 100

    summary = depth_summary(steps, 0.001)

    assert summary["unit"] == "m"
    assert summary["percentiles"] == {"5": 0.5, "25": 2.1, "50": 4.1, "75": 6.1, "95": 7.7}
    thirds = [[np.median(steps[y : y + 3, x : x + 3]) for x in (0, 3, 6)] for y in (0, 3, 6)]
    np.testing.assert_allclose(summary["grid"], np.array(thirds) * 0.001)


def test_rows_of_the_grid_are_rows_of_the_picture() -> None:
    steps = np.full((6, 12), 1000, dtype=np.uint16)
    steps[:2] = 5000  # far above
    assert depth_summary(steps, 0.001)["grid"] == [[5.0] * 3, [1.0] * 3, [1.0] * 3]


def test_unknown_cells_count_nowhere() -> None:
    steps = np.full((6, 6), 256, dtype=np.uint16)
    steps[:2, :2] = 0
    steps[3, 3] = 0

    summary = depth_summary(steps, 0.00390625)

    assert summary["grid"] == [[None, 1.0, 1.0], [1.0] * 3, [1.0] * 3]
    assert set(summary["percentiles"].values()) == {1.0}


def test_numbers_are_those_of_numpy() -> None:
    draw = np.random.default_rng(0)
    for size_hw in ((7, 11), (32, 44), (64, 64)):
        steps = draw.integers(0, 9000, size_hw, dtype=np.uint16)
        steps[draw.random(size_hw) < 0.1] = 0
        summary = depth_summary(steps, 1.0)
        want = np.percentile(steps[steps > 0], [5, 25, 50, 75, 95])
        np.testing.assert_allclose(list(summary["percentiles"].values()), want, atol=0.00051)
        height, width = size_hw
        for row, said in enumerate(summary["grid"]):
            across = steps[height * row // 3 : height * (row + 1) // 3]
            cells = [across[:, width * at // 3 : width * (at + 1) // 3] for at in range(3)]
            np.testing.assert_allclose(said, [np.median(cell[cell > 0]) for cell in cells])


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 5), (3, 3), (4, 4), (8, 56)])
def test_any_size_and_nothing_known(size_hw: tuple[int, int]) -> None:
    unknown = depth_summary(np.zeros(size_hw, dtype=np.uint16), 0.001)
    assert set(unknown["percentiles"].values()) == {None}
    known = depth_summary(np.ones(size_hw, dtype=np.uint16), 0.001)
    assert [len(row) for row in known["grid"]] == [3, 3, 3]
    json.dumps(known, allow_nan=False)
