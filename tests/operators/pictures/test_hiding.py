"""What is hidden cannot be seen any more, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.pictures.hiding import MOST_BLOCKS, hide

PATCH = 14


def checkerboard(h: int, w: int) -> NDArray[np.uint8]:
    """Squares of 2 pixels, black and white, over h x w patches: nothing but high frequencies."""
    down, across = np.mgrid[: h * PATCH, : w * PATCH]
    squares = (down // 2 + across // 2) % 2 * 255
    return np.repeat(squares[..., None], 3, axis=-1).astype(np.uint8)


def found_at(h: int, w: int, cells: int, *places: tuple[int, int]) -> NDArray[np.bool_]:
    found = np.zeros((h * cells, w * cells), dtype=bool)
    for place in places:
        found[place] = True
    return found


@pytest.mark.parametrize("cells", [1, 4, 14])
def test_a_cell_hides_its_block_and_those_around_it(cells: int) -> None:
    pixels = checkerboard(8, 10)
    found = found_at(8, 10, cells, (3 * cells, 6 * cells + cells - 1))
    bare = hide(pixels, found, PATCH)
    inside = (slice(2 * PATCH, 5 * PATCH), slice(5 * PATCH, 8 * PATCH))
    assert (bare[inside].astype(int) - 127).max() == 0, "one grey: no square is left"
    assert bare[inside].min() == 127
    outside = np.ones(pixels.shape, dtype=bool)
    outside[inside] = False
    np.testing.assert_array_equal(bare[outside], pixels[outside])


def test_of_a_sharp_edge_a_slope_over_blocks_is_left() -> None:
    pixels = np.zeros((8 * PATCH, 8 * PATCH, 3), dtype=np.uint8)
    pixels[:, 4 * PATCH :] = 255
    bare = hide(pixels, np.ones((8, 8), dtype=bool), PATCH)
    row = bare[0, PATCH // 2 :: PATCH, 0]
    assert row.tolist() == [0, 0, 0, 85, 170, 255, 255, 255]
    assert (bare == row.repeat(PATCH)[None, :, None]).all()


def test_the_rim_of_a_picture_counts_as_much_as_there_is() -> None:
    pixels = np.full((3 * PATCH, 3 * PATCH, 3), 200, dtype=np.uint8)
    assert (hide(pixels, np.ones((3, 3), dtype=bool), PATCH) == 200).all()


@pytest.mark.parametrize(("h", "w"), [(37, 66), (66, 37), (33, 33)])
def test_a_finer_model_makes_no_finer_blocks(h: int, w: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (h * PATCH, w * PATCH, 3), dtype=np.uint8)
    bare = hide(noise, np.ones((h, w), dtype=bool), PATCH)
    assert bare.shape == noise.shape
    across, down = (
        np.any(np.diff(bare.astype(int), axis=axis), axis=(1 - axis, 2)) for axis in (1, 0)
    )
    assert min(across.sum(), down.sum()) + 1 <= MOST_BLOCKS
    assert bare.std() < noise.std() / 20


def test_where_nothing_was_found_it_is_the_same_picture() -> None:
    pixels = checkerboard(2, 3)
    pixels.flags.writeable = False
    assert hide(pixels, np.zeros((8, 12), dtype=bool), PATCH) is pixels
    assert hide(pixels, np.ones((8, 12), dtype=bool), PATCH) is not pixels
