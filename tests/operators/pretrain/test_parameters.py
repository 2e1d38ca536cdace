"""The groups of a ViT of two blocks with registers and SwiGLU, against a list written by hand."""

import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.backbones.vit import VisionTransformer
from operators.pretrain.head import ProjectionHead
from operators.pretrain.parameters import parameter_groups

ARCH = Architecture("two", width=8, depth=2, heads=2, registers=4, ffn="swiglu", grid=3)
TOKENS, FIRST, SECOND, FULL = 0.5**3, 0.5**2, 0.5, 1.0  # layerwise decay of 0.5

# name: (scale of the rate, decays)
BACKBONE = {
    "cls_token": (TOKENS, True),
    "pos_embed": (TOKENS, True),
    "mask_token": (TOKENS, True),
    "register_tokens": (TOKENS, True),
    "patch_embed.proj.weight": (0.2 * TOKENS, True),
    "patch_embed.proj.bias": (0.2 * TOKENS, False),
    "blocks.0.norm1.weight": (FIRST, False),
    "blocks.0.norm1.bias": (FIRST, False),
    "blocks.0.attn.qkv.weight": (FIRST, True),
    "blocks.0.attn.qkv.bias": (FIRST, False),
    "blocks.0.attn.proj.weight": (FIRST, True),
    "blocks.0.attn.proj.bias": (FIRST, False),
    "blocks.0.ls1.gamma": (FIRST, False),
    "blocks.0.norm2.weight": (FIRST, False),
    "blocks.0.norm2.bias": (FIRST, False),
    "blocks.0.mlp.w12.weight": (FIRST, True),
    "blocks.0.mlp.w12.bias": (FIRST, False),
    "blocks.0.mlp.w3.weight": (FIRST, True),
    "blocks.0.mlp.w3.bias": (FIRST, False),
    "blocks.0.ls2.gamma": (FIRST, False),
    "blocks.1.norm1.weight": (SECOND, False),
    "blocks.1.norm1.bias": (SECOND, False),
    "blocks.1.attn.qkv.weight": (SECOND, True),
    "blocks.1.attn.qkv.bias": (SECOND, False),
    "blocks.1.attn.proj.weight": (SECOND, True),
    "blocks.1.attn.proj.bias": (SECOND, False),
    "blocks.1.ls1.gamma": (SECOND, False),
    "blocks.1.norm2.weight": (SECOND, False),
    "blocks.1.norm2.bias": (SECOND, False),
    "blocks.1.mlp.w12.weight": (SECOND, True),
    "blocks.1.mlp.w12.bias": (SECOND, False),
    "blocks.1.mlp.w3.weight": (SECOND, True),
    "blocks.1.mlp.w3.bias": (SECOND, False),
    "blocks.1.ls2.gamma": (SECOND, False),
    "norm.weight": (FULL, False),
    "norm.bias": (FULL, False),
}
# name: (decays, last layer)
HEAD = {
    "mlp.0.weight": (True, False),
    "mlp.0.bias": (False, False),
    "mlp.2.weight": (True, False),
    "mlp.2.bias": (False, False),
    "mlp.4.weight": (True, False),
    "mlp.4.bias": (False, False),
    "last_layer.weight_g": (True, True),
    "last_layer.weight_v": (True, True),
}


def head():
    return ProjectionHead(8, 5, hidden=6, bottleneck=4)


def treatment(groups):
    """Of every parameter by identity: scale, whether it decays, whether it is a last layer."""
    return {
        id(parameter): (group["lr_scale"], group["decays"], group["last_layer"])
        for group in groups
        for parameter in group["params"]
    }


def grouped(backbone, heads, *, layer_decay=0.5, patch_embed_scale=0.2):
    return parameter_groups(
        backbone, heads, layer_decay=layer_decay, patch_embed_scale=patch_embed_scale
    )


def test_every_parameter_is_treated_as_the_list_says():
    backbone, heads = VisionTransformer(ARCH), [head(), head()]
    found = treatment(grouped(backbone, heads))

    assert {name: found[id(one)] for name, one in backbone.named_parameters()} == {
        name: (pytest.approx(scale), decays, False) for name, (scale, decays) in BACKBONE.items()
    }
    for own in heads:
        assert {name: found[id(one)] for name, one in own.named_parameters()} == {
            name: (1.0, *rest) for name, rest in HEAD.items()
        }
    assert len(found) == len(BACKBONE) + 2 * len(HEAD)


def test_groups_are_all_different_and_an_optimiser_takes_them():
    groups = grouped(VisionTransformer(ARCH), [head()])
    kinds = [(one["lr_scale"], one["decays"], one["last_layer"]) for one in groups]
    optimiser = torch.optim.AdamW(groups, lr=1e-3)

    assert len(set(kinds)) == len(kinds) == 2 + 1 + 2 + 2 + 2 + 1
    assert [one["lr_scale"] for one in optimiser.param_groups] == [scale for scale, *_ in kinds]


def test_a_head_that_is_shared_is_there_once():
    own = head()
    groups = grouped(VisionTransformer(ARCH), [own, own])

    assert sum(len(one["params"]) for one in groups) == len(BACKBONE) + len(HEAD)


def test_without_layerwise_decay_only_the_patch_embedding_is_slower():
    groups = grouped(VisionTransformer(ARCH), [head()], layer_decay=1.0)

    assert {one["lr_scale"] for one in groups} == {0.2, 1.0}


def test_what_is_frozen_is_left_out():
    backbone = VisionTransformer(ARCH)
    backbone.patch_embed.requires_grad_(False)
    found = treatment(grouped(backbone, []))

    assert len(found) == len(BACKBONE) - 2
