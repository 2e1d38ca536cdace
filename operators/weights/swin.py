"""Swin: one file with a backbone and the classifier that it was trained with.

A file's tensors, by upstream's names or by Hugging Face's -> the backbone's or the classifier's,
by upstream's. Knows nothing of files; what it does not recognise keeps its name for the strict
check to report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from operators.errors import WeightsError
from operators.weights.joining import join_layers

LICENCE = "MIT"  # of code and weights (LICENSE upstream)
CLASSES = 1000  # of ImageNet; files named 22k tell its 21841 classes, whose names nobody here has
VECTOR = {"blocks": 1, "mean_patch": False}  # its class token is the mean of its last map already

_HEAD = "head."
_MARK = re.compile(r"layers\.\d+\.blocks\.\d+\..*relative_position_bias_table$")
_COMPUTED = (".relative_position_index", ".attn_mask")  # from the window, and from one frame size
_RENAMED = (
    (r"^swin\.", ""),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.norm\.", "patch_embed.norm."),
    (r"^encoder\.layers\.", "layers."),
    (r"\.attention\.self\.relative_position_", ".attn.relative_position_"),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"^layernorm\.", "norm."),
    (r"^classifier\.", _HEAD),
)
_PARTS = tuple(f"attention.self.{part}" for part in ("query", "key", "value"))


def is_whole(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a Swin."""
    return any(_MARK.search(name) for name in tensors)


def backbone(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All but the classifier."""
    named = _upstream(tensors)
    return {name: tensor for name, tensor in named.items() if not name.startswith(_HEAD)}


def classifier(source: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The classifier's `weight` `[1000, D]` and `bias` `[1000]`.

    Args:
        source: the file, for the error's text.
        tensors: of all of it.

    Raises:
        WeightsError: it has none, or one of other classes than ImageNet's 1000.
    """
    named = _upstream(tensors)
    own = {
        name.removeprefix(_HEAD): tensor for name, tensor in named.items() if name.startswith(_HEAD)
    }
    weight = own.get("weight")
    classes = len(weight) if weight is not None and weight.ndim else 0
    if classes != CLASSES:
        has = f"a classifier of {classes} classes, whose names it does not say" if own else "none"
        raise WeightsError(
            f"{source}: a Swin's file is a head for classify where it has a classifier of "
            f"ImageNet's {CLASSES} classes, this has {has}; take it for --weights alone and fit a "
            "head with dinostream fit classify"
        )
    return own


def _upstream(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    named = {
        _rename(name): tensor for name, tensor in tensors.items() if not name.endswith(_COMPUTED)
    }
    join_layers(named, _PARTS, "attn.qkv")
    return named


def _rename(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name
