"""An EoMT's file: both ways to name its tensors, and what is not one that works."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.random_weights import random_tensors
from operators.detect.eomt import eomt_layout
from operators.errors import WeightsError
from operators.weights import eomt
from operators.weights.catalogue import official_backbone
from operators.weights.inspection import inspect_weights
from operators.weights.load import load_backbone

SMALL = replace(ARCHITECTURES["eomt_small_640"], depth=1, own_blocks=1, grid=3)
GATED = replace(SMALL, ffn="swiglu")


def tensors_of(arch):
    """All of a whole one, by the names that we use."""
    drawn = random_tensors(arch, 1) | {
        name: torch.randn(shape)
        for name, shape in eomt_layout(arch, queries=3, classes=2).items()
        if not name.startswith("norm.")
    }
    drawn["mask_token"].zero_()
    drawn["pos_embed"][:, 0] = 0
    return drawn


def as_its_authors_name_them(tensors):
    """The state dict of a training module whose network is timm's: models/eomt.py upstream."""
    whole = {"network.attn_mask_probs": torch.zeros(1), "criterion.empty_weight": torch.ones(3)}
    whole |= {f"network.encoder.pixel_{of}": torch.ones(1, 3, 1, 1) for of in ("mean", "std")}
    for name, tensor in tensors.items():
        if name == "mask_token":
            continue
        if name == "pos_embed":
            tensor = tensor[:, 1:]
        own = name.startswith(("q.", "class_head.", "mask_head.", "upscale."))
        name = name.replace("register_tokens", "reg_token")
        name = name.replace(".w12.", ".fc1.").replace(".w3.", ".fc2.")
        whole[f"network.{'' if own else 'encoder.backbone.'}{name}"] = tensor
    return whole


def as_transformers_names_them(tensors, gated=("gate_proj", "up_proj", "down_proj")):
    """Two ways for SwiGLU: its layers of today, and those of the first release."""
    plain = {
        "pos_embed": "embeddings.position_embeddings.weight",
        "patch_embed.proj": "embeddings.patch_embeddings.projection",
        "cls_token": "embeddings.cls_token",
        "register_tokens": "embeddings.register_tokens",
        **{"q.": "query.", "class_head": "class_predictor", "blocks.": "layers."},
        **{f"mask_head.{2 * i}": f"mask_head.fc{i + 1}" for i in range(3)},
        **{f"upscale.{i}.norm": f"upscale_block.block.{i}.layernorm2d" for i in range(2)},
        "upscale.": "upscale_block.block.",
        **{"attn.proj": "attention.out_proj", "gamma": "lambda1"},
        **{".ls1": ".layer_scale1", ".ls2": ".layer_scale2"},
    }
    whole = {"attn_mask_probs": torch.zeros(1), "criterion.empty_weight": torch.ones(3)}
    for name, tensor in tensors.items():
        if name == "mask_token":
            continue
        if name == "pos_embed":
            tensor = tensor[0, 1:]
        for ours, theirs in plain.items():
            name = name.replace(ours, theirs)
        if name.startswith("norm."):
            name = name.replace("norm.", "layernorm.")
        name = name.replace(".w3.", f".{gated[-1]}.")
        parts = {}
        if ".attn.qkv." in name:
            stem, _, kind = name.partition(".attn.qkv.")
            parts = {f"{stem}.attention.{of}_proj.{kind}": of for of in "qkv"}
        elif ".w12." in name:
            parts = {name.replace(".w12.", f".{of}."): of for of in gated[:-1]}
        whole |= dict(zip(parts or [name], tensor.chunk(len(parts) or 1), strict=True))
    return whole


@pytest.mark.parametrize("arch", [SMALL, GATED], ids=lambda arch: arch.ffn)
@pytest.mark.parametrize(
    "named",
    [
        as_its_authors_name_them,
        as_transformers_names_them,
        lambda tensors: as_transformers_names_them(tensors, ("weights_in", "weights_out")),
    ],
    ids=["authors", "transformers", "transformers of 2025"],
)
def test_every_name_becomes_ours(arch, named) -> None:
    want = tensors_of(arch)
    whole = named(want)
    assert eomt.is_whole(whole)
    assert not eomt.still_masked(whole)
    trunk, head = eomt.trunk(whole, arch.depth), eomt.decoder(whole, arch.depth)
    assert trunk.keys() == random_tensors(arch, 0).keys()
    assert head.keys() == eomt_layout(arch, queries=3, classes=2).keys()
    assert eomt.is_decoder(head)
    assert not eomt.is_decoder(trunk)
    for name, tensor in (trunk | head).items():
        assert torch.equal(tensor, want[name]), name


def test_a_stranger_is_reported_by_its_name(tmp_path) -> None:
    path = tmp_path / "odd.pth"
    torch.save(as_its_authors_name_them(tensors_of(SMALL)) | {"ema": torch.ones(1)}, path)
    with pytest.raises(WeightsError, match="unexpected keys: ema"):
        load_backbone(SMALL, str(path))


def test_a_training_that_did_not_end_is_refused(tmp_path) -> None:
    path = tmp_path / "early.safetensors"
    whole = as_transformers_names_them(tensors_of(SMALL)) | {"attn_mask_probs": torch.tensor([0.3])}
    save_file({name: tensor.contiguous() for name, tensor in whole.items()}, path)
    with pytest.raises(WeightsError, match=r"still masks its attention.*take its last checkpoint"):
        load_backbone(SMALL, str(path))


def test_its_licence_is_shown(tmp_path, caplog) -> None:
    path = tmp_path / "whole.pth"
    torch.save(as_its_authors_name_them(tensors_of(SMALL)), path)
    with caplog.at_level("INFO"):
        loaded = load_backbone(SMALL, str(path))
    assert loaded.name.startswith("eomt_small_640-")
    assert "an EoMT; its authors' files are under the licence MIT" in caplog.text


def test_nothing_is_fetched_whose_hash_nobody_knows() -> None:
    with pytest.raises(WeightsError, match=r"not fetched.*tue-mps.*--weights PATH and --head"):
        official_backbone("eomt_large_640")


@pytest.mark.slow
def test_a_look_into_a_file_tells_its_model(tmp_path) -> None:
    path = tmp_path / "whole.pth"
    torch.save(as_its_authors_name_them(tensors_of(ARCHITECTURES["eomt_small_640"])), path)
    facts = inspect_weights(path)
    assert (facts["layout"], facts["model"]) == ("EoMT", "eomt_small_640")
