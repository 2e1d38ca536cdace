"""Hugging Face's names for the tensors of Depth Anything V2 -> its authors' names.

Tensors of `DepthAnythingForDepthEstimation` as their safetensors files spell them. What it does not
recognise keeps its name for the strict check to report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from operators.weights.huggingface import to_upstream

_BACKBONE, _NECK = "backbone.", "neck."
_SCRATCH = "depth_head.scratch"
_RENAMED = (
    (r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.", r"depth_head.projects.\1."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.", r"depth_head.resize_layers.\1."),
    (r"^head\.conv1\.", f"{_SCRATCH}.output_conv1."),
    (r"^head\.conv2\.", f"{_SCRATCH}.output_conv2.0."),
    (r"^head\.conv3\.", f"{_SCRATCH}.output_conv2.2."),
    (r"\.residual_layer([12])\.convolution([12])\.", r".resConfUnit\1.conv\2."),
    *((rf"^neck\.convs\.{one}\.", f"{_SCRATCH}.layer{one + 1}_rn.") for one in range(4)),
    # Theirs are numbered from coarse to fine, the authors' from fine to coarse.
    *(
        (rf"^neck\.fusion_stage\.layers\.{one}\.", f"{_SCRATCH}.refinenet{4 - one}.")
        for one in range(4)
    ),
    (r"(\.refinenet\d)\.projection\.", r"\1.out_conv."),
)


def is_hugging_face(names: Mapping[str, Tensor]) -> bool:
    """Whether these are a whole Depth Anything by Hugging Face's names."""
    return all(any(name.startswith(part) for name in names) for part in (_BACKBONE, _NECK))


def to_authors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by the authors' names, where they have Hugging Face's; others as they are."""
    if not is_hugging_face(tensors):
        return tensors
    encoder = {
        name.removeprefix(_BACKBONE): tensor
        for name, tensor in tensors.items()
        if name.startswith(_BACKBONE)
    }
    others = {
        _rename(name): tensor for name, tensor in tensors.items() if not name.startswith(_BACKBONE)
    }
    return {f"pretrained.{name}": one for name, one in to_upstream(encoder).items()} | others


def _rename(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name
