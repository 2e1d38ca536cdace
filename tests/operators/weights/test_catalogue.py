"""The table of official files against what upstream's hub code and the design say."""

from __future__ import annotations

import pytest

from operators.backbones.architectures import ARCHITECTURES
from operators.errors import WeightsError
from operators.weights.catalogue import (
    CATALOGUE,
    belongs_to,
    licence_of,
    official_backbone,
    official_head,
    official_model,
)
from operators.weights.depth_anything_files import DEPTH_ANYTHING, WHOLE_MODELS
from operators.weights.official_file import OfficialFile

FILES = "https://dl.fbaipublicfiles.com"
HOST = f"{FILES}/dinov2"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("dinov2_vits14", "dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth"),
        ("dinov2_vitg14", "dinov2/dinov2_vitg14/dinov2_vitg14_pretrain.pth"),
        ("dinov2_vitb14_reg", "dinov2/dinov2_vitb14/dinov2_vitb14_reg4_pretrain.pth"),
        ("dino_vits8", "dino/dino_deitsmall8_pretrain/dino_deitsmall8_pretrain.pth"),
        ("dino_vitb16", "dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth"),
        ("deit_tiny_patch16_224", "deit/deit_tiny_patch16_224-a1311bcf.pth"),
        (
            "deit_base_distilled_patch16_384",
            "deit/deit_base_distilled_patch16_384-d0272ac0.pth",
        ),
    ],
)
def test_backbones_lie_where_upstreams_hub_code_looks(model, path):
    file = official_backbone(model)

    assert file.url == f"{FILES}/{path}"
    assert file.file_name == path.rsplit("/", 1)[-1]
    assert (file.purpose, file.licence) == ("backbone", "Apache-2.0")


@pytest.mark.parametrize(
    ("operator", "model", "head", "file_name"),
    [
        ("depth", "dinov2_vits14", "nyu-linear", "dinov2_vits14_nyu_linear_head.pth"),
        ("depth", "dinov2_vitl14", "kitti-linear4", "dinov2_vitl14_kitti_linear4_head.pth"),
        ("segmentation", "dinov2_vitg14", "ade20k-linear", "dinov2_vitg14_ade20k_linear_head.pth"),
        (
            "segmentation",
            "dinov2_vitb14",
            "voc2012-linear",
            "dinov2_vitb14_voc2012_linear_head.pth",
        ),
        ("depth", "dinov2_vitb14", "nyu-dpt", "dinov2_vitb14_nyu_dpt_head.pth"),
        ("segmentation", "dinov2_vits14", "voc2012-ms", "dinov2_vits14_voc2012_ms_head.pth"),
        ("classify", "dinov2_vitl14", "imagenet-linear", "dinov2_vitl14_linear_head.pth"),
    ],
)
def test_heads_lie_where_upstreams_hub_code_looks(operator, model, head, file_name):
    assert official_head(operator, model, head).url == f"{HOST}/{model}/{file_name}"


def test_the_classifiers_of_a_deit_lie_in_its_own_file():
    name = "deit_small_patch16_224"
    assert official_head("classify", name, "deit") is official_backbone(name)
    assert official_model(official_backbone(name).file_name, "") == name
    assert official_model("dinov2_vits14_linear_head.pth", "") is None
    for model in ("dinov2_vits14", "dino_vits16"):
        with pytest.raises(WeightsError, match=f"no official classify head 'deit' for {model}"):
            official_head("classify", model, "deit")


@pytest.mark.parametrize("operator", ["depth", "segmentation", "classify"])
@pytest.mark.parametrize("model", ["dino_vits16", "deit_small_patch16_224"])
def test_no_official_head_of_dinov2_is_one_of_its_elders(operator, model):
    head = {"depth": "nyu-linear", "segmentation": "voc2012-linear"}.get(
        operator, "imagenet-linear"
    )
    with pytest.raises(WeightsError, match=f"no official {operator} head '{head}' for {model}"):
        official_head(operator, model, head)


def test_classifiers_for_registers_lie_beside_those_without():
    file = official_head("classify", "dinov2_vits14_reg", "imagenet-linear4")
    assert file.url == f"{HOST}/dinov2_vits14/dinov2_vits14_reg4_linear4_head.pth"


def test_depth_anything_is_a_whole_model_with_a_licence_of_its_own():
    files = {file.model[-3]: file for file in CATALOGUE if file.head == DEPTH_ANYTHING}

    assert {size: file.licence for size, file in files.items()} == {
        "s": "Apache-2.0",
        "b": "CC-BY-NC-4.0",
        "l": "CC-BY-NC-4.0",
    }
    large = files["l"]
    assert large.url.endswith("V2-Large/resolve/main/depth_anything_v2_vitl.pth")
    assert (large.size_bytes, large.sha256[:8]) == (1_341_395_338, "a7ea19fa")
    assert belongs_to(large) == large.sha256
    assert belongs_to(official_head("depth", "dinov2_vitl14", "nyu-dpt")).startswith("d5383ea8")
    assert belongs_to(official_head("depth", "dinov2_vitg14", "nyu-dpt")) is None
    for name, sha256 in (("depth_anything_v2_vitl.pth", ""), ("renamed.pth", large.sha256)):
        assert licence_of(name, sha256) == "CC-BY-NC-4.0"
    assert licence_of("mine.pth", "0" * 64) is None


