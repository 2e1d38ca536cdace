"""Masks: how many, how large, of rectangles, and decided by the generator alone."""

import pytest
import torch

from operators.pretrain.masks import draw_masks, most_masked

GRIDS = [(16, 16), (8, 8), (37, 37), (4, 6), (2, 30), (1, 9), (1, 1)]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def counts(masks):
    return sorted(masks.sum(dim=1).tolist())


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("count", [0, 1, 2, 7, 32])
def test_counts_are_within_bounds_and_so_is_their_sum(grid, count):
    patches = grid[0] * grid[1]
    for seed in range(6):
        masks = draw_masks(count, grid, seeded(seed))
        assert masks.dtype == torch.bool
        assert masks.shape == (count, patches)
        assert masks.sum() <= most_masked(count, grid)
        most = masks.sum(dim=1).max() if count else 0
        assert most <= patches // 2
        assert (masks.any(dim=1)).sum() <= count // 2


def test_ratios_come_from_equal_slices():
    """8 crops of 256 patches, 4 of them masked: one ratio each from .1, .2, .3, .4 on."""
    short = 0
    for seed in range(20):
        got = counts(draw_masks(8, (16, 16), seeded(seed)))
        assert got[:4] == [0] * 4
        for number, (low, high) in zip(
            got[4:], [(25, 51), (51, 76), (76, 102), (102, 128)], strict=True
        ):
            assert number <= high
            short += number < low
    assert short <= 4  # of 80 masks: no rectangle was found for the last patches


def test_the_bound_is_reached_by_ratios_of_one_value():
    masks = draw_masks(10, (16, 16), seeded(3), share=1.0, ratios=(0.25, 0.25))

    assert most_masked(10, (16, 16), share=1.0, ratios=(0.25, 0.25)) == 640
    assert masks.sum() > 0.97 * 640
    assert most_masked(8, (16, 16)) == 51 + 76 + 102 + 128


def test_which_crops_are_masked_is_drawn():
    masked = {tuple(draw_masks(4, (8, 8), seeded(seed)).any(dim=1).tolist()) for seed in range(60)}

    assert len(masked) == 6


def test_the_generator_decides_and_one_number_is_taken_from_it():
    one, other = seeded(4), seeded(4)
    first, again = draw_masks(16, (8, 8), one), draw_masks(16, (8, 8), other)
    draw_masks(2, (30, 30), one)
    draw_masks(90, (4, 4), other)

    assert torch.equal(first, again)
    assert torch.equal(draw_masks(16, (8, 8), one), draw_masks(16, (8, 8), other))
    assert not torch.equal(draw_masks(16, (8, 8), one), first)


def test_masks_are_of_rectangles():
    """Nearly all patches have neighbours that are hidden as well; scattered ones had 30 % each."""
    masks = draw_masks(40, (16, 16), seeded(5), share=1.0, ratios=(0.3, 0.3)).view(-1, 16, 16)
    across, down = masks[:, :, 1:] & masks[:, :, :-1], masks[:, 1:] & masks[:, :-1]

    assert across.sum() > 0.7 * masks.sum()
    assert down.sum() > 0.7 * masks.sum()


def test_everywhere_is_masked_alike_nearly():
    often = draw_masks(4000, (8, 8), seeded(6), share=0.5).float().mean(dim=0)

    assert often.mean().item() == pytest.approx(0.15, abs=0.01)
    assert often.min() > 0.04
    assert often.max() < 0.3


@pytest.mark.parametrize("wrong", [{"share": 1.1}, {"ratios": (0.5, 0.1)}, {"ratios": (-0.1, 0.5)}])
def test_impossible_shares_are_refused(wrong):
    with pytest.raises(ValueError, match="share and ratios must be from 0 to 1"):
        draw_masks(4, (8, 8), seeded(0), **wrong)
    with pytest.raises(ValueError, match="share and ratios must be from 0 to 1"):
        most_masked(4, (8, 8), **wrong)
