"""A DeiT's classifiers as one head of `classify`: the mean of both, and refusals.

That the whole answers as DeiT does: tests/operators/backbones/test_parity_dino_deit.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from operators.backbones.architectures import Architecture, architecture
from operators.errors import UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.vector.classify import build_classify
from operators.weights import heads
from operators.weights.digest import sha256_file
from operators.weights.download import CachedFile
from operators.weights.head_request import HeadRequest, MissingHead

DISTILLED = replace(architecture("deit_tiny_distilled_patch16_224"), depth=2)


def saved(path: Path, classes: int = 1000, **other: torch.Tensor) -> Path:
    """A whole file as DeiT's authors write it, as far as heads are concerned."""
    width = DISTILLED.width
    tensors = {"pos_embed": torch.zeros(1, 2, width), "dist_token": torch.zeros(1, 1, width)}
    draw = torch.Generator().manual_seed(2)
    for head in ("head", "head_dist"):
        tensors[f"{head}.weight"] = torch.randn(classes, width, generator=draw)
        tensors[f"{head}.bias"] = torch.randn(classes, generator=draw)
    kept = {name: one for name, one in (tensors | other).items() if one.numel()}
    torch.save({"model": kept}, path)
    return path


def request(path: Path, arch: Architecture = DISTILLED, **options: Any) -> HeadRequest:
    known = {"backbone_sha256": sha256_file(path), "choice": str(path)}
    return HeadRequest(**({"operator": "classify", "architecture": arch} | known | options))


def test_it_says_the_mean_of_what_both_say(
    tmp_path: Path, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> None:
    path = saved(tmp_path / "deit.pth")
    classify = build_classify({}, request(path))
    plain = features_of([frame(0), frame(1)], DISTILLED)
    registers = {1: torch.randn(len(plain.cls), 1, DISTILLED.width)}
    norm = torch.nn.LayerNorm(DISTILLED.width).requires_grad_(False)
    features = replace(plain, registers=registers, norm=norm)

    got = classify.logits(features, slice(2))

    own = torch.load(path, weights_only=True)["model"]
    first = plain.cls[:2] @ own["head.weight"].T + own["head.bias"]
    second = norm(registers[1][:2, 0]) @ own["head_dist.weight"].T + own["head_dist.bias"]
    torch.testing.assert_close(got, (first + second) / 2, rtol=0, atol=1e-4)
    assert (classify.layers, classify.untrained) == ((1,), False)
    assert classify.head_sha256 == sha256_file(path)


def test_it_belongs_to_the_backbone_in_its_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "deit.pth")
    with pytest.raises(WeightsError, match=r"deit\.pth: was trained on the backbone with sha256"):
        build_classify({}, request(path, backbone_sha256="a" * 64))
    with pytest.raises(WeightsError, match="was trained on the backbone with sha256"):
        build_classify({}, request(path, random_seed=0, backbone_sha256="a" * 64))


def test_it_is_fetched_for_the_weights_that_it_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "deit.pth")
    monkeypatch.setattr(heads, "fetch", lambda file, folder: CachedFile(path, sha256_file(path)))
    build_classify({}, request(path, choice="deit"))
    with pytest.raises(WeightsError, match=r"deit\.pth: was trained on the backbone with sha256"):
        build_classify({}, request(path, choice="deit", backbone_sha256="a" * 64))

    monkeypatch.delattr(heads, "fetch")  # nothing is fetched for nothing
    with pytest.raises(UsageError, match="a trained head says nothing on random weights"):
        build_classify({}, request(path, choice="deit", random_seed=0))


def test_it_is_for_classify_alone(tmp_path: Path) -> None:
    path = saved(tmp_path / "deit.pth")
    with pytest.raises(WeightsError, match="--head depth: a DeiT's file has a head for classify "):
        heads.trained_head(request(path, operator="depth"))


def test_who_gives_it_no_head_is_told_where_it_lies() -> None:
    bare = {"architecture": DISTILLED, "backbone_sha256": "a" * 64}
    with pytest.raises(MissingHead, match=r"lies in its weights' file: --head classify=deit besid"):
        build_classify({}, HeadRequest("classify", **bare))
    elder = HeadRequest("classify", architecture("dino_vits16"), "a" * 64)
    with pytest.raises(MissingHead, match="it has no head; give one with --head classify=PATH"):
        build_classify({}, elder)


def test_files_that_do_not_do_are_refused(tmp_path: Path) -> None:
    few = saved(tmp_path / "few.pth", classes=7)
    with pytest.raises(WeightsError, match=r"few\.pth: .*of 7 classes, .* fit classify"):
        build_classify({}, request(few))
    wrong = {
        r"missing keys: head_dist\.bias": {"head_dist.bias": torch.zeros(0)},
        r"head_dist\.weight is \[3, 192\]": {"head_dist.weight": torch.zeros(3, 192)},
        r"head\.weight is \[1000, 384\]": {"head.weight": torch.zeros(1000, 384)},
    }
    for message, other in wrong.items():
        path = saved(tmp_path / "odd.pth", **other)
        with pytest.raises(WeightsError, match=rf"odd\.pth: .*{message}"):
            build_classify({}, request(path))
    plain = replace(architecture("deit_tiny_patch16_224"), depth=2)
    with pytest.raises(WeightsError, match=r"unexpected keys: head_dist\.bias"):
        build_classify({}, request(saved(tmp_path / "both.pth"), plain))
