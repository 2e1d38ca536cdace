"""Folders of weights: what is read, what is refused with which words, and what is told of them."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from operators.errors import UsageError, WeightsError
from operators.outside.given import GivenWeights
from operators.outside.grounding import Asked, GroundingDino
from operators.outside.prompt import Prompt
from operators.outside.published import GROUNDING_DINO, SAM
from operators.outside.sam import Sam
from operators.weights.digest import sha256_file

pytestmark = pytest.mark.slow


@pytest.fixture
def copied(sam, tmp_path):
    """A folder of one's own to spoil."""
    return shutil.copytree(sam.folder, tmp_path / "sam")


def test_what_is_told_of_them(sam):
    given = GivenWeights.of(sam.folder / "model.safetensors", SAM)
    told = given.identity(SAM)
    assert given.folder == sam.folder
    assert told["sha256"] == sha256_file(sam.folder / "model.safetensors")
    assert (told["family"], told["licence"]) == ("SAM", None)
    assert told["licence_of_published"] == "Apache-2.0"


def test_another_setting_is_another_identity(copied):
    before = GivenWeights.of(copied, SAM)
    config = json.loads((copied / "config.json").read_text())
    config["vision_config"]["layer_norm_eps"] = 0.1
    (copied / "config.json").write_text(json.dumps(config))
    after = GivenWeights.of(copied, SAM)
    assert after.sha256 == before.sha256
    assert after.settings_sha256 != before.settings_sha256


def test_a_config_as_the_published_ones_are_written(copied):
    """Their parts have an empty model_type, and sizes that nothing reads."""
    config = json.loads((copied / "config.json").read_text())
    for part in ("vision_config", "prompt_encoder_config", "mask_decoder_config"):
        config[part]["model_type"] = ""
    config["vision_config"] |= {"dropout": 0.0, "initializer_factor": 1.0}
    config["vision_config"] |= {"intermediate_size": 6144, "projection_dim": 512}
    config |= {"torch_dtype": "float32", "transformers_version": "4.39.3"}
    (copied / "config.json").write_text(json.dumps(config))
    Sam.load(copied)


def test_weights_of_another_kind(sam, dino):
    with pytest.raises(WeightsError, match="model_type 'grounding-dino', and --weights-sam takes"):
        Sam.load(dino.folder)
    with pytest.raises(WeightsError, match="'sam', and --weights-grounding takes Grounding DINO"):
        GroundingDino.load(sam.folder)


def test_what_is_not_there_or_of_another_layout(copied, tmp_path):
    with pytest.raises(WeightsError, match="is not there; --weights-sam takes a folder with"):
        GivenWeights.of(tmp_path / "nowhere", SAM)
    own = tmp_path / "sam_vit_b_01ec64.pth"
    own.write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"The authors' own \.pth has other names"):
        GivenWeights.of(own, SAM)
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(
        WeightsError, match=r"lacks model\.safetensors \(pytorch_model\.bin may run"
    ):
        GivenWeights.of(copied, SAM)
    (copied / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"lacks config\.json and model\.safetensors"):
        GivenWeights.of(copied, SAM)


def test_tensors_that_are_missing_too_many_or_of_another_shape(copied):
    path = copied / "model.safetensors"
    tensors = load_file(path)
    bias = "mask_decoder.iou_prediction_head.proj_in.bias"
    save_file({name: one for name, one in tensors.items() if name != bias}, path)
    with pytest.raises(WeightsError, match=f"is no whole SAM: it lacks {bias}"):
        Sam.load(copied)
    save_file({**tensors, "adapter.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=r"it has what the model has not adapter\.weight"):
        Sam.load(copied)
    save_file({**tensors, bias: torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=str(copied)):
        Sam.load(copied)


@pytest.mark.parametrize("part", [None, "text_config", "backbone_config"])
def test_an_attention_that_a_config_would_have_fetched_and_run_is_not(dino, tmp_path, part):
    folder = shutil.copytree(dino.folder, tmp_path / "dino")
    config = json.loads((folder / "config.json").read_text())
    (config[part] if part else config)["_attn_implementation"] = "somebody/attention"
    (folder / "config.json").write_text(json.dumps(config))
    GroundingDino.load(folder)


def test_weights_that_make_nan_say_nothing_of_a_picture(copied, dino, noise, tmp_path):
    spoilt = shutil.copytree(dino.folder, tmp_path / "dino")
    for folder, name in ((copied, "mask_decoder.iou_token.weight"), (spoilt, "model.level_embed")):
        tensors = load_file(folder / "model.safetensors")
        tensors[name][:] = torch.nan
        save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match="its weights make NaN of a picture"):
        Sam.load(copied).masks(noise(45, 77), Prompt(((20, 10),)))
    with pytest.raises(WeightsError, match="its weights make NaN of a picture"):
        GroundingDino.load(spoilt).boxes(noise(45, 77), Asked.of(["cat"], 0.3, 0.2))


def test_pixels_that_are_not_imagenets(copied):
    (copied / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5]}')
    with pytest.raises(WeightsError, match=r"image_mean is \[0\.5, 0\.5, 0\.5\]; pictures are"):
        Sam.load(copied)


def test_a_damaged_file_and_a_config_that_is_none(copied):
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="cannot be loaded"):
        Sam.load(copied)
    for content in ("{", "[" * 100_000):
        (copied / "config.json").write_text(content)
        with pytest.raises(WeightsError, match=r"config\.json: cannot be read"):
            Sam.load(copied)


def test_without_the_library_it_says_which_extra_brings_it(sam, dino, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    for load, extra in ((Sam.load, "sam"), (GroundingDino.load, "grounding")):
        with pytest.raises(UsageError, match=rf"pip install '\.\[{extra}\]'"):
            load((sam if extra == "sam" else dino).folder)


def test_every_family_says_where_it_is_from_and_its_licence():
    for family in (SAM, GROUNDING_DINO):
        assert family.homes
        assert family.licence == "Apache-2.0"
