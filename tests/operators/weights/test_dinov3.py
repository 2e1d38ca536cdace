"""DINOv3 through its files: Hugging Face's as transformers writes them, Meta's by their names.

What comes out is transformers' own, within 1e-4 in float32, at any size; what cannot be taken is
refused with the reason.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.engines.choice import EXACT, build_engine
from operators.backbones.preprocess import normalise
from operators.backbones.random_weights import random_tensors
from operators.backbones.rotary import PERIODS, exact_periods
from operators.backbones.vit import filled_vit
from operators.errors import UsageError, WeightsError
from operators.learn.head_file import write_head
from operators.registry import build_operator
from operators.vector.own_blocks import tail_start
from operators.weights import dinov3
from operators.weights.catalogue import licence_of, official_backbone, official_head, published_as
from operators.weights.head_request import HeadRequest
from operators.weights.heads import trained_head
from operators.weights.inspection import inspect_weights, inspection_lines
from operators.weights.load import load_backbone

os.environ.setdefault("HF_HUB_OFFLINE", "1")

MAX_ERROR = 1e-4
SIZES_HW = ((32, 32), (48, 80), (112, 16))
SMALL = replace(ARCHITECTURES["dinov3_vits16"], width=128, heads=2, depth=2)
PLUS = replace(ARCHITECTURES["dinov3_vits16plus"], width=128, heads=2, depth=2)
SEVEN = replace(ARCHITECTURES["dinov3_vit7b16"], width=256, heads=2, depth=2)
SATELLITE = "eadcf0ff" + 56 * "0"


def theirs(arch: Architecture, *, biased: bool = True):
    import transformers

    config = transformers.DINOv3ViTConfig(
        hidden_size=arch.width,
        intermediate_size=arch.hidden,
        num_hidden_layers=arch.depth,
        num_attention_heads=arch.heads,
        num_register_tokens=arch.registers,
        use_gated_mlp=arch.ffn == "swiglu",
        hidden_act="silu" if arch.ffn == "swiglu" else "gelu",
        query_bias=biased,
        value_bias=biased,
    )
    return transformers.DINOv3ViTModel(config)


def as_meta_names_them(arch: Architecture, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Ours under the names of Meta's files; keys get biases that the mask takes away."""
    width, named = arch.width, {}
    for name, tensor in tensors.items():
        if name == "register_tokens":
            named["storage_tokens"] = tensor
        elif ".mlp.w12." in name:
            for part, half in zip(("w1", "w2"), tensor.chunk(2), strict=True):
                named[name.replace("w12", part)] = half.clone()
        elif name.endswith(".attn.qkv.bias"):
            mask = torch.ones(3 * width)
            mask[width : 2 * width] = 0
            named[name] = torch.where(mask.bool(), tensor, 7.0)
            named[name + "_mask"] = mask
        else:
            named[name] = tensor
    return named


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    torch.save(tensors, path)
    return path


def largest_error(model, twin, vit_recipe, sizes=SIZES_HW) -> float:
    errors = []
    for size_hw in sizes:
        pixels = torch.from_numpy(vit_recipe.seeded_pixels(size_hw))
        with torch.inference_mode():
            got, want = model(pixels)[0], twin(pixels).last_hidden_state
        errors.append((got - want).abs().max().item())
    return max(errors)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "biased"), [(SMALL, True), (PLUS, True), (SEVEN, False)], ids=["mlp", "swiglu", "7b"]
)
def test_hugging_faces_files_compute_what_transformers_does(
    arch, biased, tmp_path, vit_recipe, fill
):
    twin = fill(theirs(arch, biased=biased))
    twin.save_pretrained(tmp_path)

    loaded = load_backbone(arch, str(tmp_path / "model.safetensors"))

    assert not loaded.untrained
    assert largest_error(loaded.model, twin, vit_recipe) <= MAX_ERROR


@pytest.mark.slow
def test_a_true_s_of_twelve_blocks_does_too(tmp_path, vit_recipe, fill):
    arch = ARCHITECTURES["dinov3_vits16"]
    twin = fill(theirs(arch))
    twin.save_pretrained(tmp_path)
    model = load_backbone(arch, str(tmp_path / "model.safetensors")).model

    assert largest_error(model, twin, vit_recipe, ((224, 224), (224, 400))) <= MAX_ERROR
    norms = {one.eps for one in model.modules() if isinstance(one, torch.nn.LayerNorm)}
    assert norms == {1e-5}  # DINOv2's 1e-6 would not show on weights as large as these


