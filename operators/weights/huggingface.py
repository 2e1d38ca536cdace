"""Hugging Face's names for tensors of DINOv2, DINO v1 and DeiT -> upstream's names.

Tensors of `Dinov2Model`, `Dinov2WithRegistersModel`, `ViTModel`, `DeiTModel` and of what classifies
with the last two, as their safetensors files spell them.
Knows nothing of files; what it does not recognise keeps its name for the strict check to report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from operators.weights.joining import join_layers

_RENAMED = (
    (r"^(vit|deit)\.", ""),
    (r"^embeddings\.(cls_token|mask_token|register_tokens)$", r"\1"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"^embeddings\.distillation_token$", "dist_token"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"^(cls_)?classifier\.", "head."),
    (r"^distillation_classifier\.", "head_dist."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.w12."),
    (r"\.mlp\.weights_out\.", ".mlp.w3."),
)
_HUGGING_FACE = re.compile(r"^((vit|deit)\.)?(embeddings|encoder\.layer)\.")
_POOLER = "pooler."  # transformers' own, which no upstream has trained
_PARTS = tuple(f"attention.attention.{part}" for part in ("query", "key", "value"))


def is_hugging_face(names: Mapping[str, Tensor]) -> bool:
    """Whether these names are Hugging Face's and not upstream's."""
    return any(_HUGGING_FACE.match(name) for name in names)


def to_upstream(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename tensors and join each block's query, key and value into upstream's one projection.

    Args:
        tensors: by Hugging Face name; query, key and value are `[D, D]` and `[D]` each.

    Returns:
        By upstream name; `blocks.N.attn.qkv` is `[3 D, D]` and `[3 D]`, in the order q, k, v.
    """
    renamed = {
        _rename(name): tensor for name, tensor in tensors.items() if not name.startswith(_POOLER)
    }
    join_layers(renamed, _PARTS, "attn.qkv")
    return renamed


def _rename(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name
