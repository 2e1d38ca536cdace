"""`--weights`: each way to get a backbone, and each way not to."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import VisionTransformer
from operators.errors import WeightsError
from operators.weights import backbone_choice
from operators.weights.load import backbone_name, load_backbone
from operators.weights.official_file import OfficialFile

URL = "https://no-such-host.invalid/vit.pth"
ARCH = replace(architecture("dinov2_vitti14"), depth=1, grid=4)


def same_tensors(one, other):
    a, b = one.model.state_dict(), other.model.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_random_weights_are_seeded_loud_and_leave_the_global_generator_alone(caplog):
    state = torch.random.get_rng_state()

    with caplog.at_level(logging.WARNING):
        first, again = (load_backbone(ARCH, "random", seed=7) for _ in range(2))
    other = load_backbone(ARCH, "random", seed=8)
    assert backbone_name(ARCH, "random", seed=7) == first.name != other.name

    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.untrained
    assert first.source == "random (seed 7)"
    assert first.sha256 == again.sha256 != other.sha256
    assert same_tensors(first, again)
    assert "RANDOM weights (seed 7)" in caplog.text
    assert "results mean nothing" in caplog.text


def test_random_weights_are_the_same_on_every_machine():
    got = load_backbone(architecture("dinov2_vitti14"), "random").sha256

    assert got == "d0ffebed8623294e0e8bff8c579a8f31cedf38d320c9b63ce0f1fd3a899268db"


def test_random_tokens_are_finite_and_differ_between_pictures():
    model = load_backbone(architecture("dinov2_vitti14"), "random").model
    pixels = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))

    tokens, _ = model(pixels)

    assert tokens.isfinite().all()
    assert (tokens[0] - tokens[1]).abs().mean() > 0.1


def test_loading_leaves_a_frozen_float32_model_in_evaluation_mode(tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({k: v.half() for k, v in random_tensors(ARCH, 0).items()}, path)

    model = load_backbone(ARCH, str(path)).model

    assert not model.training
    assert all(p.dtype == torch.float32 and not p.requires_grad for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dinov2_vits14_reg", "dinov2_vitg14"])
def test_pth_and_both_safetensors_layouts_load_to_identical_tensors(name, tmp_path, fill):
    import transformers

    arch = replace(architecture(name), depth=1)
    kind = "Dinov2WithRegisters" if arch.registers else "Dinov2"
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=arch.width,
        num_hidden_layers=1,
        num_attention_heads=arch.heads,
        image_size=518,
        patch_size=14,
        use_swiglu_ffn=arch.ffn == "swiglu",
    )
    fill(getattr(transformers, f"{kind}Model")(config)).save_pretrained(tmp_path)

    hugging_face = load_backbone(arch, str(tmp_path / "model.safetensors"))
    upstream = hugging_face.model.state_dict()
    torch.save(upstream, tmp_path / "official.pth")
    save_file(upstream, tmp_path / "upstream.safetensors")

    for path in (tmp_path / "official.pth", tmp_path / "upstream.safetensors"):
        loaded = load_backbone(arch, str(path))
        assert same_tensors(loaded, hugging_face)
        assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (loaded.untrained, loaded.source) == (False, str(path))


def test_the_mask_token_of_official_files_is_kept():
    assert "mask_token" in VisionTransformer(ARCH).state_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("blocks.0.attn.qkv.bias"), "missing keys: blocks.0.attn.qkv.bias"),
        (lambda t: t.update(head=torch.ones(1)), "unexpected keys: head"),
        (lambda t: t.update(cls_token=torch.ones(1, 1, 384)), r"cls_token is \[1, 1, 384\]"),
    ],
)
def test_a_file_that_does_not_fit_is_an_error_naming_file_and_keys(change, message, tmp_path):
    tensors, path = random_tensors(ARCH, 0), tmp_path / "vit.pth"
    change(tensors)
    torch.save(tensors, path)

    with pytest.raises(WeightsError, match=f"{path}: does not fit the model; .*{message}"):
        load_backbone(ARCH, str(path))


def test_a_file_of_another_size_says_so(tmp_path):
    path = tmp_path / "small.pth"
    torch.save(random_tensors(replace(architecture("dinov2_vits14"), depth=1), 0), path)

    with pytest.raises(WeightsError, match=r"another size: cls_token is \[1, 1, 384\], the model"):
        load_backbone(ARCH, str(path))


def test_a_pickle_with_code_is_refused_and_does_not_run(tmp_path):
    marker, path = tmp_path / "the-code-ran", tmp_path / "evil.pth"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch '{marker}'",)

    torch.save({**random_tensors(ARCH, 0), "extra": Evil()}, path)

    with pytest.raises(WeightsError, match="refused, it asks to run"):
        load_backbone(ARCH, str(path))
    assert not marker.exists()


def test_a_name_that_is_no_file_says_what_is_allowed(tmp_path):
    with pytest.raises(WeightsError, match=r"atuo: no such .*takes auto, .*da3metric-large"):
        load_backbone(ARCH, "atuo")


def test_demo_weights_are_of_one_model():
    other = architecture("dinov2_vitb14")
    with pytest.raises(WeightsError, match="are a dinov2_vitti14; leave out --model dinov2_vitb14"):
        load_backbone(other, "demo")


def test_our_own_width_has_no_automatic_weights(tmp_path):
    with pytest.raises(WeightsError, match="no official weights for dinov2_vitti14"):
        load_backbone(ARCH, "auto", cache_dir=tmp_path)


def test_automatic_weights_come_from_the_cache_when_they_are_there(tmp_path, monkeypatch):
    path = tmp_path / "vit.pth"
    torch.save(random_tensors(ARCH, 0), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    file = OfficialFile(URL, "backbone", ARCH.name, sha256=sha256)
    monkeypatch.setattr(backbone_choice, "official_backbone", lambda name: file)

    loaded = load_backbone(ARCH, "auto", cache_dir=tmp_path)

    assert (loaded.sha256, loaded.untrained, loaded.source) == (sha256, False, str(path))


def test_automatic_weights_without_a_network_are_an_error_never_a_fallback(tmp_path, monkeypatch):
    file = OfficialFile(URL, "backbone", ARCH.name)
    monkeypatch.setattr(backbone_choice, "official_backbone", lambda name: file)

    with pytest.raises(WeightsError, match=r"cannot fetch .*by hand.*--weights PATH"):
        load_backbone(ARCH, "auto", cache_dir=tmp_path)
