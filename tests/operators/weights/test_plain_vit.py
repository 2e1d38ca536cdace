"""Files of DINO v1 and DeiT as their authors write them, and what does not fit."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import empty_vit
from operators.errors import WeightsError
from operators.weights import plain_vit
from operators.weights.catalogue import official_backbone
from operators.weights.inspection import inspect_weights, recognised
from operators.weights.load import load_backbone

DINO = replace(architecture("dino_vits8"), depth=2, grid=3)
DEIT = replace(architecture("deit_tiny_patch16_224"), depth=2, grid=3)
DISTILLED = replace(architecture("deit_tiny_distilled_patch16_224"), depth=2, grid=3)


def published(arch, *, drawn=None):
    """Tensors as the authors' files have them: without what DINOv2 has added."""
    drawn = random_tensors(arch, 1) if drawn is None else drawn
    out = {name: one for name, one in drawn.items() if not name.endswith((".gamma", "mask_token"))}
    heads = ("head", "head_dist") if arch.registers else ("head",)
    if arch.registers:
        out["dist_token"] = out.pop("register_tokens")
        place = torch.full((1, 1, arch.width), 0.25)
        out["pos_embed"] = torch.cat((out["pos_embed"][:, :1], place, out["pos_embed"][:, 1:]), 1)
    if arch.own_classifier:
        for head in heads:
            out[f"{head}.weight"] = torch.randn(1000, arch.width)
            out[f"{head}.bias"] = torch.randn(1000)
    return out


def whole_dino(arch):
    """A checkpoint of the training: the student first, which nobody measures."""
    teacher = {f"backbone.{name}": one for name, one in published(arch).items()}
    teacher |= {"head.mlp.0.weight": torch.ones(2, 2), "head.last_layer.weight_v": torch.ones(2, 2)}
    student = {f"module.{name}": torch.zeros_like(one) for name, one in teacher.items()}
    return {"student": student, "teacher": teacher, "epoch": 100, "args": Namespace(patch_size=8)}


@pytest.mark.parametrize(
    ("arch", "content"),
    [
        (DINO, published(DINO)),
        (DINO, whole_dino(DINO)),
        (DEIT, {"model": published(DEIT)}),
        (DISTILLED, {"model": published(DISTILLED), "args": Namespace(lr=1e-3)}),
        (DISTILLED, published(DISTILLED)),
    ],
    ids=["dino", "whole dino", "deit", "distilled", "bare distilled"],
)
def test_a_file_is_a_dinov2_whose_additions_change_nothing(arch, content, tmp_path) -> None:
    torch.save(content, tmp_path / "own.pth")
    loaded = load_backbone(arch, str(tmp_path / "own.pth"))
    want = random_tensors(arch, 1) | {"mask_token": torch.zeros(1, arch.width)}
    if arch.registers:
        want["register_tokens"] += 0.25
    got = loaded.model.state_dict()
    assert got.keys() == want.keys()
    assert all(torch.equal(got[name], want[name]) for name in want)
    assert all((one == 1).all() for name, one in got.items() if name.endswith(".gamma"))
    assert (loaded.untrained, loaded.name.rpartition("-")[0]) == (False, arch.name)


def test_what_a_training_has_learnt_of_it_is_kept(tmp_path) -> None:
    own = random_tensors(DINO, 2)
    own["blocks.0.ls1.gamma"] *= 0.5
    save_file(own, tmp_path / "own.safetensors")
    got = load_backbone(DINO, str(tmp_path / "own.safetensors")).model.state_dict()
    assert all(torch.equal(got[name], own[name]) for name in own)


WRONG = {
    "a DeiT for a DINO": (DEIT, replace(DINO, width=192, heads=3, patch=16), "head.weight"),
    "distilled for plain": (DISTILLED, DEIT, r"pos_embed is \[1, 11, 192\].*unexpected keys: dist"),
    "plain for distilled": (DEIT, DISTILLED, "missing keys: register_tokens"),
    "DINO for DINOv2": (
        DINO,
        replace(architecture("dinov2_vits14"), depth=2, grid=3),
        r"missing keys: blocks\.0\.ls1\.gamma",
    ),
    "patch of 8 for 16": (DINO, replace(DINO, patch=16), r"patch_embed\.proj\.weight is"),
}


