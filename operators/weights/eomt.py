"""EoMT: one file with a fine-tuned DINOv2 and, in its last blocks, the queries that find things.

A file's tensors, by its authors' names or by Hugging Face's -> the backbone's or the head's out. As
of a Depth Anything, the head reads no other backbone, and the backbone has no other head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from operators.weights.joining import join_layers

LICENCE = "MIT"  # of code and weights (LICENSE upstream)

_QUERIES = ("network.q.weight", "query.weight")
_RENAMED = (
    # Its authors' names.
    (r"^network\.(encoder\.backbone\.)?", ""),
    (r"^reg_token$", "register_tokens"),
    # Hugging Face's.
    (r"^embeddings\.(cls_token|register_tokens)$", r"\1"),
    (r"^embeddings\.position_embeddings\.weight$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^layers\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.out_proj\.", ".attn.proj."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.w12."),
    (r"\.mlp\.(weights_out|down_proj)\.", ".mlp.w3."),
    (r"^query\.", "q."),
    (r"^class_predictor\.", "class_head."),
    (r"^mask_head\.fc1\.", "mask_head.0."),
    (r"^mask_head\.fc2\.", "mask_head.2."),
    (r"^mask_head\.fc3\.", "mask_head.4."),
    (r"^upscale_block\.block\.", "upscale."),
    (r"^(upscale\.\d+\.)layernorm2d\.", r"\1norm."),
)
_JOINED = {
    "attn.qkv": ("attention.q_proj", "attention.k_proj", "attention.v_proj"),
    "mlp.w12": ("mlp.gate_proj", "mlp.up_proj"),
}
_TRAINING = ("attn_mask_probs", "encoder.pixel_mean", "encoder.pixel_std", "criterion.empty_weight")
_HEAD = ("q.", "class_head.", "mask_head.", "upscale.")
_BLOCK = re.compile(r"blocks\.(\d+)\.")


def is_whole(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a whole EoMT."""
    return any(name in tensors for name in _QUERIES)


def still_masked(tensors: Mapping[str, Tensor]) -> bool:
    """Whether its training ended before its queries could do without masked attention."""
    return any(
        name.endswith("attn_mask_probs") and bool((tensor > 0).any())
        for name, tensor in tensors.items()
    )


def trunk(tensors: Mapping[str, Tensor], depth: int) -> dict[str, Tensor]:
    """The backbone's part, by DINOv2's names.

    Args:
        tensors: of the whole, by either names.
        depth: blocks before the queries join.
    """
    return {name: tensor for name, tensor in renamed(tensors).items() if of_trunk(name, depth)}


def of_trunk(name: str, depth: int) -> bool:
    """Whether a tensor is the backbone's, by what `renamed` calls it."""
    return _number(name) < depth and not name.startswith(_HEAD)


def decoder(tensors: Mapping[str, Tensor], depth: int) -> dict[str, Tensor]:
    """The head's part, by its authors' names: its blocks, the final norm, and what reads them.

    Args:
        tensors: of the whole, by either names.
        depth: blocks before the queries join.
    """
    return {
        name: tensor
        for name, tensor in renamed(tensors).items()
        if depth <= _number(name) or name.startswith((*_HEAD, "norm."))
    }


def is_decoder(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a head is one of these, told by its tensors' names."""
    return "q.weight" in tensors and "upscale.0.conv1.weight" in tensors


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All that inference needs, by upstream's names of DINOv2 and of EoMT; what is not recognised
    keeps its name for the strict check to report."""
    named = {_rename(name): tensor for name, tensor in _joined(tensors).items()}
    for name in _TRAINING:
        named.pop(name, None)
    table = named.get("pos_embed")
    if table is not None:  # the class token's place was added to it: patches alone have one
        places = table.reshape(1, -1, table.shape[-1])
        named["pos_embed"] = torch.cat((torch.zeros_like(places[:, :1]), places), 1)
        named["mask_token"] = torch.zeros_like(places[:, 0])  # its training masked no patches
    return _gated(named)


def _joined(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Products that Hugging Face splits, as one, in upstream's order."""
    out = dict(tensors)
    for whole, parts in _JOINED.items():
        join_layers(out, parts, whole)
    return out


def _gated(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """timm calls a SwiGLU's layers as an MLP's; the first has both its halves."""

    def halves(name: str) -> bool:
        stem = name.partition(".mlp.")[0]
        wide, narrow = (named.get(f"{stem}.mlp.{fc}.weight") for fc in ("fc1", "fc2"))
        return wide is not None and narrow is not None and len(wide) == 2 * narrow.shape[1]

    def gated(name: str) -> str:
        return name.replace(".mlp.fc1.", ".mlp.w12.").replace(".mlp.fc2.", ".mlp.w3.")

    return {gated(name) if halves(name) else name: tensor for name, tensor in named.items()}


def _rename(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def _number(name: str) -> int:
    """Of a block's tensor; of any other -1."""
    found = _BLOCK.match(name)
    return int(found[1]) if found else -1
