"""Frames, patches and words: upstream's vision head in float64 behind a real backbone, square and
not; both operators on one pass; heads and backbones that do not belong together.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import EXACT, Choice
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch
from operators.segmentation.operator import build_segmentation
from operators.vector.classify import build_classify
from operators.weights.head_request import HeadRequest
from operators.weights.heads import trained_head
from operators.weights.load import load_backbone
from operators.words.vision_head import VisionHead, vision_head_layout

MAX_ERROR = 1e-4
BLOCKS = (1,)


@pytest.fixture(scope="module")
def arch():
    return Architecture("dinov2_small_reg", width=128, depth=2, heads=2, registers=4, grid=5)


@pytest.fixture(scope="module")
def loaded(files, arch):
    return load_backbone(arch, str(files.backbone))


@pytest.fixture
def texts():
    return torch.randn(3, 256, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def seen(loaded, frame):
    """`seen((3, 5))`: features of two frames of so many patches."""
    opened = []

    def made(grid, choice=EXACT):
        size = (2, 14 * grid[0], 14 * grid[1], 3)
        pixels = np.random.default_rng(3).integers(0, 256, size, dtype=np.uint8)
        backbone = Backbone(loaded, blocks=BLOCKS, batch_size=3, choice=choice)
        opened.append(backbone)
        return backbone(FrameBatch((frame(0), frame(1)), pixels))

    yield made
    for backbone in opened:
        backbone.close()


@pytest.fixture
def wanted(files, twin_vision):
    """What upstream's vision head makes of features: class token and patches, float64."""

    def of(features):
        norm = features.norm
        parts = (features.cls[:, None], norm(features.registers[1]), features.patches.flatten(1, 2))
        tokens = twin_vision(files.vision, torch.cat(parts, dim=1))
        return tokens[:2, 0], tokens[:2, 5:].unflatten(1, features.patches.shape[1:3])

    return of


def request(operator, arch, loaded, path):
    return HeadRequest(operator, arch, loaded.sha256, str(path))


def ready(operator):
    operator.load(torch.device("cpu"), torch.float32)
    return operator


@pytest.mark.parametrize("grid", [(5, 5), (3, 6), (1, 1)])
def test_frames_are_held_against_words_as_upstream_does(
    arch, loaded, seen, wanted, word_head, texts, grid
):
    path, features = word_head(loaded.sha256, texts), seen(grid)
    classify = ready(build_classify({}, request("classify", arch, loaded, path)))
    cls, patches = wanted(features)
    vectors = torch.cat((cls, patches.flatten(1, 2).mean(dim=1)), dim=1)
    want = 10 * F.normalize(vectors, dim=1) @ F.normalize(texts.double(), dim=1).T
    got = torch.cat([classify.logits(features, slice(row, row + 1)) for row in range(2)])
    assert want.abs().max() > 0.3
    assert (got - want).abs().max().item() <= MAX_ERROR
    first, second = classify(features)
    said = json.loads(first.data)["labels"]
    likely = want[0].softmax(dim=0)
    assert sum(one["score"] for one in said) == pytest.approx(1, abs=1e-5)
    assert {one["name"]: one["id"] for one in said} == {
        "person": 0,
        "forklift": 1,
        "empty floor": 2,
    }
    assert [one["score"] for one in said] == pytest.approx(
        sorted(likely.tolist(), reverse=True), abs=1e-5
    )
    assert second.info != first.info


@pytest.mark.parametrize("grid", [(5, 5), (3, 6)])
def test_patches_are_held_against_the_second_half(
    arch, loaded, seen, wanted, word_head, texts, grid
):
    path, features = word_head(loaded.sha256, texts), seen(grid)
    segmentation = ready(build_segmentation({}, request("segmentation", arch, loaded, path)))
    _, patches = wanted(features)
    half = F.normalize(F.normalize(texts.double(), dim=1)[:, 128:], dim=1)
    coarse = 10 * F.normalize(patches, dim=-1) @ half.T
    size = [4 * side for side in grid]
    want = F.interpolate(coarse.permute(0, 3, 1, 2), size=size, mode="bilinear")
    got = torch.cat([segmentation.scores(features, slice(row, row + 1)) for row in range(2)])
    assert (got - want.permute(0, 2, 3, 1)).abs().max().item() <= MAX_ERROR
    picture, summary, *_ = segmentation(features)
    assert picture.attributes == summary.attributes == {"labelset": "words-0"}
    assert segmentation.label_sets()["words-0"][1] == {
        "id": 1,
        "name": "forklift",
        "rgb": [1, 9, 99],
    }


