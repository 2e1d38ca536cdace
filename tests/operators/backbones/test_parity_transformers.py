"""Parity with Hugging Face's DINOv2 at 518 px, through files that transformers itself wrote."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.weights.load import load_backbone

os.environ.setdefault("HF_HUB_OFFLINE", "1")

MAX_ERROR = 1e-4
QUICK = {"ti": 12, "s": 12, "b": 3, "l": 2, "g": 2}  # blocks; full depth of b and l is marked slow


def hugging_face_model(arch):
    import transformers

    kind = "Dinov2WithRegisters" if arch.registers else "Dinov2"
    sizes = {"num_register_tokens": arch.registers} if arch.registers else {}
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=arch.width,
        num_hidden_layers=arch.depth,
        num_attention_heads=arch.heads,
        image_size=518,
        patch_size=14,
        use_swiglu_ffn=arch.ffn == "swiglu",
        **sizes,
    )
    return getattr(transformers, f"{kind}Model")(config)


def check_parity(arch, folder, vit_recipe, fill):
    theirs = fill(hugging_face_model(arch))
    theirs.save_pretrained(folder)
    pixels = torch.from_numpy(vit_recipe.seeded_pixels((518, 518)))
    with torch.inference_mode():
        want = theirs(pixels).last_hidden_state
    del theirs

    ours = load_backbone(arch, str(folder / "model.safetensors"))
    with torch.inference_mode():
        got, _ = ours.model(pixels)

    error = (got - want).abs().max().item()
    assert not ours.untrained
    assert error <= MAX_ERROR, f"{arch.name}, {arch.depth} blocks: {error:.2e}"


@pytest.mark.parametrize("registers", [0, 4])
@pytest.mark.parametrize("size", QUICK)
def test_normalised_tokens_equal_transformers(size, registers, tmp_path, vit_recipe, fill):
    arch = replace(architecture(f"dinov2_vit{size}14"), depth=QUICK[size], registers=registers)
    check_parity(arch, tmp_path, vit_recipe, fill)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dinov2_vitb14", "dinov2_vitl14_reg"])
def test_normalised_tokens_equal_transformers_at_full_depth(name, tmp_path, vit_recipe, fill):
    check_parity(architecture(name), tmp_path, vit_recipe, fill)