@pytest.mark.parametrize(("given", "arch", "message"), WRONG.values(), ids=WRONG)
def test_another_file_is_refused_by_its_own_names(given, arch, message, tmp_path) -> None:
    torch.save({"model": published(given)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=rf"other\.pth: does not fit the model; .*{message}"):
        load_backbone(arch, str(tmp_path / "other.pth"))


@pytest.mark.parametrize(
    "name",
    [
        *("dino_vits16", "dino_vits8", "dino_vitb16", "dino_vitb8"),
        *("deit_tiny_patch16_224", "deit_small_patch16_224", "deit_base_patch16_224"),
        *("deit_tiny_distilled_patch16_224", "deit_base_distilled_patch16_384"),
    ],
)
def test_a_full_sized_file_is_known(name) -> None:
    arch, nothing = architecture(name), torch.zeros(1)  # of full shapes, and no memory
    drawn = {name: nothing.expand(one.shape) for name, one in empty_vit(arch).state_dict().items()}
    assert recognised(published(arch, drawn=drawn))[0] == name


@pytest.mark.slow
def test_a_file_that_is_another_model_says_which(tmp_path) -> None:
    drawn = published(architecture("deit_tiny_patch16_224"))
    torch.save({"model": drawn}, tmp_path / "deit.pth")
    facts = inspect_weights(tmp_path / "deit.pth")
    assert (facts["layout"], facts["model"]) == ("upstream", "deit_tiny_patch16_224")
    said = "it is deit_tiny_patch16_224: give --model deit_tiny_patch16_224"
    for other in ("dino_vits16", "dinov2_vits14", "deit_tiny_distilled_patch16_224"):
        with pytest.raises(WeightsError, match=said):
            load_backbone(architecture(other), str(tmp_path / "deit.pth"))


def test_an_official_file_is_held_to_its_name_or_its_hash(tmp_path, monkeypatch) -> None:
    """The same tensors, resized otherwise: only these tell them apart."""
    path = tmp_path / official_backbone("dino_vits16").file_name
    torch.save(published(DINO), path)
    said = "is by its name or sha256 dino_vits16, not deit_small_patch16_224; give --model dino_v"
    with pytest.raises(WeightsError, match=f"{re.escape(str(path))}: {said}"):
        load_backbone(architecture("deit_small_patch16_224"), str(path))

    renamed = path.rename(tmp_path / "mine.pth")
    monkeypatch.setattr("operators.weights.load.sha256_file", lambda _: "cd65a155" + 56 * "0")
    with pytest.raises(WeightsError, match="sha256 deit_small_patch16_224, not dino_vits16"):
        load_backbone(architecture("dino_vits16"), str(renamed))


@pytest.mark.parametrize("arch", [DEIT, DISTILLED], ids=["plain", "distilled"])
def test_classifiers_are_told_from_the_backbone(arch) -> None:
    tensors = published(arch)
    assert plain_vit.is_whole(tensors)
    assert plain_vit.classifiers(tensors).keys() == {
        name for name in tensors if name.startswith("head")
    }
    assert not plain_vit.is_whole(published(DINO))
    assert not plain_vit.is_whole({"head.weight": torch.ones(1)})


@pytest.mark.parametrize(
    "odd",
    [
        {"dist_token": torch.zeros(1, 1, 5)},
        {"pos_embed": torch.zeros(192)},
        {"pos_embed": torch.zeros(1, 1, 192)},
        {"dist_token": torch.tensor(1.0), "pos_embed": torch.tensor(1.0)},
    ],
    ids=["another width", "a row", "one place", "numbers"],
)
def test_a_distillation_token_that_does_not_fit_is_named(odd, tmp_path) -> None:
    torch.save({"model": published(DISTILLED) | odd}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"odd\.pth: does not fit the model; .*pos_embed|dist_"):
        load_backbone(DISTILLED, str(tmp_path / "odd.pth"))
