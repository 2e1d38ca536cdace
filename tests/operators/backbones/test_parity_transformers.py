"""Parity with Hugging Face's DINOv2, through files that transformers itself wrote.

Pictures have the size that positions are stored for: upstream resizes them in its own way.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.weights.load import load_backbone

os.environ.setdefault("HF_HUB_OFFLINE", "1")

MAX_ERROR = 1e-4
SMALL_GRID = 5  # patches a side; DINOv2's own is 37, which is 518 px


def hugging_face_model(arch):
    import transformers

    kind = "Dinov2WithRegisters" if arch.registers else "Dinov2"
    sizes = {"num_register_tokens": arch.registers} if arch.registers else {}
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=arch.width,
        num_hidden_layers=arch.depth,
        num_attention_heads=arch.heads,
        image_size=arch.grid * arch.patch,
        patch_size=arch.patch,
        use_swiglu_ffn=arch.ffn == "swiglu",
        **sizes,
    )
    return getattr(transformers, f"{kind}Model")(config)


def check_parity(arch, folder, vit_recipe, fill):
    theirs = fill(hugging_face_model(arch))
    theirs.save_pretrained(folder)
    side = arch.grid * arch.patch
    pixels = torch.from_numpy(vit_recipe.seeded_pixels((side, side)))
    with torch.inference_mode():
        want = theirs(pixels).last_hidden_state
    del theirs

    ours = load_backbone(arch, str(folder / "model.safetensors"))
    with torch.inference_mode():
        got, _ = ours.model(pixels)

    error = (got - want).abs().max().item()
    assert not ours.untrained
    assert error <= MAX_ERROR, f"{arch.name}, {arch.depth} blocks: {error:.2e}"


@pytest.mark.slow
def test_errors_stay_small_through_24_blocks_at_518_px(tmp_path, vit_recipe, fill):
    arch = replace(architecture("dinov2_vitti14"), depth=24, registers=4)
    check_parity(arch, tmp_path, vit_recipe, fill)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "registers"), [("s", 4), ("b", 0), ("l", 4), ("g", 0)])
def test_every_width_equals_transformers(size, registers, tmp_path, vit_recipe, fill):
    arch = replace(architecture(f"dinov2_vit{size}14"), depth=2, registers=registers)
    check_parity(replace(arch, grid=SMALL_GRID), tmp_path, vit_recipe, fill)


@pytest.mark.slow
def test_other_patches_and_heads_equal_transformers(tmp_path, vit_recipe, fill):
    arch = replace(architecture("dinov2_vitti14"), heads=6, patch=16, grid=SMALL_GRID, depth=3)
    check_parity(arch, tmp_path, vit_recipe, fill)