def test_both_operators_compute_the_vision_head_once(
    arch, loaded, seen, word_head, texts, monkeypatch
):
    path, features = word_head(loaded.sha256, texts), seen((2, 3))
    computed = []
    once = VisionHead._tokens
    monkeypatch.setattr(
        VisionHead, "_tokens", lambda *given: computed.append(given[2]) or once(*given)
    )
    ready(build_classify({}, request("classify", arch, loaded, path)))(features)
    ready(build_segmentation({}, request("segmentation", arch, loaded, path)))(features)
    assert len(computed) == 2  # a frame each


def test_batch_mates_change_nothing_and_rounding_little(arch, loaded, seen, word_head, texts):
    path = word_head(loaded.sha256, texts)
    classify = ready(build_classify({}, request("classify", arch, loaded, path)))
    features = seen((3, 5))
    one = classify.logits(features, slice(1, 2))
    turned = features.take([1, 0])
    assert torch.equal(classify.logits(turned, slice(0, 1)), one)
    rounded = classify.logits(seen((3, 5), Choice("torch", torch.bfloat16, "")), slice(1, 2))
    assert 0 < (rounded - one).abs().max().item() < 0.2


def test_small_tokens_tell_upstreams_epsilon_from_the_backbones(
    arch, loaded, seen, word_head, texts, wanted
):
    features = seen((2, 2))
    norm = features.norm
    quiet = replace(
        features,
        cls=features.cls * 0.01,
        patches=features.patches * 0.01,
        norm=lambda tokens: norm(tokens) * 0.01,
    )
    head = trained_head(request("classify", arch, loaded, word_head(loaded.sha256, texts)))
    vision = VisionHead(head, arch)
    got = vision(quiet, slice(0, 2))
    for ours, upstreams in zip(got, wanted(quiet), strict=True):
        assert (ours - upstreams).abs().max().item() <= MAX_ERROR


def test_a_head_runs_on_its_backbone_alone(arch, loaded, word_head, texts):
    path = word_head("0" * 64, texts)
    for build, operator in ((build_classify, "classify"), (build_segmentation, "segmentation")):
        with pytest.raises(WeightsError, match=r"was trained on the backbone with sha256 0{64}"):
            build({}, request(operator, arch, loaded, path))
    path = word_head(loaded.sha256, texts)
    with pytest.raises(WeightsError, match="header says operator 'words', expected 'depth'"):
        trained_head(request("depth", arch, loaded, path))
    plain = replace(arch, name="dinov2_small", registers=0)
    with pytest.raises(WeightsError, match=r"register tokens, which dinov2_small has none of"):
        build_classify({}, request("classify", plain, loaded, path))
    wide = replace(arch, width=192, heads=3)
    with pytest.raises(
        WeightsError, match=r"qkv\.weight is \[384, 128\], the model has \[576, 192\]"
    ):
        build_classify({}, request("classify", wide, loaded, path))


def test_headers_that_do_not_fit_are_refused(arch, loaded, word_head, texts):
    path = word_head(loaded.sha256, texts[:2])
    with pytest.raises(WeightsError, match=r"texts is \[2, 256\], the model has \[3, 256\]"):
        build_segmentation({}, request("segmentation", arch, loaded, path))
    for scale in (None, 0, -1, True, "10", 10**400):
        path = word_head(loaded.sha256, texts, logit_scale=scale)
        with pytest.raises(WeightsError, match="must say logit_scale, a number above 0 and up"):
            build_classify({}, request("classify", arch, loaded, path))
    path = word_head(loaded.sha256, texts, labels=[{"id": 0}] * 3)
    with pytest.raises(WeightsError, match="want the names of the classes"):
        build_classify({}, request("classify", arch, loaded, path))


def test_upstreams_own_files_are_no_heads(files, arch, loaded):
    for path in (files.vision_head, files.text_encoder):
        for operator in ("classify", "segmentation"):
            with pytest.raises(WeightsError, match=r"a part of dino\.txt.*dinostream fit words"):
                trained_head(request(operator, arch, loaded, path))


def test_kept_features_without_registers_are_refused(arch, loaded, word_head, texts, seen):
    path, features = word_head(loaded.sha256, texts), replace(seen((2, 2)), registers=None)
    classify = ready(build_classify({}, request("classify", arch, loaded, path)))
    with pytest.raises(UsageError, match="reads register tokens, which features have in a job"):
        classify.logits(features, slice(1))


def test_it_fits_the_published_sizes():
    layout = vision_head_layout(ARCHITECTURES["dinov2_vitl14_reg"], 2)
    assert len(layout) == 2 * 15 + 2
    assert layout["block_list.1.mlp.w3.weight"] == (1024, 2752)