@pytest.mark.slow
@pytest.mark.parametrize("arch", [SMALL, PLUS], ids=["mlp", "swiglu"])
def test_metas_files_load_to_the_same_with_the_periods_that_they_hold(
    arch, tmp_path, vit_recipe, fill
):
    twin = fill(theirs(arch))
    twin.save_pretrained(tmp_path)
    ours = load_backbone(arch, str(tmp_path / "model.safetensors")).model.state_dict()
    rounded = ours[PERIODS].bfloat16().float()  # as published: 1.3359375 for 1.3335214
    file = as_meta_names_them(arch, {**ours, PERIODS: rounded})
    file["local_cls_norm.weight"] = file["local_cls_norm.bias"] = torch.ones(arch.width)

    model = load_backbone(arch, str(saved(tmp_path / "meta.pth", file))).model

    assert model.state_dict().keys() == ours.keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, rounded if name == PERIODS else ours[name]), name
    unlike = largest_error(model, twin, vit_recipe)
    twin.rope_embeddings.inv_freq.copy_(1 / rounded)
    assert largest_error(model, twin, vit_recipe) <= MAX_ERROR < unlike


def test_7b_has_no_biases_of_queries_keys_and_values_and_zeros_stand_for_them():
    tensors = random_tensors(SEVEN, 0)
    file = {name: one for name, one in tensors.items() if not name.endswith("qkv.bias")}

    named = dinov3.renamed(as_meta_names_them(SEVEN, file))

    assert named.keys() == tensors.keys()
    assert not named["blocks.1.attn.qkv.bias"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("blocks.1.attn.qkv.bias"), "missing keys: blocks.1.attn.qkv.bias"),
        (lambda t: t.pop(PERIODS), "missing keys: rope_embed.periods"),
        (lambda t: t.pop("blocks.0.mlp.w1.bias"), r"missing keys: blocks.0.mlp.w12.bias; unexp"),
        (lambda t: t.update(pos_embed=torch.ones(1)), "unexpected keys: pos_embed"),
        (lambda t: t["blocks.0.attn.qkv.bias_mask"].fill_(torch.nan), "never initialised"),
        (lambda t: t.pop("blocks.1.attn.qkv.bias_mask"), r"no bias_mask .* blocks.1.attn.qkv.bias"),
        (lambda t: t.update({"blocks.0.attn.qkv.bias_mask": torch.ones(1)}), "no bias_mask of its"),
        (lambda t: t.update(mask_token=torch.ones(1)), r"mask_token is \[1\]"),
        (lambda t: t.update({"stages.0.0.gamma": torch.ones(1)}), "a ConvNeXt; of DINOv3"),
    ],
)
def test_files_that_do_not_fit_are_refused_with_the_reason(change, message, tmp_path):
    file = as_meta_names_them(PLUS, random_tensors(PLUS, 0))
    change(file)

    with pytest.raises(WeightsError, match=f"meta.pth: .*{message}"):
        load_backbone(PLUS, str(saved(tmp_path / "meta.pth", file)))


def test_a_dinov3_is_no_dinov2_and_a_dinov2_no_dinov3(tmp_path):
    dinov2 = replace(ARCHITECTURES["dinov2_vits14"], width=128, heads=2, depth=2)
    for arch, other, message in (
        (SMALL, dinov2, "a DINOv3, the model is dinov2_vits14"),
        (dinov2, SMALL, "no DINOv3, the model is dinov3_vits16"),
    ):
        path = saved(tmp_path / f"{arch.name}.pth", random_tensors(arch, 0))
        with pytest.raises(WeightsError, match=message):
            load_backbone(other, str(path))


def test_satellite_weights_want_the_model_with_their_statistics(caplog, tmp_path, monkeypatch):
    web, sat = (ARCHITECTURES[f"dinov3_vitl16{of}"] for of in ("", "_sat493m"))
    assert sat.statistics.mean == (0.430, 0.411, 0.296)
    assert sat.statistics.std == (0.213, 0.156, 0.143)
    some = {PERIODS: exact_periods(sat)}
    path = saved(tmp_path / "a.pth", some)
    for sha256, given, own in (
        (SATELLITE, web, sat),
        ("8aa4cbdd" + 56 * "0", sat, web),
    ):
        monkeypatch.setattr("operators.weights.load.sha256_file", lambda _, is_so=sha256: is_so)
        with pytest.raises(WeightsError, match=rf"sha256 {own.name}, not .* --model {own.name}$"):
            load_backbone(given, str(path))
    assert dinov3.backbone(Path("a.pth"), SATELLITE, sat, some) == some
    # A hash that nobody tells: the path may say it.
    with caplog.at_level(logging.WARNING):
        dinov3.backbone(Path("dinov3-vitl16-pretrain-sat493m/a.safetensors"), "0" * 64, web, some)
    assert "give --model dinov3_vitl16_sat493m" in caplog.text


