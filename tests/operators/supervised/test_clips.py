"""Varied clips: truth turns with the pixels, and labels with both."""

from __future__ import annotations

import pytest
import torch

from operators.supervised.clips import Clips, Turned, vary

STILL, LEFT, RIGHT, ONCE = range(4)
TURNED = Turned(
    mirrored=torch.tensor([STILL, RIGHT, LEFT, ONCE]),
    reversed=torch.tensor([STILL, RIGHT, LEFT, -1]),
)


def clips(action: int) -> Clips:
    """One clip of 3 frames of 14 x 28; the depth of a cell is its number, and so is its class."""
    numbers = torch.arange(3 * 4 * 8).view(1, 3, 4, 8)
    bright = torch.linspace(20, 230, 28).expand(1, 3, 14, 28)[..., None].expand(-1, -1, -1, -1, 3)
    return Clips(
        bright.to(torch.uint8).contiguous(), numbers.float() + 1, numbers, torch.tensor([action])
    )


def varied(action: int, seed: int) -> Clips:
    return vary(clips(action), TURNED, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(24))
def test_truth_turns_with_the_pixels(seed):
    got, plain = varied(LEFT, seed), clips(LEFT)
    row = got.pixels[0, 0, 7, :, 0].int()
    mirrored = bool(row[0] > row[-1])
    backwards = bool(got.depth_m[0, 0].mean() > got.depth_m[0, -1].mean())

    flips = [axis for axis, turned in ((-1, mirrored), (1, backwards)) if turned]
    assert torch.equal(got.depth_m, plain.depth_m.flip(flips))
    assert torch.equal(got.classes, plain.classes.flip(flips))
    assert got.actions.item() == (RIGHT if mirrored != backwards else LEFT)


def test_both_ways_to_turn_happen_and_not_always():
    outcomes = {
        (got.actions.item(), bool(got.depth_m[0, 0, 0, 0] > got.depth_m[0, -1, 0, 0]))
        for got in (varied(LEFT, seed) for seed in range(24))
    }

    assert outcomes == {(LEFT, False), (LEFT, True), (RIGHT, False), (RIGHT, True)}


@pytest.mark.parametrize("seed", range(12))
def test_what_cannot_be_played_backwards_is_not(seed):
    got = varied(ONCE, seed)

    assert got.depth_m[0, 0].mean() < got.depth_m[0, -1].mean()
    assert got.actions.item() == ONCE


def test_the_generator_decides_and_the_given_clips_stay():
    given = clips(STILL)
    first, again = (vary(given, TURNED, torch.Generator().manual_seed(7)) for _ in range(2))

    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(given.pixels, clips(STILL).pixels)
    assert not torch.equal(first.pixels, given.pixels)
