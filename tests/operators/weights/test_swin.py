"""A Swin's file: backbone and classifier of one, by either names, and what is refused."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from operators.backbones import architectures
from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.backbones.preprocess import normalise
from operators.backbones.swin import empty_swin, separation
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch
from operators.registry import build_operator
from operators.weights import catalogue
from operators.weights.catalogue import CATALOGUE, licence_of, official_backbone, official_head
from operators.weights.head_request import HeadRequest, MissingHead
from operators.weights.heads import trained_head
from operators.weights.inspection import inspect_weights
from operators.weights.load import load_backbone
from operators.weights.official_file import OfficialFile
from operators.weights.swin import backbone, classifier, is_whole
from tests.operators.swin_twin import SMALL, Twin

pytestmark = pytest.mark.slow
NAME = "swin_tiny_patch4_window7_224"


@pytest.fixture
def twin(fill) -> Twin:
    return Twin(SMALL, fill)


@pytest.fixture
def hugging_face(twin, tmp_path):
    return twin.save(tmp_path)


def upstream(path):
    """All that a published file has, by its names."""
    named = load_file(path)
    state = {**backbone(named), **{f"head.{k}": v for k, v in classifier("it", named).items()}}
    blocks = [name.partition(".attn.")[0] for name in state if name.endswith(".attn.qkv.weight")]
    for block in blocks:
        state[f"{block}.attn.relative_position_index"] = torch.zeros(49, 49, dtype=torch.int64)
        if block.endswith("blocks.1") and "layers.3" not in block:
            state[f"{block}.attn_mask"] = separation((14, 14), 7, 3)
    return state


@pytest.fixture
def published(hugging_face, tmp_path):
    path = tmp_path / "mine.pth"
    torch.save({"model": upstream(hugging_face)}, path)
    return path


def classify(path, loaded, **other):
    known = {"architecture": SMALL, "backbone_sha256": loaded.sha256, "head": str(path)}
    return build_operator("classify", {"top": 3}, **known | other)


def test_both_layouts_are_the_same_tensors(hugging_face, published, caplog):
    with caplog.at_level(logging.INFO):
        one, other = (load_backbone(SMALL, str(path)) for path in (hugging_face, published))

    theirs, ours = one.model.state_dict(), other.model.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)
    assert f"{published}: a Swin; its authors' files are under the licence MIT" in caplog.text
    assert not other.untrained


@pytest.mark.parametrize("size_hw", [(224, 224), (288, 256)], ids=str)
def test_its_own_classifier_says_what_transformers_says(size_hw, twin, published, frame):
    loaded = load_backbone(SMALL, str(published))
    draw = np.random.default_rng(1)
    pixels = draw.integers(0, 256, (1, *size_hw, 3), dtype=np.uint8)
    want = twin.logits(normalise(torch.from_numpy(pixels), torch.float32))
    operator, run = classify(published, loaded), Backbone(loaded, batch_size=1)
    operator.load(torch.device("cpu"), torch.float32)

    features = run(FrameBatch((frame(0),), pixels))

    assert (operator.logits(features, slice(0, 1)) - want).abs().max() <= 1e-4
    (result,) = operator(features)
    run.close()
    best = int(want[0].argmax())
    assert f'"id":{best},' in result.data.decode().partition("}")[0]
    assert operator.head_sha256 == loaded.sha256


def test_a_file_of_other_classes_is_a_backbone_alone(fill, tmp_path):
    path = Twin(SMALL, fill, classes=21841).save(tmp_path)
    loaded = load_backbone(SMALL, str(path))

    with pytest.raises(WeightsError, match=r"this has a classifier of 21841 .* alone"):
        classify(path, loaded)


def test_a_file_without_a_classifier_is_a_backbone_alone(hugging_face, tmp_path):
    path = tmp_path / "headless.safetensors"
    named = load_file(hugging_face)
    save_file({name: one for name, one in named.items() if "classifier" not in name}, path)

    with pytest.raises(WeightsError, match="this has none; take it for --weights alone and fit"):
        classify(path, load_backbone(SMALL, str(path)))


@pytest.mark.parametrize("of", ["weight", "bias"])
def test_a_classifier_of_no_shape_is_refused(of, hugging_face, tmp_path):
    path = tmp_path / "odd.safetensors"
    save_file(load_file(hugging_face) | {f"classifier.{of}": torch.tensor(1.0)}, path)

    with pytest.raises(WeightsError, match=r"odd\.safetensors: "):
        classify(path, load_backbone(SMALL, str(path)))


def test_its_classifier_reads_no_other_backbone(published, hugging_face):
    other = load_backbone(SMALL, str(hugging_face))
    with pytest.raises(WeightsError, match="was trained on the backbone with sha256"):
        classify(published, other)
    with pytest.raises(UsageError, match="--head classify=random needs --weights random"):
        classify("random", other)


def test_other_operators_are_told_what_its_head_is_for(published):
    loaded = load_backbone(SMALL, str(published))
    request = HeadRequest("depth", SMALL, loaded.sha256, str(published))
    with pytest.raises(
        WeightsError, match="a head for classify, none for depth; fit one with dinostream fit depth"
    ):
        trained_head(request)


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        (architecture(NAME), r"patch_embed.proj.weight is \[32, 3, 4, 4\], the model has \[96"),
        (replace(SMALL, window=12), r"bias_table is \[169, 1\], the model has \[529, 1\]"),
        (architecture("dinov2_vits14"), "missing keys: blocks.0.attn.proj.bias"),
    ],
    ids=lambda given: getattr(given, "name", None),
)
def test_a_file_of_another_model_is_refused_by_its_names_and_shapes(arch, message, published):
    with pytest.raises(WeightsError, match=f"{published}: does not fit the model; .*{message}"):
        load_backbone(arch, str(published))


def test_a_dinov2_is_no_swin(tmp_path):
    path = tmp_path / "vit.pth"
    torch.save({"cls_token": torch.zeros(1, 1, 384)}, path)
    with pytest.raises(WeightsError, match=r"missing keys: layers\.0.* unexpected keys: cls_token"):
        load_backbone(SMALL, str(path))
    table = torch.zeros(732, 12)
    assert not is_whole({"blocks.0.attn.relative_position_bias_table": table}), "a BEiT"


def test_inspect_knows_one(tmp_path):
    path = tmp_path / "a.safetensors"
    empty = empty_swin(architecture(NAME)).state_dict()
    save_file({name: torch.zeros(one.shape).half() for name, one in empty.items()}, path)
    facts = inspect_weights(path)
    assert (facts["layout"], facts["model"]) == ("Swin", NAME)


def test_official_files_lie_where_upstreams_page_links_them():
    host = "https://github.com/SwinTransformer/storage/releases/download/v1.0.0"
    files = [file for file in CATALOGUE if file.model.startswith("swin_")]

    assert len(files) == 6
    assert {(file.purpose, file.licence, file.sha256) for file in files} == {
        ("backbone", "MIT", None)
    }
    assert official_backbone(NAME).url == f"{host}/{NAME}.pth"
    large = "swin_large_patch4_window7_224"
    assert official_backbone(large).url == f"{host}/{large}_22kto1k.pth"
    assert official_head("classify", large, "swin") == official_backbone(large)
    assert licence_of(f"{NAME}.pth", "") == "MIT"
    with pytest.raises(WeightsError, match="no official classify head 'swin' for dinov2_vits14"):
        official_head("classify", "dinov2_vits14", "swin")


def test_its_head_by_name_is_the_backbones_file(published, monkeypatch):
    loaded = load_backbone(SMALL, str(published))
    monkeypatch.setitem(architectures.ARCHITECTURES, SMALL.name, SMALL)
    file = OfficialFile("https://no-such-host.invalid/mine.pth", "backbone", SMALL.name)
    monkeypatch.setattr(catalogue, "CATALOGUE", (file,))
    head = trained_head(
        HeadRequest("classify", SMALL, loaded.sha256, "swin", cache_dir=published.parent)
    )
    assert head.sha256 == loaded.sha256
    assert head.tensors["weight"].shape == (1000, 256)
    drawn = HeadRequest("classify", SMALL, loaded.sha256, "swin", 0, published.parent / "none")
    with pytest.raises(UsageError, match="a trained head says nothing on random weights"):
        trained_head(drawn)


def test_a_job_without_its_head_is_told_its_name():
    request = HeadRequest("classify", architecture(NAME), "0" * 64)
    with pytest.raises(MissingHead, match="--head classify=swin beside --weights auto"):
        _ = request.wants_random
