"""Hugging Face's names for DINOv2 tensors -> upstream's names.

Tensors of `Dinov2Model` and `Dinov2WithRegistersModel` as their safetensors files spell them.
Knows nothing of files; what it does not recognise keeps its name for the strict check to report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_RENAMED = (
    (r"^embeddings\.(cls_token|mask_token|register_tokens)$", r"\1"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.w12."),
    (r"\.mlp\.weights_out\.", ".mlp.w3."),
)
_QUERY = re.compile(r"^(blocks\.\d+)\.attention\.attention\.query\.(weight|bias)$")


def is_hugging_face(names: Mapping[str, Tensor]) -> bool:
    """Whether these names are Hugging Face's and not upstream's."""
    return any(name.startswith(("embeddings.", "encoder.layer.")) for name in names)


def to_upstream(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename tensors and join each block's query, key and value into upstream's one projection.

    Args:
        tensors: by Hugging Face name; query, key and value are `[D, D]` and `[D]` each.

    Returns:
        By upstream name; `blocks.N.attn.qkv` is `[3 D, D]` and `[3 D]`, in the order q, k, v.
    """
    renamed = {_rename(name): tensor for name, tensor in tensors.items()}
    for name in list(renamed):
        found = _QUERY.match(name)
        if found is None:
            continue
        block, kind = found.groups()
        parts = [f"{block}.attention.attention.{part}.{kind}" for part in ("query", "key", "value")]
        if all(part in renamed for part in parts):
            joined = torch.cat([renamed.pop(part) for part in parts])
            renamed[f"{block}.attn.qkv.{kind}"] = joined
    return renamed


def _rename(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name
