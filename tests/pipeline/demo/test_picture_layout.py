"""Columns and times of the picture, without drawing it."""

import pytest

from pipeline.demo.layout import CELL_WIDTH, LEFT, RIGHT, WIDTH, Grid, evenly


@pytest.mark.parametrize(
    ("count", "indices"),
    [
        (0, []),
        (1, [0]),
        (6, [0, 1, 2, 3, 4, 5]),
        (7, [0, 1, 2, 4, 5, 6]),
        (40, [0, 8, 16, 23, 31, 39]),
    ],
)
def test_frames_are_chosen_evenly_with_the_first_and_the_last(count, indices):
    assert evenly(count) == indices


def test_six_columns_fill_the_picture():
    grid = Grid((360, 640), (0.0, 1.0, 2.0, 3.0, 4.0, 5.0))
    assert grid.cell(0, 10)[0] == pytest.approx(LEFT, abs=1)
    assert grid.cell(5, 10)[2] == pytest.approx(RIGHT, abs=1)
    assert RIGHT < WIDTH


@pytest.mark.parametrize("source_hw", [(360, 640), (1080, 1080), (3840, 2160), (16, 4096)])
def test_cells_keep_the_shape_of_the_frames(source_hw):
    left, top, right, bottom = Grid(source_hw, (0.0,)).cell(0, 0)
    assert right - left <= CELL_WIDTH
    assert bottom - top <= CELL_WIDTH
    if source_hw != (16, 4096):  # drawn less thin than it is
        assert (bottom - top) / (right - left) == pytest.approx(
            source_hw[0] / source_hw[1], rel=0.02
        )


def test_a_moment_stands_below_its_frame_whatever_the_rate():
    grid = Grid((360, 640), (0.0, 1.0, 5.0))
    assert grid.across([0.0, 1.0, 5.0]) == [grid.middle(0), grid.middle(1), grid.middle(2)]
    assert grid.across([3.0])[0] == pytest.approx((grid.middle(1) + grid.middle(2)) / 2)
