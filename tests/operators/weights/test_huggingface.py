"""Names: what Hugging Face's files call each tensor of DINOv2."""

from __future__ import annotations

import torch

from operators.weights.huggingface import is_hugging_face, to_upstream


def test_query_key_and_value_become_one_projection_in_that_order():
    stem = "encoder.layer.3.attention.attention"
    parts = {"query": 1.0, "key": 2.0, "value": 3.0}
    tensors = {f"{stem}.{part}.bias": torch.full((2,), value) for part, value in parts.items()}

    got = to_upstream(tensors)

    assert list(got) == ["blocks.3.attn.qkv.bias"]
    assert got["blocks.3.attn.qkv.bias"].tolist() == [1, 1, 2, 2, 3, 3]


def test_the_other_names_are_renamed_one_by_one():
    pairs = {
        "embeddings.cls_token": "cls_token",
        "embeddings.position_embeddings": "pos_embed",
        "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
        "encoder.layer.11.attention.output.dense.bias": "blocks.11.attn.proj.bias",
        "encoder.layer.0.layer_scale2.lambda1": "blocks.0.ls2.gamma",
        "encoder.layer.0.norm1.weight": "blocks.0.norm1.weight",
        "encoder.layer.0.mlp.fc1.weight": "blocks.0.mlp.fc1.weight",
        "encoder.layer.0.mlp.weights_in.weight": "blocks.0.mlp.w12.weight",
        "encoder.layer.0.mlp.weights_out.bias": "blocks.0.mlp.w3.bias",
        "layernorm.bias": "norm.bias",
    }

    assert list(to_upstream(dict.fromkeys(pairs, torch.zeros(1)))) == list(pairs.values())


def test_a_lone_query_and_a_stranger_keep_a_name_that_the_strict_check_reports():
    stem = "blocks.0.attention.attention.query"
    tensors = {
        "encoder.layer.0.attention.attention.query.bias": torch.zeros(2),
        "classifier": torch.zeros(1),
    }

    assert list(to_upstream(tensors)) == [f"{stem}.bias", "classifier"]


def test_upstreams_own_names_are_told_apart():
    assert is_hugging_face({"embeddings.cls_token": torch.zeros(1)})
    assert not is_hugging_face({"cls_token": torch.zeros(1), "blocks.0.norm1.bias": torch.zeros(1)})