def test_metric_ones_say_where_they_lie_and_what_their_names_mean():
    free, not_commercial = "Apache-2.0", "CC-BY-NC-4.0"
    metric = {file.file_name: file for file in CATALOGUE if file.head in list(WHOLE_MODELS)[1:]}
    assert {name: (file.head, file.licence) for name, file in metric.items()} == {
        **{
            f"depth_anything_v2_metric_{data}_vit{size}.pth": (f"depth-anything-v2-{data}", licence)
            for data in ("hypersim", "vkitti")
            for size, licence in (("s", free), ("b", not_commercial), ("l", not_commercial))
        },
        **{f"{head}.safetensors": (head, free) for head in ("da3mono-large", "da3metric-large")},
    }
    hypersim = metric["depth_anything_v2_metric_hypersim_vitb.pth"]
    host = "https://huggingface.co/depth-anything"
    assert hypersim.url == (
        f"{host}/Depth-Anything-V2-Metric-Hypersim-Base/resolve/main/{hypersim.file_name}"
    )
    third = official_head("depth", "dinov2_vitl14", "da3metric-large")
    assert third.url == f"{host}/DA3METRIC-LARGE/resolve/main/model.safetensors"
    assert belongs_to(third) is belongs_to(hypersim) is None
    assert licence_of(hypersim.file_name, "") == not_commercial


def test_the_three_known_backbones_are_pinned():
    pinned = {
        file.model: (file.size_bytes, file.sha256[:8])
        for file in CATALOGUE
        if file.sha256 and file.purpose == "backbone"
    }

    assert pinned == {
        "dinov2_vits14": (88_283_115, "b938bf1b"),
        "dinov2_vitb14": (346_378_731, "0b8b82f8"),
        "dinov2_vitl14": (1_217_586_395, "d5383ea8"),
    }


def test_the_table_is_complete_and_its_file_names_never_collide():
    names = [file.file_name for file in CATALOGUE if not file.form]

    assert len(names) == len(set(names)) == 8 + 4 * 6 + 3 + 6 + 2 + 4 * 4 + 8 * 2 + 3 + 4 + 8 + 6
    assert {file.model for file in CATALOGUE if not file.form} == {
        name for name in ARCHITECTURES if not name.startswith(("dinov2_vitti14", "dinov3", "eomt"))
    }


@pytest.mark.parametrize("model", ["dinov2_vitti14", "dinov2_vitti14_6"])
def test_our_own_width_has_no_official_weights(model):
    with pytest.raises(WeightsError, match=f"no official weights for {model}; give a file"):
        official_backbone(model)


@pytest.mark.parametrize(
    ("operator", "model", "head", "message"),
    [
        ("depth", "dinov2_vits14", "nyu", "depth-anything-v2-vkitti, kitti-dpt, kitti-linear"),
        ("depth", "dinov2_vits14_reg", "nyu-linear", "trained heads for dinov2_vits14 only"),
        (
            "segmentation",
            "dinov2_vits14",
            "nyu-linear",
            "heads: ade20k-linear, ade20k-ms, voc2012-linear",
        ),
        ("action", "dinov2_vits14", "kinetics", "heads: none"),
    ],
)
def test_a_head_that_does_not_exist_is_answered_with_those_that_do(operator, model, head, message):
    with pytest.raises(WeightsError, match=message):
        official_head(operator, model, head)


def test_a_url_without_a_file_name_is_refused():
    with pytest.raises(ValueError, match="must end in a file name"):
        OfficialFile("https://example.org/", "backbone", "dinov2_vits14")


def test_dino_txt_comes_in_parts_and_its_vocabulary_under_clips_licence():
    parts = {file.head: file for file in CATALOGUE if file.purpose == "words"}
    assert {file.model for file in parts.values()} == {"dinov2_vitl14_reg"}
    assert {name: file.licence for name, file in parts.items()} == {
        "vision-head": "Apache-2.0",
        "text-encoder": "Apache-2.0",
        "vocabulary": "MIT",
    }
    stem = "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_reg4_dinotxt"
    assert official_head("words", "dinov2_vitl14_reg", "text-encoder").url == (
        f"{stem}_tet1280d20h24l_text_encoder.pth"
    )
    assert parts["vocabulary"].file_name == "bpe_simple_vocab_16e6.txt.gz"
