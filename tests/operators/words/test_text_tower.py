"""The text tower: upstream's modules in float64, and transformers' CLIP with the same weights."""

from __future__ import annotations

import os

import pytest
import torch

from operators.errors import WeightsError
from operators.words.text_tower import TextShape, TextTower, load_text_tower

os.environ.setdefault("HF_HUB_OFFLINE", "1")

MAX_ERROR = 1e-4
PIECES = torch.tensor(
    [
        [558, 3, 77, 401, 559, 0, 0],  # padding behind the end is seen by nobody
        [558, 559, 0, 0, 0, 0, 0],
        [558, 9, 9, 9, 530, 257, 559],
    ]
)


def quiet(tensors):
    """Embeddings as small as a training begins with: there the norms' epsilon matters."""
    small = ("backbone.token_embedding.weight", "backbone.positional_embedding")
    return {name: one * 0.05 if name in small else one for name, one in tensors.items()}


def saved(tmp_path, tensors):
    path = tmp_path / "text_encoder.pth"
    torch.save(tensors, path)
    return path


@pytest.mark.parametrize("weights", [dict, quiet])
def test_it_computes_what_upstreams_modules_do(files, twin_text, tmp_path, weights):
    tensors = weights(files.text)
    tower = load_text_tower(saved(tmp_path, tensors))
    got, want = tower(PIECES), twin_text(tensors, PIECES)
    assert want.abs().max() > 1
    assert (got - want).abs().max().item() <= MAX_ERROR
    alone = tower(PIECES[:1, :5])
    assert (alone - got[:1]).abs().max().item() <= MAX_ERROR


@pytest.mark.slow
def test_it_is_a_clip_with_the_exact_gelu_and_no_bias_before_attention(files):
    transformers = pytest.importorskip("transformers")
    tensors, tower = files.text, load_text_tower(files.text_encoder)
    shape = tower.shape
    config = transformers.CLIPTextConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=4 * shape.width,
        projection_dim=shape.told,
        num_hidden_layers=shape.depth,
        num_attention_heads=shape.width // 64,
        max_position_embeddings=shape.context,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
        bos_token_id=558,
        eos_token_id=559,
    )
    twin = transformers.CLIPTextModelWithProjection(config).eval()
    twin.load_state_dict(as_clip(tensors, twin.state_dict()))
    with torch.inference_mode():
        want = twin(input_ids=PIECES).text_embeds
    assert (tower(PIECES) - want).abs().max().item() <= MAX_ERROR


def as_clip(tensors, wanted):
    """Upstream's names and joined products as transformers'."""
    renamed = {
        "attention_norm": "layer_norm1",
        "ffn_norm": "layer_norm2",
        "attention.proj": "self_attn.out_proj",
        "feed_forward": "mlp",
    }
    own = {}
    for name, tensor in tensors.items():
        if not name.startswith("backbone.blocks."):
            continue
        number, rest = name.removeprefix("backbone.blocks.").split(".", 1)
        stem = f"text_model.encoder.layers.{number}."
        if rest == "attention.qkv.weight":
            for part, one in zip("qkv", tensor.chunk(3), strict=True):
                own[f"{stem}self_attn.{part}_proj.weight"] = one
                own[f"{stem}self_attn.{part}_proj.bias"] = torch.zeros(len(one))
            continue
        for old, new in renamed.items():
            if rest.startswith(old):
                rest = rest.replace(old, new)
        own[stem + rest] = tensor
    for of in ("weight", "bias"):
        own[f"text_model.final_layer_norm.{of}"] = tensors[f"backbone.ln_final.{of}"]
    embeddings = "text_model.embeddings."
    places = tensors["backbone.positional_embedding"]
    own[f"{embeddings}token_embedding.weight"] = tensors["backbone.token_embedding.weight"]
    own[f"{embeddings}position_embedding.weight"] = places
    own["text_projection.weight"] = tensors["head.linear_projection.weight"]
    assert own.keys() == wanted.keys()
    return own


def test_the_published_sizes_are_those_of_the_tower():
    with torch.device("meta"):
        state = TextTower(TextShape()).state_dict()
    assert len(state) == 4 + 24 * 11 + 1
    assert state["backbone.blocks.23.attention.qkv.weight"].shape == (3840, 1280)
    assert state["backbone.positional_embedding"].shape == (77, 1280)
    assert sum(one.numel() for one in state.values()) == 538_131_200


def test_what_is_no_text_tower_is_refused(files, tmp_path):
    with pytest.raises(WeightsError, match=r"small_vision_head\.pth: is no text tower of dino"):
        load_text_tower(files.vision_head)
    tensors = files.text
    del tensors["backbone.blocks.1.ffn_norm.bias"]
    with pytest.raises(WeightsError, match=r"missing keys: backbone\.blocks\.1\.ffn_norm\.bias"):
        load_text_tower(saved(tmp_path, tensors))
    odd = files.text | {"backbone.token_embedding.weight": torch.zeros(9, 100)}
    with pytest.raises(WeightsError, match="width 100 is no multiple of 64"):
        load_text_tower(saved(tmp_path, odd))
