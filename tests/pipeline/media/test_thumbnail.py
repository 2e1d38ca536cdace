"""Cells of luma: exact whole numbers, of any picture."""

import numpy as np
import pytest

from pipeline.media.thumbnail import CELLS, luma_cells


def by_hand(pixels, row, column, cells):
    """The mean of one cell, pixel by pixel."""
    height, width, _ = pixels.shape
    rows = range(row * height // cells[0], (row + 1) * height // cells[0])
    columns = range(column * width // cells[1], (column + 1) * width // cells[1])
    sums = [sum(int(pixels[y, x, band]) for y in rows for x in columns) for band in range(3)]
    luma = 77 * sums[0] + 150 * sums[1] + 29 * sums[2]
    return luma // (256 * len(rows) * len(columns))


@pytest.mark.parametrize("size_hw", [(56, 98), (98, 56), (224, 224), (70, 42), (14, 28)])
def test_a_cell_is_the_mean_of_its_pixels(size_hw):
    pixels = np.random.default_rng(1).integers(0, 256, (*size_hw, 3), np.uint8)
    cells = luma_cells(pixels)
    assert cells.dtype == np.uint8
    assert min(cells.shape) == min(CELLS, *size_hw)
    for row, column in ((0, 0), (3, 5), (cells.shape[0] - 1, cells.shape[1] - 1)):
        assert cells[row, column] == by_hand(pixels, row, column, cells.shape)


def test_the_brightest_picture_is_the_brightest_and_the_darkest_the_darkest():
    assert (luma_cells(np.full((518, 924, 3), 255, np.uint8)) == 255).all()
    assert (luma_cells(np.zeros((518, 924, 3), np.uint8)) == 0).all()


def test_a_picture_that_is_a_line_has_a_bounded_number_of_cells():
    assert luma_cells(np.zeros((14, 14_000, 3), np.uint8)).shape == (14, 4 * CELLS)
