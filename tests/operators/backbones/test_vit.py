"""The transformer against upstream's own outputs (data/README.md tells how those were made)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from operators.backbones.architectures import Architecture, architecture
from operators.backbones.vit import VisionTransformer, resize_positions

MAX_ERROR = 1e-4
SIZES_HW = ((224, 224), (224, 392))
DEPTHS = {"ti": 12, "s": 12, "b": 12, "l": 4, "g": 2}  # as the goldens were cut


@pytest.fixture(scope="module")
def goldens():
    return np.load(Path(__file__).parents[1] / "data" / "vit_goldens.npz")


def tiny(**changes):
    return replace(architecture("dinov2_vitti14"), depth=2, **changes)


def both_kinds(arch, fill):
    """name's end -> model, with and without registers: these are drawn last, so all else agrees."""
    with torch.device("meta"):
        plain, registers = (VisionTransformer(replace(arch, registers=n)) for n in (0, 4))
    tensors = fill(registers).state_dict()
    plain.load_state_dict({name: tensors[name] for name in plain.state_dict()}, assign=True)
    return {"": plain.eval().requires_grad_(False), "_reg": registers}


@pytest.mark.slow
@pytest.mark.parametrize("size", DEPTHS)
def test_tokens_equal_upstreams_at_sizes_that_need_interpolation(size, goldens, vit_recipe, fill):
    name = f"dinov2_vit{size}14"
    depth = DEPTHS[size]
    models = both_kinds(replace(architecture(name), depth=depth), fill)
    # A wide one interpolates no other way than a narrow one: one shape tells.
    sizes_hw = SIZES_HW if size in ("ti", "s") else SIZES_HW[:1]

    for (kind, model), size_hw in product(models.items(), sizes_hw):
        pixels = torch.from_numpy(vit_recipe.seeded_pixels(size_hw))
        normed, kept = model(pixels, [(depth - 1) // 2])
        key = f"{name}{kind}/{size_hw[0]}x{size_hw[1]}"
        for got, part in ((normed, "normed"), (kept[(depth - 1) // 2], "middle")):
            error = np.abs(vit_recipe.sampled(got.numpy()) - goldens[f"{key}/{part}"]).max()
            assert error <= MAX_ERROR, f"{key}/{part}: {error:.2e}"


def test_the_ways_to_interpolate_differ_far_more_than_the_error_allowed(vit_recipe):
    table = torch.from_numpy(vit_recipe.seeded_tensors({"pos_embed": (1, 1370, 192)})["pos_embed"])
    plain, registers = tiny(), tiny(registers=4)

    offset = resize_positions(table, (16, 28), plain)
    antialiased = resize_positions(table, (16, 28), registers)
    grid = table[:, 1:].view(1, 37, 37, -1).permute(0, 3, 1, 2)
    no_offset = torch.nn.functional.interpolate(grid, size=(16, 28), mode="bicubic")

    assert (offset - antialiased).abs().max() > 100 * MAX_ERROR
    assert (offset[:, 1:] - no_offset.flatten(2).transpose(1, 2)).abs().max() > 100 * MAX_ERROR


def test_positions_of_the_trained_size_are_the_stored_ones(fill):
    model = fill(VisionTransformer(tiny()))

    assert torch.equal(resize_positions(model.pos_embed, (37, 37), tiny()), model.pos_embed)


def test_what_learnt_padded_pictures_cuts_positions_out_of_the_corner():
    arch = Architecture("corner", width=64, depth=1, heads=1, registers=1, grid=4, cornered=True)
    table = torch.arange(17.0).view(1, 17, 1).expand(1, 17, 64)

    cut = resize_positions(table, (2, 3), arch)[0, :, 0]
    larger = resize_positions(table, (2, 5), arch)

    assert cut.tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert torch.equal(larger, resize_positions(table, (2, 5), replace(arch, cornered=False)))


@pytest.mark.parametrize("size_hw", [(14, 14), (14, 700), (70, 42), (518, 14)])
def test_any_multiple_of_14_gives_one_token_per_patch(size_hw, fill):
    model = fill(VisionTransformer(tiny(registers=4)))

    normed, _ = model(torch.zeros(1, 3, *size_hw))

    assert normed.shape == (1, 1 + 4 + size_hw[0] // 14 * (size_hw[1] // 14), 192)
    assert normed.isfinite().all()


def test_kept_positions_follow_new_weights_and_dtypes(fill):
    model, pixels = fill(VisionTransformer(tiny())), torch.zeros(1, 3, 28, 28)
    before, _ = model(pixels)

    model.load_state_dict({k: v * 2 for k, v in model.state_dict().items()})
    after, _ = model(pixels)
    fresh = VisionTransformer(tiny()).requires_grad_(False)
    fresh.load_state_dict(model.state_dict())

    assert not torch.equal(before, after)
    assert torch.equal(after, fresh(pixels)[0])
    assert model.bfloat16()(pixels.bfloat16())[0].dtype == torch.bfloat16


@pytest.mark.slow
def test_many_sizes_do_not_fill_the_memory(fill):
    model = fill(VisionTransformer(tiny()))

    for across in range(1, 80):
        model(torch.zeros(1, 3, 14, 14 * across))

    assert len(model._positions) <= 32


def test_wanted_blocks_are_returned_before_the_final_norm(fill):
    model = fill(VisionTransformer(tiny()))

    normed, kept = model(torch.zeros(1, 3, 28, 28), [0, 1])

    assert sorted(kept) == [0, 1]
    assert torch.equal(model.norm(kept[1]), normed)
    assert not torch.equal(kept[0], kept[1])


def test_a_size_off_the_patch_grid_is_refused(fill):
    with pytest.raises(ValueError, match="frame size 28x30 must be multiples of 14"):
        fill(VisionTransformer(tiny()))(torch.zeros(1, 3, 28, 30))


@pytest.mark.parametrize("block", [-1, 2])
def test_a_block_that_does_not_exist_is_refused(block, fill):
    with pytest.raises(ValueError, match=r"blocks \[-?\d\] do not exist.*0 to 1"):
        fill(VisionTransformer(tiny()))(torch.zeros(1, 3, 28, 28), [block])
