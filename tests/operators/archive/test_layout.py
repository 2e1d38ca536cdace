"""How kept features lie in a picture: everything comes back, and nothing is taken for another."""

import numpy as np
import pytest

from operators.archive.layout import Layout, Numbers


def layout(**more):
    return Layout.of(
        **{"blocks": (11, 2), "depth": 12, "components": 8, "width": 16, "registers": 3} | more
    )


def numbers(layout, grid_hw, seed=0):
    draw = np.random.default_rng(seed)
    maps = len(layout.maps)
    return Numbers(
        draw.integers(-127, 128, (maps, *grid_hw, layout.components)).astype(np.int8),
        draw.normal(size=(maps, *grid_hw)).astype(np.float16),
        draw.normal(size=(layout.fine_tokens, layout.width)).astype(np.float16),
    )


def test_the_last_block_after_the_norm_is_kept_where_it_is_not_before():
    assert layout().maps == ("block.2", "block.11")
    assert layout(blocks=()).maps == ("final",)
    assert layout(blocks=(3,)).maps == ("block.3", "final")
    assert layout(blocks=(3,)).fine_tokens == 1 + 3 + 1


@pytest.mark.parametrize("grid_hw", [(16, 28), (1, 1), (5, 3), (3, 5), (37, 1)])
@pytest.mark.parametrize("blocks", [(), (3,), (2, 5, 8, 11)])
def test_a_frame_comes_back(grid_hw, blocks):
    kept = layout(blocks=blocks)
    said = numbers(kept, grid_hw)
    picture = kept.packed(said)
    assert picture.shape[0] == grid_hw[0]
    assert picture.shape[2] == 3
    assert picture.nbytes - kept.frame_bytes(grid_hw) < 3 * grid_hw[0]
    back = kept.unpacked(picture)
    for one, other in zip(
        (said.codes, said.scales, said.fine), (back.codes, back.scales, back.fine), strict=True
    ):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def test_no_two_grids_have_a_picture_of_one_size():
    kept = layout(blocks=(), components=1, width=1, registers=0)
    grids = [(high, wide) for high in range(1, 12) for wide in range(1, 40)]
    sizes = [kept.packed(numbers(kept, grid)).shape[:2] for grid in grids]
    assert len(set(sizes)) == len(grids)
    assert [kept.grid_hw(size) for size in sizes] == grids


def test_a_picture_of_another_layout_is_refused():
    picture = layout().packed(numbers(layout(), (4, 4)))
    with pytest.raises(ValueError, match="are none of"):
        layout(components=64).grid_hw(picture.shape[:2])


def test_a_layout_is_json():
    assert Layout.from_json(layout().to_json()) == layout()
