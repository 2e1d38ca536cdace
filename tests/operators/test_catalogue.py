"""The table of official files against what upstream's hub code and the design say."""

from __future__ import annotations

import pytest

from operators.architectures import ARCHITECTURES
from operators.catalogue import CATALOGUE, OfficialFile, official_backbone, official_head
from operators.errors import WeightsError

HOST = "https://dl.fbaipublicfiles.com/dinov2"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("dinov2_vits14", "dinov2_vits14/dinov2_vits14_pretrain.pth"),
        ("dinov2_vitg14", "dinov2_vitg14/dinov2_vitg14_pretrain.pth"),
        ("dinov2_vitb14_reg", "dinov2_vitb14/dinov2_vitb14_reg4_pretrain.pth"),
    ],
)
def test_backbones_lie_where_upstreams_hub_code_looks(model, path):
    file = official_backbone(model)

    assert file.url == f"{HOST}/{path}"
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
    ],
)
def test_heads_lie_where_upstreams_hub_code_looks(operator, model, head, file_name):
    assert official_head(operator, model, head).url == f"{HOST}/{model}/{file_name}"


def test_the_three_known_hashes_are_pinned():
    pinned = {file.model: (file.size_bytes, file.sha256[:8]) for file in CATALOGUE if file.sha256}

    assert pinned == {
        "dinov2_vits14": (88_283_115, "b938bf1b"),
        "dinov2_vitb14": (346_378_731, "0b8b82f8"),
        "dinov2_vitl14": (1_217_586_395, "d5383ea8"),
    }


def test_the_table_is_complete_and_its_file_names_never_collide():
    names = [file.file_name for file in CATALOGUE]

    assert len(names) == len(set(names)) == 8 + 4 * 4 + 4 * 2
    assert {file.model for file in CATALOGUE} == ARCHITECTURES.keys() - {"dinov2_vitti14"}


def test_our_own_width_has_no_official_weights():
    with pytest.raises(WeightsError, match="no official weights for dinov2_vitti14; give a file"):
        official_backbone("dinov2_vitti14")


@pytest.mark.parametrize(
    ("operator", "model", "head", "message"),
    [
        ("depth", "dinov2_vits14", "nyu-dpt", "heads: kitti-linear, kitti-linear4, nyu-linear"),
        ("depth", "dinov2_vits14_reg", "nyu-linear", "trained heads for dinov2_vits14 only"),
        ("segmentation", "dinov2_vits14", "nyu-linear", "heads: ade20k-linear, voc2012-linear"),
        ("action", "dinov2_vits14", "kinetics", "heads: none"),
    ],
)
def test_a_head_that_does_not_exist_is_answered_with_those_that_do(operator, model, head, message):
    with pytest.raises(WeightsError, match=message):
        official_head(operator, model, head)


def test_a_url_without_a_file_name_is_refused():
    with pytest.raises(ValueError, match="must end in a file name"):
        OfficialFile("https://example.org/", "backbone", "dinov2_vits14")