def test_an_engine_normalises_by_the_models_own_statistics():
    pixels = torch.randint(0, 256, (1, 32, 48, 3), dtype=torch.uint8)
    sat = replace(SMALL, statistics=ARCHITECTURES["dinov3_vitl16_sat493m"].statistics)
    vit = filled_vit(sat, random_tensors(sat, 1))
    tokens, _ = build_engine(EXACT, vit, (), threads=1)(pixels)

    own, imagenet = (
        vit(normalise(pixels, torch.float32, by))[0] for by in (sat.statistics, SMALL.statistics)
    )
    torch.testing.assert_close(tokens, own, rtol=0, atol=MAX_ERROR)
    assert (tokens - imagenet).abs().max() > 100 * MAX_ERROR


def test_its_licence_is_told_and_nothing_is_fetched(tmp_path, caplog):
    path = saved(tmp_path / "meta.pth", as_meta_names_them(SMALL, random_tensors(SMALL, 0)))
    with caplog.at_level(logging.WARNING):
        load_backbone(SMALL, str(path))
    assert "under the DINOv3 License (LicenseRef-DINOv3)" in caplog.text

    for name, arch in ARCHITECTURES.items():
        if arch.rotary:
            with pytest.raises(WeightsError, match=r"accepted by a person.*dinov3_vit.*-\w{8}.pth"):
                official_backbone(name)
    assert published_as(SATELLITE).file_name == "dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth"
    assert licence_of("mine.pth", SATELLITE) == "LicenseRef-DINOv3"


@pytest.mark.parametrize("arch", [SMALL, PLUS], ids=["mlp", "swiglu"])
@pytest.mark.parametrize("with_periods", [True, False])
def test_inspect_names_the_model(arch, with_periods, tmp_path, monkeypatch):
    for one in (SMALL, PLUS):
        monkeypatch.setitem(ARCHITECTURES, one.name, one)
    file = as_meta_names_them(arch, random_tensors(arch, 0))
    if not with_periods:  # as of Hugging Face's
        file.pop(PERIODS)

    facts = inspect_weights(saved(tmp_path / "meta.pth", file))

    assert (facts["layout"], facts["model"], facts["alike"]) == ("DINOv3", arch.name, [])


def test_inspect_says_that_satellite_weights_look_alike(tmp_path, monkeypatch):
    small = {
        name: replace(ARCHITECTURES[name], width=128, heads=2, depth=1)
        for name in ("dinov3_vitl16", "dinov3_vitl16_sat493m")
    }
    for name, arch in small.items():
        monkeypatch.setitem(ARCHITECTURES, name, arch)
    tensors = random_tensors(small["dinov3_vitl16"], 0)
    path = saved(tmp_path / "a.pth", as_meta_names_them(SMALL, tensors))
    lines = "\n".join(inspection_lines(path, inspect_weights(path)))
    assert "model: dinov3_vitl16, or dinov3_vitl16_sat493m: their tensors are alike" in lines

    monkeypatch.setattr("operators.weights.inspection.sha256_file", lambda _: SATELLITE)
    assert inspect_weights(path)["model"] == "dinov3_vitl16_sat493m"


def test_official_heads_are_refused_by_name_by_file_and_without_a_header(tmp_path):
    with pytest.raises(WeightsError, match="no official depth head 'nyu-linear' for dinov3_vits16"):
        official_head("depth", "dinov3_vits16", "nyu-linear")
    for file_name, message in (
        (
            "dinov2_vits14_ade20k_linear_head.pth",
            "was trained on dinov2_vits14, the model is dinov3",
        ),
        ("renamed.pth", "no head that `dinostream fit` made.*neither DINOv2's official"),
    ):
        path = saved(tmp_path / file_name, {"decode_head.conv_seg.weight": torch.ones(1)})
        request = HeadRequest("segmentation", SMALL, "0" * 64, str(path))
        with pytest.raises(WeightsError, match=message):
            trained_head(request)


def test_a_head_belongs_to_the_model_as_well_as_to_the_file(tmp_path):
    header = {"backbone": "0" * 64, "model": SMALL.name}
    path = tmp_path / "head.safetensors"
    write_head(path, "classify", {"weight": torch.ones(1)}, header)
    assert trained_head(HeadRequest("classify", SMALL, "0" * 64, str(path))).facts["model"]
    for arch in (PLUS, replace(SMALL, name="dinov3_vitl16_sat493m")):
        with pytest.raises(WeightsError, match=f"fitted on dinov3_vits16.* {arch.name}"):
            trained_head(HeadRequest("classify", arch, "0" * 64, str(path)))


@pytest.mark.parametrize("operator", ["depth", "segmentation", "classify"])
def test_random_heads_show_that_it_works(operator):
    known = {"architecture": ARCHITECTURES["dinov3_vits16"], "backbone_sha256": "0" * 64}
    assert build_operator(operator, {}, **known, random_seed=0).untrained


def test_last_blocks_of_it_are_not_a_heads_own():
    with pytest.raises(UsageError, match="dinov3_vits16 has registers"):
        tail_start(SMALL, 1)
