"""DeiT's own classifiers -> one linear head.

A distilled DeiT has two, one over the class token and one over the distillation token, and answers
with the mean of what both say before the softmax (arXiv 2012.12877, section 4; models.py upstream).
That is one product over both tokens side by side.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from operators.backbones.architectures import Architecture
from operators.vector.classes import imagenet_classes
from operators.vector.frame_vector import FrameVector
from operators.vector.vector_head import BIAS, WEIGHT
from operators.weights.heads import Head

_FIRST, _SECOND = "head", "head_dist"


def is_deits(head: Head) -> bool:
    """Told by its tensors' names: `head.*` `[C, D]` and `[C]`, maybe `head_dist.*` too."""
    first = head.tensors.get(f"{_FIRST}.weight")
    return first is not None and first.ndim == 2


def linear_of_deit(head: Head, arch: Architecture) -> tuple[Head, FrameVector]:
    """The same head as `operators.vector.vector_head` has them, and the tokens that it reads.

    Args:
        head: as the file has it.
        arch: of the backbone in that file; with a register there are two classifiers.

    Raises:
        WeightsError: names and shapes that are not a DeiT's, or other classes than ImageNet's.
    """
    names = (_FIRST, _SECOND)[: 1 + arch.registers]
    classes = len(head.tensors[f"{_FIRST}.weight"])
    if classes != (known := len(imagenet_classes().names)):
        raise head.wrong(
            f"of {classes} classes, whose names a DeiT's file does not say; it is one where it has "
            f"ImageNet's {known}. Take it for --weights alone and fit a head with dinostream fit "
            "classify"
        )
    layout = {f"{name}.weight": (classes, arch.width) for name in names}
    head.check({**layout, **{f"{name}.bias": (classes,) for name in names}})
    weights, biases = (
        [head.tensors[f"{name}.{of}"].float() / len(names) for name in names]
        for of in ("weight", "bias")
    )
    joined = {WEIGHT: torch.cat(weights, 1), BIAS: torch.stack(biases).sum(0)}
    return replace(head, tensors=joined), FrameVector(register=len(names) > 1)
