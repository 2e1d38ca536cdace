"""The table of sizes: official numbers, and errors that help."""

from __future__ import annotations

from collections import Counter

import pytest

from operators.backbones.architectures import ARCHITECTURES, Architecture, architecture
from operators.backbones.model import empty_model
from operators.errors import UsageError


@pytest.mark.parametrize(
    ("name", "width", "depth", "heads", "hidden"),
    [
        ("dinov2_vitti14", 192, 12, 3, 768),
        ("dinov2_vitti14_6", 192, 6, 3, 768),
        ("dinov2_vits14", 384, 12, 6, 1536),
        ("dinov2_vitb14", 768, 12, 12, 3072),
        ("dinov2_vitl14", 1024, 24, 16, 4096),
        ("dinov2_vitg14", 1536, 40, 24, 4096),
    ],
)
def test_sizes_are_those_of_the_paper(name, width, depth, heads, hidden):
    arch = architecture(name)

    assert (arch.width, arch.depth, arch.heads, arch.hidden) == (width, depth, heads, hidden)
    assert (arch.registers, arch.patch, arch.grid) == (0, 14, 37)


@pytest.mark.parametrize("size", "sblg")
def test_every_official_size_has_a_variant_with_four_registers(size):
    plain, with_registers = (
        architecture(f"dinov2_vit{size}14"),
        architecture(f"dinov2_vit{size}14_reg"),
    )

    assert with_registers.registers == 4
    assert (plain.width, plain.depth, plain.ffn) == (
        with_registers.width,
        with_registers.depth,
        with_registers.ffn,
    )


@pytest.mark.parametrize(
    ("name", "width", "blocks", "own", "grid"),
    [
        ("eomt_small_640", 384, 12, 3, 40),
        ("eomt_base_640", 768, 12, 3, 40),
        ("eomt_large_640", 1024, 24, 4, 40),
        ("eomt_giant_640", 1536, 40, 5, 40),
        ("eomt_large_1280", 1024, 24, 4, 80),
        ("eomt_giant_1280", 1536, 40, 5, 80),
    ],
)
def test_an_eomt_is_a_dinov2_without_its_last_blocks(name, width, blocks, own, grid):
    arch = architecture(name)

    assert (arch.width, arch.depth + arch.own_blocks, arch.own_blocks) == (width, blocks, own)
    assert (arch.registers, arch.patch, arch.grid, arch.cornered) == (4, 16, grid, True)
    assert arch.ffn == ("swiglu" if "giant" in name else "mlp")


@pytest.mark.parametrize(
    ("name", "width", "patch", "grid"),
    [
        ("dino_vits16", 384, 16, 14),
        ("dino_vits8", 384, 8, 28),
        ("dino_vitb16", 768, 16, 14),
        ("dino_vitb8", 768, 8, 28),
        ("deit_tiny_patch16_224", 192, 16, 14),
        ("deit_small_distilled_patch16_224", 384, 16, 14),
        ("deit_base_patch16_384", 768, 16, 24),
        ("deit_base_distilled_patch16_384", 768, 16, 24),
    ],
)
def test_dino_and_deit_are_plain_vision_transformers(name, width, patch, grid):
    arch = architecture(name)

    assert (arch.width, arch.depth, arch.hidden, arch.ffn) == (width, 12, 4 * width, "mlp")
    assert (arch.patch, arch.grid, arch.layer_scale) == (patch, grid, False)
    assert arch.registers == ("distilled" in name)
    assert arch.unshifted == name.startswith("deit")
    assert arch.own_classifier == ("deit" if arch.unshifted else "")


@pytest.mark.parametrize(
    ("name", "width", "depth", "heads", "ffn", "hidden"),
    [
        ("dinov3_vits16", 384, 12, 6, "mlp", 1536),
        ("dinov3_vits16plus", 384, 12, 6, "swiglu", 1536),
        ("dinov3_vitb16", 768, 12, 12, "mlp", 3072),
        ("dinov3_vitl16", 1024, 24, 16, "mlp", 4096),
        ("dinov3_vitl16plus", 1024, 24, 16, "swiglu", 4096),
        ("dinov3_vith16plus", 1280, 32, 20, "swiglu", 5120),
        ("dinov3_vit7b16", 4096, 40, 32, "swiglu", 8192),
    ],
)
def test_a_dinov3s_sizes_are_those_of_upstreams_hub(name, width, depth, heads, ffn, hidden):
    arch = architecture(name)

    assert (arch.width, arch.depth, arch.heads) == (width, depth, heads)
    assert (arch.ffn, arch.hidden) == (ffn, hidden)
    assert (arch.registers, arch.patch, arch.rotary, arch.norm_eps) == (4, 16, True, 1e-5)


def test_the_table_holds_every_size_of_every_family():
    families = Counter(name.partition("_")[0] for name in ARCHITECTURES)
    wanted = {"dinov2": 10, "eomt": 6, "dino": 4, "deit": 8, "dinov3": 9, "swin": 6}
    assert wanted.items() <= families.items()


@pytest.mark.parametrize(
    "name", ["dinov2_vitg14", "dinov3_vith16plus", "dinov3_vit7b16", "swin_tiny_patch4_window7_224"]
)
def test_parameters_are_the_matrices_of_the_blocks(name):
    model = empty_model(architecture(name))
    matrices = (
        one
        for own, one in model.named_parameters()
        if "blocks." in own and own.endswith(".weight") and one.ndim == 2
    )
    assert architecture(name).parameters == sum(one.numel() for one in matrices)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"'dinov2_vitb15'.*Did you mean dinov2_vitb14\?"):
        architecture("dinov2_vitb15")


def test_a_name_like_nothing_is_answered_with_all_names():
    with pytest.raises(UsageError, match=r"'resnet'\. Models: dinov2_vits14, .*dinov2_vitti14"):
        architecture("resnet")


def test_heads_share_the_width_evenly():
    of_7b = {one.head_dim for one in ARCHITECTURES.values() if "7b" in one.name}
    assert of_7b == {128}
    assert {one.head_dim for one in ARCHITECTURES.values() if not one.pyramid} == {64} | of_7b
    assert Architecture("huge", width=1280, depth=32, heads=16).head_dim == 80
    with pytest.raises(ValueError, match="must be a multiple of its 5 heads, got 384"):
        Architecture("odd", width=384, depth=1, heads=5)


@pytest.mark.parametrize("sizes", [{"patch": 0}, {"grid": 0}, {"depth": 0}, {"heads": 0}])
def test_sizes_of_nothing_are_refused(sizes):
    with pytest.raises(ValueError, match="odd: "):
        Architecture(**{"name": "odd", "width": 64, "depth": 1, "heads": 1} | sizes)
