"""Classify: parity with upstream's classifiers, records, heads of one's own, and refusals."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.vit import VisionTransformer
from operators.errors import DinostreamError, UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.vector.classify import Classify, build_classify
from operators.vector.frame_vector import FrameVector
from operators.weights.head_request import HeadRequest, MissingHead

DATA = Path(__file__).parents[1] / "data"
HASH = "a" * 64


@pytest.fixture(scope="module")
def recipe() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(DATA / "make_head_goldens.py")))


def request(arch: Architecture, **options: Any) -> HeadRequest:
    return HeadRequest("classify", arch, HASH, **options)


def official(recipe: SimpleNamespace, arch: Architecture, blocks: int, path: Path) -> Path:
    """A file as upstream publishes them, with the goldens' seeded numbers."""
    arrays = recipe.seeded_head({"weight": (1000, (1 + blocks) * arch.width), "bias": (1000,)})
    torch.save({name: torch.from_numpy(one) for name, one in arrays.items()}, path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize("kind", ["plain", "reg"])
def test_backbone_and_head_compute_what_upstreams_classifier_does(
    recipe: SimpleNamespace,
    vit_recipe: SimpleNamespace,
    fill: Callable[[torch.nn.Module], VisionTransformer],
    frame: Callable[..., FrameInfo],
    tmp_path: Path,
    kind: str,
    blocks: int,
) -> None:
    arch = ARCHITECTURES["dinov2_vits14_reg" if kind == "reg" else "dinov2_vits14"]
    path = official(recipe, arch, blocks, tmp_path / "imagenet.pth")
    classify = build_classify({}, request(arch, choice=str(path)))
    model = fill(VisionTransformer(arch))
    height, width = recipe.SIZES_HW[0]

    with torch.inference_mode():
        pixels = torch.from_numpy(vit_recipe.seeded_pixels((height, width)))
        normed, kept = model(pixels, classify.layers)
        first, grid = 1 + arch.registers, (height // 14, width // 14)
        layers = {b: (t[:, first:].unflatten(1, grid), t[:, 0]) for b, t in kept.items()}
        patches = normed[:, first:].unflatten(1, grid)
        features = Features((frame(0),), normed[:, 0], patches, layers, model.norm)
        got = classify.logits(features, slice(1))[0][::10].numpy()

    with np.load(DATA / "head_goldens.npz") as goldens:
        np.testing.assert_allclose(got, goldens[f"classify/{kind}/{blocks}"], rtol=0, atol=1e-4)


def saved(path: Path, arch: Architecture, reads: FrameVector, **facts: Any) -> str:
    """A head of our own over three classes, that takes to the class of the largest of 3 numbers."""
    weight = torch.zeros(3, reads.width(arch))
    weight[:, :3] = 4 * torch.eye(3)
    header = {
        **{"format": 1, "operator": "classify", "backbone": HASH, "labels": ["a", "b", "c"]},
        **{"vector": reads.to_json()},
        **facts,
    }
    tensors = {"classifier.weight": weight, "classifier.bias": torch.zeros(3)}
    save_file(tensors, path, {"dinostream": json.dumps(header)})
    return str(path)


def test_a_record_per_frame_with_the_best_labels(
    tmp_path: Path,
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector())
    classify = build_classify({"top": 2}, request(tiny, choice=path))
    classify.load(torch.device("cpu"), torch.float32)
    features = features_of([frame(0), frame(1)], tiny)

    results = classify(features)

    assert [(r.info, r.operator, r.content_type) for r in results] == [
        (frame(n), "classify", "application/json") for n in (0, 1)
    ]
    for row, result in enumerate(results):
        scores = (4 * features.cls[row, :3]).softmax(0)
        labels = json.loads(result.data)["labels"]
        order = scores.argsort(descending=True)[:2].tolist()
        assert [(one["id"], one["name"]) for one in labels] == [(n, "abc"[n]) for n in order]
        got = [one["score"] for one in labels]
        np.testing.assert_allclose(got, scores[order], atol=1e-6)


def test_below_its_thresholds_a_head_says_nothing(
    tmp_path: Path,
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    own = saved(tmp_path / "own.safetensors", tiny, FrameVector(), thresholds=[2, 2, 2])
    plain = saved(tmp_path / "plain.safetensors", tiny, FrameVector())
    for path, settings in ((own, {}), (plain, {"threshold": 1.0})):
        classify = build_classify(settings, request(tiny, choice=path))
        (result,) = classify(features_of([frame(0)], tiny))
        assert json.loads(result.data) == {"labels": []}
    talkative = build_classify({"threshold": 0.0}, request(tiny, choice=own))
    assert len(json.loads(talkative(features_of([frame(0)], tiny))[0].data)["labels"]) == 3


def test_a_head_may_want_vectors_of_length_one(
    tmp_path: Path,
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    features = features_of([frame(0)], tiny)
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector(), unit_vectors=True)
    (got,) = build_classify({}, request(tiny, choice=path)).logits(features, slice(1))
    torch.testing.assert_close(got, 4 * features.cls[0, :3] / features.cls[0].norm())


def test_a_frames_record_does_not_depend_on_batch_mates_or_padding(
    tmp_path: Path,
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector(mean_patch=True))
    classify = build_classify({}, request(tiny, choice=path))
    frames = [frame(number) for number in range(8)]
    together = classify(features_of(frames, tiny))
    for number, info in enumerate(frames):
        assert classify(features_of([info], tiny, batch_size=3)) == [together[number]]


def test_nan_is_an_error_of_its_frame(
    tmp_path: Path,
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector())
    features = features_of([frame(0), frame(1)], tiny)
    features.cls[1, 2] = torch.nan
    with pytest.raises(DinostreamError, match="classify: frame 18000 of cam"):
        build_classify({}, request(tiny, choice=path))(features)


def test_a_random_head_says_so(tiny: Architecture) -> None:
    classify = build_classify({}, request(tiny, random_seed=0))
    assert classify.untrained
    assert classify.layers == (8, 9, 10, 11)
    assert classify.settings()["vector"] == {"blocks": 4, "mean_patch": True}
    with pytest.raises(MissingHead, match="classify does not run"):
        build_classify({}, request(tiny))


OFFICIAL = {
    "dinov2_vits14_linear_head.pth": (),
    "dinov2_vits14_linear4_head.pth": (8, 9, 10, 11),
    "dinov2_vits14_reg4_linear_head.pth": (),
    "dinov2_vits14_reg4_linear4_head.pth": (8, 9, 10, 11),
}
PLAIN_SHA256 = "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"


@pytest.mark.parametrize(("name", "layers"), OFFICIAL.items())
def test_an_official_file_is_known_by_its_name_and_brings_imagenets_labels(
    recipe: SimpleNamespace, tmp_path: Path, name: str, layers: tuple[int, ...]
) -> None:
    arch = ARCHITECTURES["dinov2_vits14_reg" if "_reg4_" in name else "dinov2_vits14"]
    path = official(recipe, arch, len(layers) or 1, tmp_path / name)
    classify = build_classify({}, HeadRequest("classify", arch, PLAIN_SHA256, str(path)))
    assert isinstance(classify, Classify)
    assert (classify.layers, classify.untrained) == (layers, False)


@pytest.mark.parametrize("name", [name for name in OFFICIAL if "_reg4_" not in name])
def test_an_official_file_of_another_backbone_is_refused(
    recipe: SimpleNamespace, tmp_path: Path, name: str
) -> None:
    arch = ARCHITECTURES["dinov2_vits14"]
    path = official(recipe, arch, len(OFFICIAL[name]) or 1, tmp_path / name)
    with pytest.raises(WeightsError, match="was trained on the backbone with sha256 b938bf1b"):
        build_classify({}, request(arch, choice=str(path)))


def test_heads_that_do_not_fit_are_refused(tmp_path: Path, tiny: Architecture) -> None:
    torch.save({"weight": torch.zeros(1000, 7), "bias": torch.zeros(1000)}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"odd\.pth: .*reads 7 numbers; official heads read 384"):
        build_classify({}, request(tiny, choice=str(tmp_path / "odd.pth")))
    torch.save({"weight": torch.zeros(7, 384), "bias": torch.zeros(7)}, tmp_path / "few.pth")
    with pytest.raises(WeightsError, match=r"few\.pth: .*its header must list labels"):
        build_classify({}, request(tiny, choice=str(tmp_path / "few.pth")))
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector(), vector={"blocks": 2})
    with pytest.raises(WeightsError, match=r"classifier\.weight is \[3, 192\].* \[3, 384\]"):
        build_classify({}, request(tiny, choice=path))
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector(), vector={"layers": 2})
    with pytest.raises(WeightsError, match=r"its header says vector .*got layers too"):
        build_classify({}, request(tiny, choice=path))
    path = saved(tmp_path / "own.safetensors", tiny, FrameVector(), labels=["a", "b"])
    with pytest.raises(WeightsError, match=r"classifier\.weight is \[3, 192\]"):
        build_classify({}, request(tiny, choice=path))
    with pytest.raises(UsageError, match="classify has no setting 'tops'; did you mean top"):
        build_classify({"tops": 1}, request(tiny, choice=path))
