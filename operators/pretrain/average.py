"""The teacher: an average of what the student was, later steps counting more.

Two modules of one kind in, the first is changed. Knows no loss.
"""

from __future__ import annotations

import torch
from torch import nn

from operators.backbones.vit import VisionTransformer


@torch.no_grad()
def update_average(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """teacher <- momentum * teacher + (1 - momentum) * student, every parameter in place.

    Shards of a module that several processes hold are averaged where they lie.

    Args:
        teacher: is changed.
        student: has the same parameters.
        momentum: 0 to 1.

    Raises:
        ValueError: their parameters have other names.
    """
    own, new = dict(teacher.named_parameters()), dict(student.named_parameters())
    if own.keys() != new.keys():
        apart = sorted(own.keys() ^ new.keys())
        raise ValueError(
            f"teacher and student must have the same parameters, only one has {', '.join(apart)}"
        )
    torch._foreach_lerp_(list(own.values()), [new[name] for name in own], 1 - momentum)
    for module in teacher.modules():
        if isinstance(module, VisionTransformer):
            module.forget_positions()
