"""Files of plain vision transformers, DINO v1's and DeiT's -> a DINOv2's tensors.

They lack what DINOv2 has added to each block, so that it is put in where it changes nothing: gammas
of one, to the bit the same sums. A DeiT's file also holds its classifiers, which are a head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.weights.huggingface import is_hugging_face, to_upstream

_WRAPPERS = re.compile(r"^(module\.|backbone\.)+")
_PROJECTION = ("head.mlp.", "head.last_layer.")  # what DINO compares through while it trains
_CLASSIFIERS = tuple(f"{head}.{of}" for head in ("head", "head_dist") for of in ("weight", "bias"))
_WHOLE = {"head.weight", "pos_embed"}


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what distributed training and multi-crop wrappers put before the names."""
    return {_WRAPPERS.sub("", name): tensor for name, tensor in tensors.items()}


def backbone(tensors: Mapping[str, Tensor], arch: Architecture) -> dict[str, Tensor]:
    """All tensors of a backbone; what is not recognised keeps its name for the strict check.

    Args:
        tensors: by upstream's names, or those of whole checkpoints. Positions `[1, 1 + hw, D]`,
            with a distillation token `[1, 2 + hw, D]`.
        arch: without LayerScale.
    """
    unread = _CLASSIFIERS if arch.own_classifier else _PROJECTION
    named = {
        name: tensor for name, tensor in unwrapped(tensors).items() if not name.startswith(unread)
    }
    if arch.registers:
        named = _with_register(named)
    if not any(name.endswith(".gamma") for name in named):
        scales = (f"blocks.{block}.ls{of}.gamma" for block in range(arch.depth) for of in (1, 2))
        named |= {name: torch.ones(arch.width) for name in scales}
    named.setdefault("mask_token", torch.zeros(1, arch.width))
    return named


def _with_register(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """A distillation token as a register: these have no place, but this one's never changes, so it
    is part of the token."""
    table, token = named.get("pos_embed"), named.get("dist_token")
    if table is None or token is None or table.ndim != 3 or token.shape != (1, 1, table.shape[2]):
        return named
    rest = {name: tensor for name, tensor in named.items() if name != "dist_token"}
    return rest | {
        "register_tokens": token.float() + table[:, 1:2].float(),
        "pos_embed": torch.cat((table[:, :1], table[:, 2:]), 1),
    }


def is_whole(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a backbone with the classifiers that were trained with it."""
    return _by_upstream_names(tensors).keys() >= _WHOLE


def classifiers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The head's part of a whole one: `head.*` `[C, D]` and `[C]`, with a distillation token also
    `head_dist.*`."""
    named = _by_upstream_names(tensors)
    return {name: named[name] for name in _CLASSIFIERS if name in named}


def _by_upstream_names(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return to_upstream(tensors) if is_hugging_face(tensors) else unwrapped(tensors)
